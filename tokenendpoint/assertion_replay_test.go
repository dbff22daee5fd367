package tokenendpoint_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

const replayed = tokenendpoint.ReasonReplayed

// 7523-3-06, OIDC-9-01: whoever overhears an assertion can do nothing with it.
func TestReplaysOfAssertions(t *testing.T) {
	a := assertionES256()
	form := func(token string) []string {
		return []string{"client_assertion_type", assertionType, "client_assertion", token, "scope", "read"}
	}
	t.Run("an assertion is good for one request", func(t *testing.T) {
		s := newAssertionShop(t)
		token := a.token()
		s.want(s.assert(token), tokenendpoint.ReasonIssued)
		s.want(s.assert(token), replayed)
		if len(s.throttle.failures) != 1 || s.throttle.failures[0].ClientID != "reports" {
			t.Errorf("the throttle counted %v, want one failure of the client", s.throttle.failures)
		}
	})
	t.Run("so is its jti, in whatever other assertion", func(t *testing.T) {
		s := newAssertionShop(t)
		same := withClaim("jti", "once")
		s.want(s.assert(a.token(same)), tokenendpoint.ReasonIssued)
		s.want(s.assert(a.token(same, withClaim("exp", secondsAfter(time.Hour)), withClaim("iat", nil))), replayed)
		s.want(s.assert(a.token(same, withHeader("typ", "JWT"), withClaim("aud", []string{assertionIssuer}))), replayed)
	})
	t.Run("jtis that differ by case or a zero octet are others", func(t *testing.T) {
		s := newAssertionShop(t)
		for _, jti := range []string{"once", "Once", "once ", "once\x00", "\x00once", "reports\x00once", "once\u00e9", "once\u0065\u0301"} {
			s.want(s.assert(a.token(withClaim("jti", jti))), tokenendpoint.ReasonIssued)
		}
	})
	t.Run("one that was used at the token endpoint is refused at a companion", func(t *testing.T) {
		s := newAssertionShop(t)
		token := a.token()
		s.want(s.assert(token), tokenendpoint.ReasonIssued)
		s.want(s.post(assertionFormURL, deskForm("", form(token))), replayed)
	})
	t.Run("one that was used at a companion is refused at the token endpoint and there", func(t *testing.T) {
		s := newAssertionShop(t)
		token := a.token()
		if answer := s.post(assertionFormURL, deskForm("", form(token))); answer.status != 200 || !answer.event.Authenticated || answer.event.AuthMethod != store.PrivateKeyJWT {
			t.Errorf("answered %v, and the event is %+v", answer, answer.event)
		}
		s.want(s.post(assertionFormURL, deskForm("", form(token))), replayed)
		s.want(s.assert(token), replayed)
	})
	t.Run("the jti of another client is another", func(t *testing.T) {
		s := newAssertionShop(t)
		for _, id := range []string{"reports", "other", "report", "reports2"} {
			a := assertionBy(id, tokenendpoint.ES256)
			s.register(id, a.jwks())
			s.want(s.assert(a.token(withClaim("jti", "once"))), tokenendpoint.ReasonIssued)
			s.want(s.assert(a.token(withClaim("jti", "once"))), replayed)
		}
	})
	t.Run("the jti of another issuer that shares the store is another", func(t *testing.T) {
		s := newAssertionShop(t)
		second := newAssertionShop(t, func(c *tokenendpoint.Config) { c.Issuer, c.Replays = assertionIssuer+"/second", s.replays })
		once := withClaim("jti", "once")
		s.want(s.assert(a.token(once)), tokenendpoint.ReasonIssued)
		second.handler = second.endpoint
		second.want(second.assert(a.token(once, withClaim("aud", assertionIssuer+"/second"))), tokenendpoint.ReasonIssued)
	})
	t.Run("of 20 requests at once one is answered", func(t *testing.T) {
		s := newAssertionShop(t)
		token := a.token()
		var issued, refused atomic.Int64
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				path := "/connect/token"
				if i%2 == 1 {
					path = assertionFormURL
				}
				switch answer := s.post(path, deskForm("client_credentials", form(token))); {
				case answer.status == 200:
					issued.Add(1)
				case answer.status == 401 && answer.body == assertionRefused:
					refused.Add(1)
				default:
					t.Errorf("answered %v", answer)
				}
			})
		}
		all.Wait()
		if issued.Load() != 1 || refused.Load() != 19 {
			t.Errorf("%d were answered and %d refused", issued.Load(), refused.Load())
		}
	})
	t.Run("an assertion is remembered until it is refused for its age", func(t *testing.T) {
		s := newAssertionShop(t)
		for _, life := range []time.Duration{-29 * time.Second, 0, time.Minute, time.Hour} {
			s.clock.Set(keysStart)
			token := a.token(withClaim("exp", secondsAfter(life)), withClaim("iat", nil))
			s.want(s.assert(token), tokenendpoint.ReasonIssued)
			s.clock.Set(keysStart.Add(life + 30*time.Second - time.Millisecond))
			s.want(s.assert(token), replayed)
			s.clock.Advance(2 * time.Millisecond)
			s.want(s.assert(token), untimelyJWT)
			// Longer than that, for requests and nodes that are late.
			if want := life + 100*time.Second; s.replays.last < want-time.Millisecond || s.replays.last > want+time.Minute {
				t.Errorf("it is remembered for %v, want %v", s.replays.last, want)
			}
		}
	})
	t.Run("what is asked for in vain uses it up", func(t *testing.T) {
		s := newAssertionShop(t)
		token := a.token()
		if answer := s.assert(token, "scope", "write"); answer.status != 400 || !answer.event.Authenticated {
			t.Errorf("answered %v", answer)
		}
		s.want(s.assert(token), replayed)
	})
}

// X-HTTP-11: that nothing is known of a jti is no verdict.
func TestReplayStoresThatFail(t *testing.T) {
	a := assertionES256()
	for name, err := range map[string]error{
		"an error":             errors.New("replays-canary"),
		"a timeout":            fmt.Errorf("replays-canary: %w", context.DeadlineExceeded),
		"a cancelled context":  fmt.Errorf("replays-canary: %w", context.Canceled),
		"a verdict of another": fmt.Errorf("replays-canary: %w", store.ErrNotFound),
		"a conflict":           fmt.Errorf("replays-canary: %w", store.ErrConflict),
	} {
		t.Run(name+" is an outage, and uses up nothing", func(t *testing.T) {
			s := newAssertionShop(t)
			s.replays.fail = err
			token := a.token()
			answer := s.assert(token)
			s.want(answer, tokenendpoint.ReasonStoreUnavailable)
			if answer.header.Get("Retry-After") == "" || strings.Contains(answer.String(), "canary") || !strings.Contains(s.log.String(), "ReplayStore: replays-canary") {
				t.Errorf("answered %v, and the log is %s", answer, s.log)
			}
			if len(s.throttle.failures) != 0 {
				t.Errorf("it counts as a failure: %v", s.throttle.failures)
			}
			s.want(s.assert(a.token(withClaim("aud", assertionTokenURL))), otherAudience) // which asks no store
			s.replays.fail = nil
			s.want(s.assert(token), tokenendpoint.ReasonIssued)
		})
	}
}
