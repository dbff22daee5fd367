package tokenendpoint_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// 7009-2.2.1-02: not to know is no verdict, and what could not be looked at or changed is
// as it was.
func TestAnOutageIsNoVerdictOnAToken(t *testing.T) {
	bothFormats(t, func(t *testing.T, d *introspectionDesk) {
		answer := d.byCode("web")
		isOpaque := opaqueShape.MatchString(answer.access())
		ask := map[string][]string{"Find": {introspectURL, revokeURL}, "Exchange": {revokeURL}, "Scopes": {introspectURL}}
		if !isOpaque {
			ask["FamilyLive"] = []string{introspectURL, revokeURL}
		}
		for method, paths := range ask {
			for _, path := range paths {
				d.run("of "+method+" at "+path, func() {
					d.parts.fails(method, errFaultCanary)
					caller := map[string]string{introspectURL: "orders", revokeURL: "web"}[path]
					d.unavailable(d.look(d.t.Context(), path, caller, answer.access()), "store_unavailable")
					if _, err := d.endpoint.Introspect(d.t.Context(), answer.access()); (err != nil) != (method == "Find" || method == "FamilyLive") || err != nil && !errors.Is(err, tokenendpoint.TemporarilyUnavailable) {
						d.t.Errorf("Introspect: %v", err)
					}
					d.parts.fails(method, nil)
					d.active("orders", answer.access())
					d.active("web", answer.refresh())
				})
			}
		}
		d.run("of Revoke for a refresh token", func() {
			d.parts.fails("Revoke", errFaultCanary)
			d.unavailable(d.revoke("web", answer.refresh()), "store_unavailable")
			d.parts.fails("Revoke", nil)
			d.active("orders", answer.access())
			d.active("web", answer.refresh())
		})
		d.run("and is over when the store is back", func() {
			d.revoked("web", answer.access(), "revoked")
			d.inactive("orders", answer.access(), "revoked")
		})
	})
}

// What is kept and cannot be read is a fault of the service, never of the token.
func TestACorruptRecordIsNoVerdictOnAToken(t *testing.T) {
	d := newIntrospectionDesk(t).opaque("web")
	answer := d.byCode("web")
	corruptions := map[string]func(*store.Record, *store.Family){
		"another kind":            func(r *store.Record, _ *store.Family) { r.Kind = store.KindCode },
		"no claims":               func(r *store.Record, _ *store.Family) { r.Data, r.Grant = nil, nil },
		"claims that are cut off": func(r *store.Record, _ *store.Family) { r.Data, r.Grant = r.Data[:len(r.Data)/2], nil },
		"another client":          func(_ *store.Record, f *store.Family) { f.ClientID = "till" },
	}
	for name, corrupt := range corruptions {
		for caller, token := range map[string]string{"orders": answer.access(), "web": answer.refresh()} {
			d.run(name+", as "+caller+" finds it", func() {
				d.records.found = corrupt
				defer func() { d.records.found = nil }()
				d.refusedWith(d.introspect(caller, token), 500, "server_error", "corrupt_record")
				d.refusedWith(d.revoke("web", token), 500, "server_error", "corrupt_record")
				if _, err := d.endpoint.Introspect(d.t.Context(), token); !errors.Is(err, tokenendpoint.ServerError) {
					d.t.Errorf("Introspect: %v", err)
				}
			})
		}
	}
	for name, data := range map[string][]byte{"claims alone that are cut off": []byte(`{"iss":"https`), "claims alone that are gone": nil} {
		d.run(name, func() {
			d.records.found = func(r *store.Record, _ *store.Family) { r.Data = data }
			defer func() { d.records.found = nil }()
			for _, caller := range []string{"orders", "web"} {
				d.refusedWith(d.introspect(caller, answer.access()), 500, "server_error", "corrupt_record")
			}
		})
	}
	d.run("what the store itself cannot read", func() {
		d.parts.fails("Find", store.ErrCorrupt)
		d.refusedWith(d.introspect("orders", answer.access()), 500, "server_error", "corrupt_record")
		d.parts.fails("Find", nil)
	})
	d.active("orders", answer.access())
	d.active("web", answer.refresh())
}

// A handle of a store that another issuer shares is none of ours.
func TestATokenOfAnotherIssuerInTheSameStoreIsInactive(t *testing.T) {
	d := newIntrospectionDesk(t).opaque("web")
	answer := d.byCode("web")
	other := newIntrospectionDesk(t, func(c *tokenendpoint.Config) { c.Issuer, c.Records = "https://other.example", d.records })
	for _, token := range []string{answer.access(), answer.refresh()} {
		other.inactive("web", token, "unknown_handle")
		other.revoked("web", token, "unknown_handle")
		d.active("web", token)
	}
}

// X-HTTP-11: a store that hangs is answered for after Config.Timeout, also where the
// change goes on without the caller. The clock is the bubble's.
func TestAStoreThatHangsIsAnOutage(t *testing.T) {
	for method, asks := range map[string]func(*introspectionDesk, dpopAnswer) introspectionAnswer{
		"Find": func(d *introspectionDesk, a dpopAnswer) introspectionAnswer {
			return d.introspect("orders", a.access())
		},
		"Exchange": func(d *introspectionDesk, a dpopAnswer) introspectionAnswer { return d.revoke("web", a.access()) },
		"Revoke":   func(d *introspectionDesk, a dpopAnswer) introspectionAnswer { return d.revoke("web", a.refresh()) },
		"Revoke for Users": func(d *introspectionDesk, a dpopAnswer) introspectionAnswer {
			d.users = func(context.Context, *tokenendpoint.Request, *tokenendpoint.Token) error {
				return &tokenendpoint.Error{Code: tokenendpoint.InvalidGrant, Revoke: true}
			}
			return d.introspect("orders", a.access())
		},
	} {
		t.Run(method, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newIntrospectionDesk(t, func(c *tokenendpoint.Config) { c.Timeout = 3 * time.Second })
				answer := d.byCode("web")
				d.records.around = func(ctx context.Context, called string, call func(context.Context) error) error {
					if called != strings.Fields(method)[0] {
						return call(ctx)
					}
					select {
					case <-ctx.Done():
						return ctx.Err()
					case <-time.After(time.Hour): // so that a test that fails ends
						return context.DeadlineExceeded
					}
				}
				start := time.Now()
				d.unavailable(asks(d, answer), "store_unavailable")
				d.equal("the time", time.Since(start), 3*time.Second)
			})
		})
	}
}

// 7662-2.1-02, 7662-2.3-01, 7009-2.1-02: who does not authenticate is refused before
// anything is looked up, be the token known or not.
func TestABadCallerIsRefusedBeforeATokenIsLookedUp(t *testing.T) {
	bothFormats(t, func(t *testing.T, d *introspectionDesk) {
		answer := d.byCode("app")
		for _, token := range []string{answer.access(), answer.refresh(), "garbage"} {
			for _, path := range []string{introspectURL, revokeURL} {
				for name, parameters := range map[string][]string{
					"a wrong secret": {"client_secret", "wrong-sesame"}, "an unknown client": {"client_id", "stranger"}, "no client": {"client_id", ""},
					"an assertion of nobody": {"client_secret", "", "client_assertion_type", assertionType, "client_assertion", "a.b.c"},
				} {
					d.run(name+" at "+path, func() {
						refused := d.look(d.t.Context(), path, "orders", token, parameters...)
						if refused.status != 401 || refused.members["error"] != "invalid_client" || refused.header.Get("WWW-Authenticate") == "" {
							d.t.Errorf("answered %d %v %s", refused.status, refused.header, refused.body)
						}
						delete(refused.calls, "Client orders")
						delete(refused.calls, "Client stranger")
						if len(refused.calls) > 0 || refused.event.TokenID != "" || refused.event.GrantID != "" {
							d.t.Errorf("the stores were asked %v, and the event is %+v", refused.calls, refused.event)
						}
					})
				}
			}
			d.run("a public client is told nothing, by its client_id alone", func() {
				refused := d.introspect("app", token)
				d.refusedWith(refused, 401, "invalid_client", "client_not_authenticated")
				if want := map[string]int{"Client app": 1}; !reflect.DeepEqual(refused.calls, want) {
					d.t.Errorf("the stores were asked %v", refused.calls)
				}
			})
		}
		d.run("a bearer token is no way to authenticate", func() {
			r := httptest.NewRequest(http.MethodPost, introspectURL, strings.NewReader(url.Values{"token": {answer.access()}}.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Authorization", "Bearer "+answer.access())
			w := httptest.NewRecorder()
			d.mux.ServeHTTP(w, r)
			if w.Code != 401 || w.Header().Get("WWW-Authenticate") == "" || strings.Contains(w.Body.String(), "active") {
				d.t.Errorf("answered %d %v %s", w.Code, w.Header(), w.Body)
			}
		})
		d.active("orders", answer.access())
	})
}
