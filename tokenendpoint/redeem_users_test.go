package tokenendpoint_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// denyUsers is a hook that refuses everyone.
func denyUsers(err error) func(context.Context, *tokenendpoint.Request, *tokenendpoint.Token) error {
	return func(context.Context, *tokenendpoint.Request, *tokenendpoint.Token) error { return err }
}

func TestUsersRefuses(t *testing.T) {
	locked := &tokenendpoint.Error{Code: tokenendpoint.InvalidGrant, Reason: tokenendpoint.ReasonUserRefused, Description: "the account is locked", Cause: errRecordsCanary}
	for _, r := range redemptions {
		t.Run(r.name+" is refused and not used up", func(t *testing.T) {
			d := newDesk(t)
			redeem := r.make(d)
			d.users = denyUsers(locked)
			answer := redeem()
			d.want(answer, 400, tokenendpoint.ReasonUserRefused)
			d.equal("the body", answer.body, `{"error":"invalid_grant","error_description":"the account is locked"}`)
			d.users = nil
			d.want(redeem(), 200, "")
		})
		t.Run(r.name+" is refused and revoked", func(t *testing.T) {
			d := newDesk(t)
			redeem := r.make(d)
			gone := *locked
			gone.Revoke = true
			d.users = denyUsers(errors.Join(errRecordsCanary, &gone))
			d.want(redeem(), 400, tokenendpoint.ReasonUserRefused)
			d.users = nil
			d.want(redeem(), 400, tokenendpoint.ReasonRevoked)
		})
		t.Run(r.name+" is not refused for an outage", func(t *testing.T) {
			d := newDesk(t)
			redeem := r.make(d)
			for _, err := range []error{tokenendpoint.TemporarilyUnavailable, &tokenendpoint.Error{Code: tokenendpoint.TemporarilyUnavailable, Cause: errRecordsCanary}} {
				d.users = denyUsers(err)
				d.want(redeem(), 503, "temporarily_unavailable")
			}
			d.users = denyUsers(context.DeadlineExceeded)
			d.want(redeem(), 503, tokenendpoint.ReasonTimeout)
			d.users = denyUsers(errRecordsCanary)
			answer := redeem()
			d.want(answer, 500, tokenendpoint.ReasonInternal)
			if strings.Contains(answer.body, "canary") {
				t.Errorf("the hook's words are in the answer: %s", answer.body)
			}
			d.users = nil
			d.want(redeem(), 200, "")
		})
	}
	t.Run("the successor of a refresh token is asked about too", func(t *testing.T) {
		d := newDesk(t)
		first := d.signIn("web").refresh()
		d.want(d.refresh("web", first), 200, "")
		d.users = denyUsers(locked)
		d.want(d.refresh("web", first), 400, tokenendpoint.ReasonUserRefused)
	})
	t.Run("a hook that panics is a server_error that uses nothing up", func(t *testing.T) {
		d := newDesk(t)
		code := d.code("web")
		d.users = func(context.Context, *tokenendpoint.Request, *tokenendpoint.Token) error { panic("users-canary") }
		d.want(d.redeem("web", code), 500, tokenendpoint.ReasonPanic)
		d.users = nil
		d.want(d.redeem("web", code), 200, "")
	})
}

func TestUsersTellsAboutTheUser(t *testing.T) {
	name := func(name string) func(context.Context, *tokenendpoint.Request, *tokenendpoint.Token) error {
		return func(_ context.Context, _ *tokenendpoint.Request, token *tokenendpoint.Token) error {
			token.UserClaims["name"], token.UserClaims["branch"], token.UserClaims["salary"] = name, name, name
			return nil
		}
	}
	check := func(d *desk, answer deskAnswer, want string) {
		d.t.Helper()
		d.want(answer, 200, "")
		id, access := d.claims(answer, "id_token"), d.claims(answer, "access_token")
		d.equal("name of the ID token", id["name"], want)
		d.equal("branch of the access token", access["branch"], want)
		for _, claims := range []map[string]any{id, access} {
			if claims["salary"] != nil {
				d.t.Errorf("a claim that no scope gives access to is there: %v", claims)
			}
		}
		d.equal("name of the access token", access["name"], nil)
	}
	for _, client := range []string{"web", "till"} {
		t.Run("refreshed tokens of "+client+" keep the claims of the sign-in", func(t *testing.T) {
			d := newDesk(t)
			d.users = name("Alice")
			answer := d.signIn(client, func(g *store.Grant) { g.UserClaims = map[string]any{"name": "nobody"} })
			check(d, answer, "Alice")
			d.users = name("Alice Smith")
			for range 2 {
				answer = d.refresh(client, answer.refresh())
				check(d, answer, "Alice")
			}
		})
		t.Run("refreshed tokens of "+client+" with FreshClaims have those of the time", func(t *testing.T) {
			d := newDesk(t)
			c, _ := d.clients.Client(t.Context(), client)
			fresh := *c
			fresh.FreshClaims = true
			d.clients.Put(fresh)
			d.users = name("Alice")
			answer := d.signIn(client)
			check(d, answer, "Alice")
			for _, now := range []string{"Alice Smith", "Alice Miller"} {
				d.users = name(now)
				answer = d.refresh(client, answer.refresh())
				check(d, answer, now)
			}
		})
		t.Run("what it takes from one token of "+client+" is in the next", func(t *testing.T) {
			d := newDesk(t)
			d.users = func(_ context.Context, _ *tokenendpoint.Request, token *tokenendpoint.Token) error {
				token.Scopes = []string{"orders.read"}
				token.Grant.Scopes, token.Grant.Subject = nil, "mallory"
				return nil
			}
			answer := d.signIn(client)
			d.equal("the scope", answer.members["scope"], "orders.read")
			d.equal("sub", d.claims(answer, "access_token")["sub"], "alice")
			answer = d.refresh(client, answer.refresh())
			d.equal("the refreshed scope", answer.members["scope"], "orders.read")
			d.users = nil
			answer = d.refresh(client, answer.refresh())
			d.equal("the whole", answer.members["scope"], "openid profile orders.read orders.write")
			d.equal("sub", d.claims(answer, "access_token")["sub"], "alice")
		})
	}
	t.Run("it may not widen a token", func(t *testing.T) {
		for _, widen := range []func(*tokenendpoint.Token){
			func(token *tokenendpoint.Token) { token.Scopes = append(token.Scopes, "offline_access") },
			func(token *tokenendpoint.Token) { token.Scopes = []string{} },
			func(token *tokenendpoint.Token) { token.Resources = []string{stockAPI} },
			func(token *tokenendpoint.Token) { token.Lifetime++ },
			func(token *tokenendpoint.Token) { token.Lifetime *= 2 },
		} {
			d := newDesk(t)
			code := d.code("web")
			d.users = func(_ context.Context, _ *tokenendpoint.Request, token *tokenendpoint.Token) error {
				widen(token)
				return nil
			}
			if answer := d.redeem("web", code); answer.status == 200 { // a nanosecond is cut off again
				d.equal("expires_in", answer.members["expires_in"], 3600.0)
				continue
			}
			d.users = nil
			d.want(d.redeem("web", code), 200, "")
		}
	})
	t.Run("it comes before the policy, which sees what it left", func(t *testing.T) {
		var seen []any
		d := newDesk(t, func(c *tokenendpoint.Config) {
			c.Policy = func(_ context.Context, _ *tokenendpoint.Request, token *tokenendpoint.Token) error {
				seen = append(seen, token.UserClaims["name"])
				token.UserClaims["name"] = "by the policy"
				return nil
			}
		})
		d.users = name("Alice")
		answer := d.signIn("web")
		d.equal("name", d.claims(answer, "id_token")["name"], "by the policy")
		d.refresh("web", answer.refresh())
		if want := []any{"Alice", "Alice"}; !reflect.DeepEqual(seen, want) {
			t.Errorf("the policy saw %v, want %v: what it changes is not kept", seen, want)
		}
	})
	t.Run("it is called once a request, and again if that is in conflict", func(t *testing.T) {
		d := newDesk(t)
		calls := 0
		d.users = func(_ context.Context, req *tokenendpoint.Request, token *tokenendpoint.Token) error {
			calls++
			if token.Grant.Subject != "alice" || req.Client.ID != "web" {
				t.Errorf("called for %q at %q", token.Grant.Subject, req.Client.ID)
			}
			return nil
		}
		answer := d.signIn("web")
		d.equal("calls", calls, 1)
		d.fail("Exchange", 1, store.ErrConflict, false)
		d.want(d.refresh("web", answer.refresh()), 200, "")
		d.equal("calls", calls, 3)
	})
	t.Run("it is not called for a client that acts for itself", func(t *testing.T) {
		d := newDesk(t)
		d.users = denyUsers(tokenendpoint.AccessDenied)
		d.validate = func(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) {
			return &tokenendpoint.Result{}, nil
		}
		answer := d.ask(t.Context(), "web", deskForm(redeemOwn, nil))
		d.want(answer, 200, "")
		d.equal("the calls of the store", answer.calls, 0)
		d.equal("grant_id", d.claims(answer, "access_token")["grant_id"], nil)
	})
}
