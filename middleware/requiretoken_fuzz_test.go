package middleware_test

import (
	"net/http"
	"strings"
	"testing"
)

// FuzzAuthorization holds that no header that was not made with the issuer's key lets a
// request in, breaks the guard, comes back in the answer or makes it malformed.
func FuzzAuthorization(f *testing.F) {
	g := newGate(f, withDPoP, withIntrospection)
	p := newProver(g)
	good := g.token(nil)
	bound := p.token()
	forged := newKeyholder(f).sign(object{"alg": "ES256", "kid": "k1", "typ": "at+jwt"}, g.claims(nil))
	for _, seed := range []string{
		"", "Bearer", "Bearer ", "Basic YTpi", "bearer opaque", "DPoP opaque", "Bearer a.b.c", "Bearer " + forged, "DPoP " + forged,
		"DPoP " + good, "Bearer " + bound, "Bearer " + good[:len(good)-2], "Bearer x, DPoP y", "Bearer \x00", "Bearer \"", "Bearer a=b", "Bearer\tx",
		"Bearer " + encodeJSON(object{"alg": "none", "typ": "at+jwt"}) + "." + encodeJSON(g.claims(nil)) + ".",
	} {
		f.Add(seed, "", false)
		f.Add(seed, p.proof(good, nil, nil), true) // for a token that is not bound
	}
	g.answer = `{"active":false}`
	f.Fuzz(func(t *testing.T, authorization, proof string, twice bool) {
		if strings.Contains(authorization, good) {
			return // whoever has it is let in
		}
		g.t = t
		fields := []string{"Authorization", authorization, "DPoP", proof}
		if twice {
			fields = append(fields, "Authorization", authorization)
		}
		g.log.Reset()
		w := g.get(fields...)
		if w.Code >= http.StatusInternalServerError || g.reached > 0 {
			t.Fatalf("got %d, and the handler %d requests", w.Code, g.reached)
		}
		_, token, _ := strings.Cut(authorization, " ")
		for _, value := range []string{token, proof} {
			told := strings.Join(w.Header().Values("WWW-Authenticate"), "") + w.Body.String()
			if len(value) > 20 && strings.Contains(told, value) {
				t.Fatalf("%q came back: %s", value, told)
			}
		}
	})
}
