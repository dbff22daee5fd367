package tokenendpoint_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// 7662-4-01: a token is good as long as whom it was given to is there.
func TestATokenOfAClientThatIsGoneIsInactive(t *testing.T) {
	bothFormats(t, func(t *testing.T, d *introspectionDesk) {
		answer := d.byCode("web")
		own := d.tokens("till", "client_credentials", "scope", "orders.read").access()
		d.active("orders", own)
		d.run("disabled, and active again when it is no longer", func() {
			d.alter("web", func(c *store.Client) { c.Disabled = true })
			d.inactive("orders", answer.access(), "client_disabled")
			d.alter("web", func(c *store.Client) { c.Disabled = false })
			d.active("orders", answer.access())
		})
		d.run("deleted", func() {
			d.parts.fails("Client web", store.ErrNotFound)
			d.inactive("orders", answer.access(), "unknown_client")
			d.parts.fails("Client web", nil)
			d.active("orders", answer.access())
		})
		d.run("while the store of clients is out of order nobody knows", func() {
			d.parts.fails("Client web", errFaultCanary)
			d.unavailable(d.introspect("orders", answer.access()), "store_unavailable")
			d.active("orders", own)
			d.parts.fails("Client web", nil)
		})
		d.run("a client is not asked for twice that asks for its own token", func() {
			if calls := d.introspect("web", answer.access()).calls; calls["Client web"] != 1 {
				d.t.Errorf("%v", calls)
			}
		})
	})
}

// 7662-4-01: the host knows who is still there.
func TestATokenOfAUserWhoIsGoneIsInactive(t *testing.T) {
	refusals := map[string]error{
		"by a code alone":        tokenendpoint.InvalidGrant,
		"by an error":            &tokenendpoint.Error{Code: tokenendpoint.InvalidGrant, Description: "alice has left", Cause: errors.New("row 7")},
		"by access_denied":       tokenendpoint.AccessDenied,
		"by a code of the host":  tokenendpoint.ErrorCode("interaction_required"),
		"by an error in another": fmt.Errorf("users: %w", tokenendpoint.InvalidGrant),
	}
	bothFormats(t, func(t *testing.T, d *introspectionDesk) {
		answer := d.byCode("web")
		for name, refusal := range refusals {
			d.run(name, func() {
				d.users = func(context.Context, *tokenendpoint.Request, *tokenendpoint.Token) error { return refusal }
				for caller, token := range map[string]string{"orders": answer.access(), "web": answer.refresh()} {
					d.inactive(caller, token, "user_refused")
				}
				d.users = nil
				d.active("orders", answer.access())
				d.active("web", answer.refresh())
			})
		}
		d.run("and is not asked about where there is none", func() {
			own := d.tokens("till", "client_credentials", "scope", "orders.read").access()
			d.users = func(context.Context, *tokenendpoint.Request, *tokenendpoint.Token) error {
				d.t.Error("Users was called")
				return tokenendpoint.InvalidGrant
			}
			d.active("orders", own)
			d.active("orders", d.forger().set("sub", nil))
			d.inactive("stock", answer.access(), "other_client")
		})
	})
}

// Config.Users: what the hook is told, and that what it alters has no effect.
func TestUsersIsToldWhoseTokenItIs(t *testing.T) {
	bothFormats(t, func(t *testing.T, d *introspectionDesk) {
		answer := d.byCode("web", func(g *store.Grant) { g.UserClaims = map[string]any{"branch": "north"} })
		for caller, token := range map[string]string{"orders": answer.access(), "web": answer.refresh()} {
			scopes, end := []string{"openid", "profile", "orders.read", "orders.write"}, keysStart.Truncate(time.Second).Add(time.Hour)
			if caller == "web" {
				end = keysStart.Add(30 * 24 * time.Hour)
			}
			calls := 0
			d.users = func(_ context.Context, req *tokenendpoint.Request, token *tokenendpoint.Token) error {
				calls++
				if req.Endpoint != d.endpoint || req.Issuer != trialIssuer || !req.Time.Equal(keysStart) || req.Client.ID != "web" || req.Authenticated ||
					req.GrantType != "" || req.Form != nil || req.RemoteAddr.String() != "192.0.2.1" {
					d.t.Errorf("the Request is %+v", req)
				}
				g := token.Grant
				if g.Issuer != trialIssuer || g.ClientID != "web" || g.Subject != "alice" || !reflect.DeepEqual(g.Scopes, scopes) ||
					!reflect.DeepEqual(token.Scopes, scopes) || token.Lifetime != end.Sub(keysStart) || token.UserClaims == nil || token.Claims == nil || token.Members == nil {
					d.t.Errorf("the Token is %+v", token)
				}
				if caller == "web" && g.Session != "s1" {
					d.t.Errorf("the session is %q", g.Session)
				}
				token.UserClaims["branch"], token.Claims["tenant"] = "south", "acme"
				token.Scopes[0], token.Grant.Scopes[0], token.Lifetime = "admin", "admin", 0
				req.Client = nil
				return nil
			}
			before := d.introspect(caller, token).body
			d.users = nil
			if after := d.introspect(caller, token).body; calls != 1 || before != after {
				d.t.Errorf("after %d calls introspection says\n%s, want\n%s", calls, before, after)
			}
		}
	})
}

// The hook says that the grant is to end, so that it does, also if nobody waits.
func TestUsersEndsAGrantForGood(t *testing.T) {
	gone := &tokenendpoint.Error{Code: tokenendpoint.InvalidGrant, Revoke: true}
	refuse := func(context.Context, *tokenendpoint.Request, *tokenendpoint.Token) error { return gone }
	bothFormats(t, func(t *testing.T, d *introspectionDesk) {
		for _, which := range []string{"access_token", "refresh_token"} {
			d.run("by its "+which, func() {
				answer, other := d.byCode("web"), d.byCode("web")
				d.users = refuse
				d.inactive("web", answer.text(which), "user_refused")
				d.users = nil
				d.inactive("web", answer.access(), "revoked")
				d.inactive("web", answer.refresh(), "revoked")
				d.active("web", other.access())
			})
		}
		d.run("an outage of the store is told, and nothing has ended", func() {
			answer := d.byCode("web")
			d.users = refuse
			d.parts.fails("Revoke", errFaultCanary)
			d.unavailable(d.introspect("web", answer.access()), "store_unavailable")
			if _, err := d.endpoint.Introspect(d.t.Context(), answer.access()); !errors.Is(err, tokenendpoint.TemporarilyUnavailable) {
				d.t.Errorf("Introspect: %v", err)
			}
			d.parts.fails("Revoke", nil)
			d.users = nil
			d.active("web", answer.access())
		})
		d.run("also if the caller hangs up", func() {
			answer := d.byCode("web")
			ctx, cancel := context.WithCancel(d.t.Context())
			d.users = func(context.Context, *tokenendpoint.Request, *tokenendpoint.Token) error { cancel(); return gone }
			d.look(ctx, introspectURL, "web", answer.access())
			d.users = nil
			d.inactive("web", answer.access(), "revoked")
		})
	})
}

// An outage of the host's is none of the user's.
func TestWhileUsersIsOutOfOrderNobodyKnows(t *testing.T) {
	bothFormats(t, func(t *testing.T, d *introspectionDesk) {
		answer := d.byCode("web")
		fails := func(err error) introspectionAnswer {
			d.users = func(context.Context, *tokenendpoint.Request, *tokenendpoint.Token) error { return err }
			defer func() { d.users = nil }()
			if body, err := d.endpoint.Introspect(d.t.Context(), answer.access()); err == nil {
				d.t.Errorf("Introspect: %s", body)
			}
			return d.introspect("orders", answer.access())
		}
		d.unavailable(fails(&tokenendpoint.Error{Code: tokenendpoint.TemporarilyUnavailable, Reason: tokenendpoint.ReasonStoreUnavailable, Revoke: true}), "store_unavailable")
		d.unavailable(fails(tokenendpoint.TemporarilyUnavailable), "temporarily_unavailable")
		d.unavailable(fails(context.DeadlineExceeded), "timeout")
		d.refusedWith(fails(errFaultCanary), 500, "server_error", "internal")
		d.active("orders", answer.access())
		d.run("a panic is not an answer", func() {
			d.users = func(context.Context, *tokenendpoint.Request, *tokenendpoint.Token) error { panic("canary") }
			d.refusedWith(d.introspect("orders", answer.access()), 500, "server_error", "panic")
			if body, err := d.endpoint.Introspect(d.t.Context(), answer.access()); !errors.Is(err, tokenendpoint.ServerError) || body != nil {
				d.t.Errorf("Introspect: %s, %v", body, err)
			}
			d.users = nil
		})
	})
}
