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
	t.Run("refuses a grant that has a user or a session already", func(t *testing.T) {
		for _, grant := range []store.Grant{{Subject: "alice"}, {Session: "s1"}} {
			p := newPendingDesk(t)
			p.deferred.Grant = &grant
			if answer := p.post("web", "scope", "orders.read"); answer.status != 500 {
				t.Errorf("%d %s", answer.status, answer.body)
			}
			p.refused(p.deferErr, tokenendpoint.ServerError, tokenendpoint.ReasonInternal)
		}
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
