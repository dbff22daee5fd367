package tokenendpoint_test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

func TestDefer(t *testing.T) {
	t.Run("keeps one thing for a user code, and says so", func(t *testing.T) {
		p := newPendingDesk(t)
		p.decision = "WDJBMJHT"
		first := p.begin("web", "scope", "orders.read")
		answer := p.post("app", "scope", "orders.write")
		if answer.status != 503 || !errors.Is(p.deferErr, store.ErrConflict) {
			t.Errorf("a code in use: %d %s, %v", answer.status, answer.body, p.deferErr)
		}
		p.equal("what the code stands for", p.find().Grant.Scopes, []string{"orders.read"})
		p.undecided("web", first)
	})
	t.Run("says of a code that was revoked that it is in use", func(t *testing.T) {
		p := newPendingDesk(t)
		p.decision = "WDJBMJHT"
		p.begin("web", "scope", "orders.read")
		if n, err := p.endpoint.Revoke(t.Context(), store.Match{ClientID: "web"}); n != 1 || err != nil {
			t.Fatalf("revoked %d, %v", n, err)
		}
		if answer := p.post("web", "scope", "orders.read"); answer.status != 503 || !errors.Is(p.deferErr, store.ErrConflict) {
			t.Errorf("%d %s, %v", answer.status, answer.body, p.deferErr)
		}
	})
	t.Run("hands out the handle once, and the decision never", func(t *testing.T) {
		p := newPendingDesk(t)
		answer := p.post("web", "scope", "orders.read")
		if answer.status != 200 || len(answer.members) != 1 {
			t.Fatalf("%d %s", answer.status, answer.body)
		}
		if handle, _ := answer.members["handle"].(string); strings.Contains(answer.body+p.log.String(), p.decision) || strings.Contains(p.log.String(), handle) {
			t.Errorf("the decision is in the answer or, as the handle, in the log:\n%s\n%s", answer.body, p.log.String())
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		event := p.events[len(p.events)-1]
		if event.Endpoint != "asking_endpoint" || event.Reason != tokenendpoint.ReasonAnswered || event.GrantType != pendingGrantType || event.GrantID == "" {
			t.Errorf("the event is %+v", event)
		}
	})
	t.Run("keeps who alone can decide beside what is asked for, and no session", func(t *testing.T) {
		p := newPendingDesk(t)
		p.deferred.Grant = &store.Grant{Subject: "alice", Session: "s1", Scopes: []string{"orders.read"}}
		p.begin("web", "scope", "orders.read")
		pending := p.find()
		p.equal("the subject", pending.Subject, "alice")
		p.equal("that of the grant", pending.Grant.Subject+pending.Grant.Session, "")
		p.refused(p.endpoint.Decide(t.Context(), pending, &store.Grant{Subject: "mallory"}), tokenendpoint.ServerError, tokenendpoint.ReasonMalformedSubject)
		if err := p.decide(pending); err != nil {
			t.Error(err)
		}
		event := p.events[len(p.events)-1]
		if event.Endpoint != "decision" || event.Reason != tokenendpoint.ReasonApproved || event.ClientID != "web" || event.GrantID != pending.GrantID {
			t.Errorf("the event is %+v", event)
		}
	})
	t.Run("is not decided when it is over", func(t *testing.T) {
		p := newPendingDesk(t)
		handle := p.begin("web", "scope", "orders.read")
		pending := p.find()
		p.clock.Advance(10 * time.Minute)
		p.refused(p.decide(pending), tokenendpoint.InvalidGrant, tokenendpoint.ReasonExpired)
		p.want(p.poll("web", handle), 400, "expired")
	})
	t.Run("is found as what it is alone", func(t *testing.T) {
		p := newPendingDesk(t)
		p.begin("web", "scope", "orders.read")
		for _, kind := range []store.Kind{store.KindDevice, store.KindCode, store.KindRefresh, store.KindDecision, ""} {
			_, err := p.endpoint.FindPending(t.Context(), kind, p.decision)
			p.refused(err, tokenendpoint.InvalidGrant, tokenendpoint.ReasonUnknownHandle)
		}
		p.decision = "WDJBMJHT"
		p.begin("web", "scope", "orders.read")
		p.find()
		_, err := p.endpoint.FindPending(t.Context(), store.KindBackchannel, p.decision)
		p.refused(err, tokenendpoint.InvalidGrant, tokenendpoint.ReasonUnknownHandle)
	})
	t.Run("is an outage, not a verdict, when the store is one", func(t *testing.T) {
		p := newPendingDesk(t)
		p.fail("Exchange", 1, errRecordsCanary, false)
		if answer := p.post("web", "scope", "orders.read"); answer.status != 503 || answer.body != `{"error":"temporarily_unavailable"}` {
			t.Errorf("%d %s", answer.status, answer.body)
		}
		p.refused(p.deferErr, tokenendpoint.TemporarilyUnavailable, tokenendpoint.ReasonStoreUnavailable)
	})
	t.Run("counts if the store kept it before it failed", func(t *testing.T) {
		p := newPendingDesk(t)
		p.fail("Exchange", 1, context.DeadlineExceeded, true)
		handle := p.begin("web", "scope", "orders.read")
		p.records.around = nil
		p.undecided("web", handle)
	})
	t.Run("keeps what became of it for an hour after its end, and then no longer", func(t *testing.T) {
		p := newPendingDesk(t)
		handle := p.begin("web", "scope", "orders.read")
		for _, step := range []struct {
			wait   time.Duration
			reason tokenendpoint.Reason
		}{{10 * time.Minute, tokenendpoint.ReasonExpired}, {time.Hour - time.Second, tokenendpoint.ReasonExpired}, {time.Second, tokenendpoint.ReasonUnknownHandle}} {
			p.clock.Advance(step.wait)
			if _, err := p.records.Purge(t.Context(), p.clock.Now(), 100); err != nil {
				t.Fatal(err)
			}
			p.want(p.poll("web", handle), 400, step.reason)
		}
	})
}

// A decision id has 256 bits, and nobody else's letter.
func TestNewDecision(t *testing.T) {
	seen := make(map[string]bool)
	for range 100 {
		id := tokenendpoint.NewDecision()
		if !regexp.MustCompile(`^q[A-Za-z0-9_-]{64}$`).MatchString(id) || seen[id[len(id)-43:]] {
			t.Fatalf("the id %q", id)
		}
		seen[id[len(id)-43:]] = true
	}
}
