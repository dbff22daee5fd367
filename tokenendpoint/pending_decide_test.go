package tokenendpoint_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// 8628-5.4-01: a page can show the client and what it asks for.
func TestWhatIsPending(t *testing.T) {
	t.Run("tells what is asked for, by whom and until when", func(t *testing.T) {
		p := newPendingDesk(t)
		handle := p.begin("web", "scope", "openid orders.read", "resource", ordersAPI)
		pending := p.find()
		p.equal("the client", pending.Client.ID, "web")
		p.equal("the scopes", pending.Grant.Scopes, []string{"openid", "orders.read"})
		p.equal("the resources", pending.Grant.Resources, []string{ordersAPI})
		p.equal("the subject", pending.Grant.Subject, "")
		p.equal("the data", string(pending.Data), "the grant type's own")
		p.equal("the end", pending.ExpiresAt.Sub(p.clock.Now()), 10*time.Minute)
		p.equal("the handle", pending.Handle, handle)
		if pending.GrantID == "" || strings.Contains(handle, pending.Client.ID) {
			t.Errorf("the family is %q", pending.GrantID)
		}
	})
	t.Run("has all API scopes if none was asked for", func(t *testing.T) {
		p := newPendingDesk(t)
		p.begin("web")
		p.equal("the scopes", p.find().Grant.Scopes, []string{"orders.read", "orders.write"})
	})
	t.Run("has no handle if it is found by a user code", func(t *testing.T) {
		p := newPendingDesk(t)
		p.decision = "WDJBMJHT"
		p.begin("web")
		p.equal("the handle", p.find().Handle, "")
	})
	t.Run("is not changed by who alters what was found", func(t *testing.T) {
		p := newPendingDesk(t)
		p.begin("web", "scope", "orders.read")
		p.find().Grant.Scopes[0] = "orders.write"
		p.equal("the scopes", p.find().Grant.Scopes, []string{"orders.read"})
	})
}

func TestADecision(t *testing.T) {
	t.Run("begins to be the user's family", func(t *testing.T) {
		p := newPendingDesk(t)
		handle := p.begin("web", "scope", "orders.read")
		families, err := p.endpoint.Families(t.Context(), "alice")
		p.equal("the families before", fmt.Sprint(len(families), err), "0 <nil>")
		if err := p.decide(p.find()); err != nil {
			t.Fatal(err)
		}
		families, err = p.endpoint.Families(t.Context(), "alice")
		p.equal("the families after", fmt.Sprint(len(families), err), "1 <nil>")
		n, err := p.endpoint.Revoke(t.Context(), store.Match{Session: "s1"})
		p.equal("what the end of the session revokes", fmt.Sprint(n, err), "1 <nil>")
		p.want(p.poll("web", handle), 400, tokenendpoint.ReasonRevoked)
	})
	t.Run("is one of many at once", func(t *testing.T) {
		p := newPendingDesk(t)
		handle := p.begin("web", "scope", "orders.read")
		pending := p.find()
		errs := make([]error, 20)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() {
				var grant *store.Grant
				if i%2 == 0 {
					grant = &store.Grant{Subject: fmt.Sprint("user-", i)}
				}
				errs[i] = p.endpoint.Decide(t.Context(), pending, grant)
			})
		}
		all.Wait()
		winner := -1
		for i, err := range errs {
			switch {
			case err != nil:
				p.refused(err, tokenendpoint.InvalidGrant, tokenendpoint.ReasonDecided)
			case winner >= 0:
				t.Errorf("%d and %d both decided", winner, i)
			default:
				winner = i
			}
		}
		answer := p.poll("web", handle)
		switch {
		case winner < 0:
			t.Error("nobody decided")
		case winner%2 == 0:
			p.want(answer, 200, "")
			p.equal("the subject", p.claims(answer, "access_token")["sub"], fmt.Sprint("user-", winner))
		default:
			p.equal("the error", answer.members["error"], "access_denied")
		}
	})
	t.Run("is redeemed by one of many polls at once (8628-3.5-05, CIBA-10.1.1-01)", func(t *testing.T) {
		p := newPendingDesk(t)
		handle := p.begin("web", "scope", "orders.read")
		if err := p.decide(p.find()); err != nil {
			t.Fatal(err)
		}
		answers := make([]deskAnswer, 20)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() { answers[i] = p.poll("web", handle) })
		}
		all.Wait()
		count := make(map[string]int)
		for _, answer := range answers {
			count[fmt.Sprintf("%d %v", answer.status, answer.members["error"])]++
		}
		p.equal("the answers", fmt.Sprint(count), "map[200 <nil>:1 400 invalid_grant:19]")
	})
	t.Run("of less is for less, and fills in the rest", func(t *testing.T) {
		p := newPendingDesk(t)
		handle := p.begin("web", "scope", "openid profile orders.read orders.write", "resource", ordersAPI)
		grant := &store.Grant{Subject: "alice", Scopes: []string{"orders.write", "orders.write"}, Issuer: "https://mallory.example", ClientID: "app"}
		if err := p.endpoint.Decide(t.Context(), p.find(), grant); err != nil {
			t.Fatal(err)
		}
		answer := p.poll("web", handle)
		p.want(answer, 200, "")
		claims := p.claims(answer, "access_token")
		p.equal("the token", fmt.Sprint(claims["iss"], claims["client_id"], claims["scope"], claims["aud"]), fmt.Sprint(trialIssuer, "web", "orders.write", ordersAPI))
	})
}

func TestADecisionThatCannotBe(t *testing.T) {
	for name, test := range map[string]struct {
		grant  store.Grant
		code   tokenendpoint.ErrorCode
		reason tokenendpoint.Reason
	}{
		"without a subject":                       {store.Grant{}, tokenendpoint.ServerError, tokenendpoint.ReasonMalformedSubject},
		"by a user named as the client":           {store.Grant{Subject: "web"}, tokenendpoint.ServerError, tokenendpoint.ReasonMalformedSubject},
		"by a user whose name no token can say":   {store.Grant{Subject: "al\u00efce"}, tokenendpoint.ServerError, tokenendpoint.ReasonMalformedSubject},
		"by a user whose name is too long":        {store.Grant{Subject: strings.Repeat("a", 256)}, tokenendpoint.ServerError, tokenendpoint.ReasonMalformedSubject},
		"for a scope that was not asked for":      {store.Grant{Subject: "alice", Scopes: []string{"orders.read", "orders.write"}}, tokenendpoint.InvalidScope, tokenendpoint.ReasonScopeNotAllowed},
		"for no scope":                            {store.Grant{Subject: "alice", Scopes: []string{}}, tokenendpoint.InvalidScope, tokenendpoint.ReasonScopeNotAllowed},
		"for a resource that was not asked for":   {store.Grant{Subject: "alice", Resources: []string{"https://other.example"}}, tokenendpoint.InvalidTarget, tokenendpoint.ReasonResourceNotAllowed},
		"for no resource":                         {store.Grant{Subject: "alice", Resources: []string{}}, tokenendpoint.InvalidTarget, tokenendpoint.ReasonResourceNotAllowed},
		"for a resource beside one asked for too": {store.Grant{Subject: "alice", Resources: []string{ordersAPI, "https://other.example"}}, tokenendpoint.InvalidTarget, tokenendpoint.ReasonResourceNotAllowed},
	} {
		t.Run("A decision "+name+" is refused and decides nothing", func(t *testing.T) {
			p := newPendingDesk(t)
			handle := p.begin("web", "scope", "orders.read", "resource", ordersAPI)
			p.refused(p.endpoint.Decide(t.Context(), p.find(), &test.grant), test.code, test.reason)
			p.undecided("web", handle)
		})
	}
	for name, test := range map[string]struct {
		alter  func(p *pendingDesk)
		code   tokenendpoint.ErrorCode
		reason tokenendpoint.Reason
	}{
		"when it has expired":  {func(p *pendingDesk) { p.clock.Advance(10 * time.Minute) }, tokenendpoint.InvalidGrant, tokenendpoint.ReasonExpired},
		"when it was approved": {func(p *pendingDesk) { _ = p.decide(p.find()) }, tokenendpoint.InvalidGrant, tokenendpoint.ReasonDecided},
		"when it was refused":  {func(p *pendingDesk) { _ = p.endpoint.Decide(p.t.Context(), p.find(), nil) }, tokenendpoint.InvalidGrant, tokenendpoint.ReasonDecided},
		"when it was revoked": {func(p *pendingDesk) {
			if n, err := p.endpoint.Revoke(p.t.Context(), store.Match{ClientID: "web"}); n != 1 || err != nil {
				p.t.Errorf("revoked %d, %v", n, err)
			}
		}, tokenendpoint.InvalidGrant, tokenendpoint.ReasonRevoked},
		"when its client is disabled": {func(p *pendingDesk) { p.clients.Put(store.Client{Metadata: store.Metadata{ID: "web"}, Disabled: true}) }, tokenendpoint.InvalidClient, tokenendpoint.ReasonClientDisabled},
		"when it is unknown":          {func(p *pendingDesk) { p.decision = tokenendpoint.NewDecision() }, tokenendpoint.InvalidGrant, tokenendpoint.ReasonUnknownHandle},
		"by another user code":        {func(p *pendingDesk) { p.decision = "BCDFGHJK" }, tokenendpoint.InvalidGrant, tokenendpoint.ReasonUnknownHandle},
		"by nothing":                  {func(p *pendingDesk) { p.decision = "" }, tokenendpoint.InvalidGrant, tokenendpoint.ReasonUnknownHandle},
		"by the client's own handle":  {func(p *pendingDesk) { p.decision = p.find().Handle }, tokenendpoint.InvalidGrant, tokenendpoint.ReasonUnknownHandle},
	} {
		t.Run("Nothing is found "+name, func(t *testing.T) {
			p := newPendingDesk(t)
			p.begin("web", "scope", "orders.read")
			test.alter(p)
			pending, err := p.endpoint.FindPending(t.Context(), p.kind(), p.decision)
			if pending != nil {
				t.Errorf("found %+v", pending)
			}
			if p.decision == "" { // which is in every text
				p.decision = "-"
			}
			p.refused(err, test.code, test.reason)
		})
	}
}
