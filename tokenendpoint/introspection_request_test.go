package tokenendpoint_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// 7662-2.1-03, 7009-2.1-04: a hint is of no consequence, be it right, wrong, unknown or
// empty.
func TestAHintChangesNothing(t *testing.T) {
	bothFormats(t, func(t *testing.T, d *introspectionDesk) {
		answer := d.byCode("web")
		for _, hint := range []string{"access_token", "refresh_token", "foo", "", strings.Repeat("x", 9000)} {
			for caller, token := range map[string]string{"orders": answer.access(), "web": answer.refresh()} {
				plain := d.introspect(caller, token)
				if hinted := d.introspect(caller, token, "token_type_hint", hint); hinted.body != plain.body || plain.members["active"] != true || hinted.event.Reason != "active" {
					t.Errorf("with the hint %.20q introspection says %s, without it %s", hint, hinted.body, plain.body)
				}
			}
			d.inactive("orders", "garbage", "unknown_handle", "token_type_hint", hint)
			d.revoked("web", "garbage", "unknown_handle", "token_type_hint", hint)

			gone := d.byCode("till")
			d.revoked("till", gone.access(), "revoked", "token_type_hint", hint)
			d.inactive("orders", gone.access(), "revoked")
			d.active("till", gone.refresh())
			d.revoked("till", gone.refresh(), "revoked", "token_type_hint", hint)
			d.inactive("till", gone.refresh(), "revoked")
		}
	})
}

// 7662-2.1-01, 7009-2.1-01, 7009-2.3-01: a POST of a form that has a token; nothing of the
// query is read, and what belongs in the body must not be there.
func TestATokenIsLookedUpByAPostOfAForm(t *testing.T) {
	for _, path := range []string{introspectURL, revokeURL} {
		d := newIntrospectionDesk(t)
		token := d.byCode("web").access()
		d.run("without a token it is refused at "+path, func() {
			d.refusedWith(d.look(d.t.Context(), path, "web", ""), 400, "invalid_request", "missing_parameter")
			d.refusedWith(d.look(d.t.Context(), path, "web", "", "token", ""), 400, "invalid_request", "missing_parameter")
		})
		d.run("one that is longer than any is refused at "+path, func() {
			d.refusedWith(d.look(d.t.Context(), path, "web", strings.Repeat("x", 51<<10)), 400, "invalid_request", "parameter_too_long")
		})
		form := url.Values{"client_id": {"web"}, "client_secret": {redeemSecret}, "token": {token}}.Encode()
		send := func(method, query, body string) *httptest.ResponseRecorder {
			r := httptest.NewRequest(method, path+query, strings.NewReader(body))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := httptest.NewRecorder()
			d.mux.ServeHTTP(w, r)
			return w
		}
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete} {
			d.run(method+" is refused at "+path, func() {
				w := send(method, "?"+form+"&callback=grab", "")
				if w.Code != 405 || w.Header().Get("Allow") != "POST" || strings.Contains(w.Body.String(), "grab") || strings.Contains(w.Body.String(), "active") {
					d.t.Errorf("answered %d %v %s", w.Code, w.Header(), w.Body)
				}
			})
		}
		d.run("a token in the query is refused at "+path, func() {
			if w := send(http.MethodPost, "?token="+url.QueryEscape(token), form); w.Code != 400 || !strings.Contains(w.Body.String(), `"invalid_request"`) {
				d.t.Errorf("answered %d %s", w.Code, w.Body)
			}
		})
		d.run("two tokens are refused at "+path, func() {
			if w := send(http.MethodPost, "", form+"&token=garbage"); w.Code != 400 || !strings.Contains(w.Body.String(), `"invalid_request"`) {
				d.t.Errorf("answered %d %s", w.Code, w.Body)
			}
		})
		d.active("web", token) // none of this revoked it
		d.run("a callback is ignored at "+path, func() {
			w := send(http.MethodPost, "?callback=grab", form+"&callback=grab")
			if w.Code != 200 || strings.Contains(w.Body.String(), "grab") || strings.Contains(w.Header().Get("Content-Type"), "script") {
				d.t.Errorf("answered %d %v %s", w.Code, w.Header(), w.Body)
			}
		})
	}
}

// 7662-4-04, 7009-5-01: whoever guesses secrets is held up there as at the token endpoint,
// and by the same count.
func TestGuessingIsThrottledWhereTokensAreLookedUp(t *testing.T) {
	for _, path := range []string{introspectURL, revokeURL} {
		t.Run(path, func(t *testing.T) {
			d := newIntrospectionDesk(t, func(c *tokenendpoint.Config) { c.Throttle = &tokenendpoint.MemoryThrottle{Limit: 3, Now: c.Now} })
			token := d.byCode("web").access()
			for range 3 {
				d.refusedWith(d.look(t.Context(), path, "web", token, "client_secret", "wrong-sesame"), 401, "invalid_client", "secret_mismatch")
			}
			blocked := d.look(t.Context(), path, "web", token)
			d.refusedWith(blocked, 429, "temporarily_unavailable", "throttled")
			if blocked.calls["Find"]+blocked.calls["FamilyLive"] != 0 || blocked.header.Get("Retry-After") == "" {
				t.Errorf("%v %v", blocked.calls, blocked.header)
			}
			if d.send("web", deskForm("client_credentials", nil)).status != 429 {
				t.Error("the token endpoint has a count of its own")
			}
			d.clock.Advance(time.Minute)
			d.active("web", token)
		})
	}
}

// RFC 7662 section 2.1: any method by which a client proves who it is, each assertion once.
func TestACallerMayAuthenticateByAnAssertion(t *testing.T) {
	d := newIntrospectionDesk(t)
	d.clients.Put(store.Client{
		Metadata:           store.Metadata{ID: "signing-api", TokenEndpointAuthMethod: store.PrivateKeyJWT, JWKS: []byte(assertionBy("signing-api", tokenendpoint.ES256).jwks())},
		ProtectedResources: []string{ordersAPI},
	})
	token := d.byCode("web").access()
	assertion := assertionBy("signing-api", tokenendpoint.ES256).token()
	by := []string{"client_secret", "", "client_assertion_type", assertionType, "client_assertion", assertion}
	if said := d.active("signing-api", token, by...); said["client_id"] != "web" {
		t.Errorf("%v", said)
	}
	d.refusedWith(d.introspect("signing-api", token, by...), 401, "invalid_client", "replayed")
}
