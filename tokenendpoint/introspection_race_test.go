package tokenendpoint_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"unicode/utf8"

	"github.com/grantor-go/grantor/tokenendpoint"
)

// ask sends a token from any goroutine.
func (d *introspectionDesk) ask(path, caller, token string) (status int, body string) {
	form := url.Values{"client_id": {caller}, "client_secret": {redeemSecret}, "token": {token}}
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	d.mux.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// 7009-2.1-05: once somebody was told that a token is revoked, nobody who asks afterwards
// is told that it is active, however many ask and revoke at once.
func TestNoTokenIsActiveAfterItsRevocationWasAnswered(t *testing.T) {
	bothFormats(t, func(t *testing.T, d *introspectionDesk) {
		for range 20 {
			answer := d.byCode("web")
			own := d.tokens("web", "client_credentials", "scope", "orders.read").access()
			whole := d.byCode("web")
			for name, tokens := range map[string][2]string{
				"an access token": {answer.access(), answer.access()}, "a refresh token": {whole.refresh(), whole.access()}, "the token of a client": {own, own},
			} {
				revoked, checked := tokens[0], tokens[1]
				var isRevoked atomic.Bool
				var done sync.WaitGroup
				for range 4 {
					done.Go(func() {
						if status, body := d.ask(revokeURL, "web", revoked); status != 200 || body != "" {
							t.Errorf("%s: the revocation was answered %d %s", name, status, body)
						}
						isRevoked.Store(true)
					})
					done.Go(func() {
						for range 5 {
							was := isRevoked.Load()
							status, body := d.ask(introspectURL, "orders", checked)
							isActive := strings.HasPrefix(body, `{"active":true,`)
							if status != 200 || !isActive && body != tokenIsInactive || isActive && was {
								t.Errorf("%s: introspection says %d %s, and it was revoked before: %v", name, status, body, was)
							}
						}
					})
				}
				done.Wait()
				d.inactive("orders", checked, "revoked")
			}
		}
	})
}

// isFuzzedText reports whether a form may hold it.
func isFuzzedText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7f })
}

// FuzzIntrospect sends what a stranger makes up in the place of a token, also pieces of real
// ones: nothing is an outage, nothing is active that was not issued, and what was issued
// stays so (7662-2.3-01, 7009-2.2-01).
func FuzzIntrospect(f *testing.F) {
	for _, token := range []string{
		"x", "a", "r", "{jwt}", "{opaque}", "{refresh}", "{code}", "{id}", "{jwt}.", ".{jwt}", "{jwt}A", " {opaque}", "{opaque}\n", "{refresh}=", "a{refresh}", "r{opaque}",
		"{opaque}{opaque}", "a" + strings.Repeat("A", 64), "r" + strings.Repeat("_", 64), "e30.e30.e30", "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{jwt}", "..", "\x00", "\u00e9", "%7B",
		"eyJhbGciOiJFUzI1NiIsImtpZCI6ImsxIiwidHlwIjoiYXQrand0In0.e30.", strings.Repeat("A", 17<<10), strings.Repeat("e30.", 4000),
	} {
		f.Add(token, "", uint16(0))
		f.Add(token, "access_token", uint16(17))
	}
	f.Add("{refresh}", "\x96\x11", uint16(0))
	f.Fuzz(func(t *testing.T, token, hint string, flip uint16) {
		d := newIntrospectionDesk(t).opaque("till")
		jwt, opaque := d.byCode("web"), d.byCode("till")
		real := map[string]string{jwt.access(): "web", opaque.access(): "till", jwt.refresh(): "web", opaque.refresh(): "till"}
		token = strings.NewReplacer("{jwt}", jwt.access(), "{opaque}", opaque.access(), "{refresh}", jwt.refresh(), "{code}", d.code("web"), "{id}", jwt.text("id_token")).Replace(token)
		if bits := int(flip); bits > 0 && len(token) > 0 {
			altered := []byte(token)
			altered[bits%len(altered)] ^= 1 << (bits % 7)
			token = string(altered)
		}
		for _, caller := range []string{"web", "till", "orders", "stock"} {
			answer := d.introspect(caller, token, "token_type_hint", hint)
			if answer.event.Reason == tokenendpoint.ReasonMalformedForm && !(isFuzzedText(token) && isFuzzedText(hint)) {
				continue
			}
			isOwn := real[token] == caller && token != ""
			isForAPI := caller == "orders" && (token == jwt.access() || token == opaque.access())
			if answer.status >= 500 || (answer.members["active"] == true) != (isOwn || isForAPI) || answer.status == 200 && answer.members["active"] != true && answer.body != tokenIsInactive {
				t.Errorf("%s was answered %d %s for %q: %v", caller, answer.status, answer.body, token, answer.event.Err)
			}
		}
		body, err := d.endpoint.Introspect(t.Context(), token)
		if isAccess := token == jwt.access() || token == opaque.access(); err != nil || isAccess == (string(body) == tokenIsInactive) {
			t.Errorf("Introspect says %s, %v of %q", body, err, token)
		}
		if _, isReal := real[token]; isReal {
			return
		}
		for _, caller := range []string{"web", "till", "app"} {
			if answer := d.revoke(caller, token, "token_type_hint", hint); answer.status >= 500 || answer.status == 200 && answer.event.Reason != tokenendpoint.ReasonUnknownHandle {
				t.Errorf("the revocation of %q was answered %d %s for %q", token, answer.status, answer.body, answer.event.Reason)
			}
		}
		for token, caller := range real {
			d.active(caller, token)
		}
	})
}
