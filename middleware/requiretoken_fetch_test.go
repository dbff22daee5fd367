package middleware_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"
)

// The keys are fetched if nobody gives them: from the jwks_uri of the issuer's metadata
// (RFC 8414), and then kept.
func TestTheKeysOfTheIssuerAreFetched(t *testing.T) {
	var g *gate
	fetched := map[string]int{}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	defer server.Close()
	serve := func(path string, document func() object) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			fetched[path]++
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(document())
		})
	}
	serve("/.well-known/oauth-authorization-server", func() object {
		return object{"issuer": server.URL, "jwks_uri": server.URL + "/keys"}
	})
	serve("/keys", func() object { return object{"keys": g.keySet} })
	g = newGate(t, func(g *gate) {
		g.guard.JWKS, g.guard.Issuer = nil, server.URL
		g.guard.InsecureNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	for range 3 {
		g.expect(g.bearer(g.token(object{"iss": server.URL})), "204 granted")
	}
	g.expect(g.bearer(g.token(nil)), "401 invalid_token token_issuer")
	if fetched["/.well-known/oauth-authorization-server"] != 1 || fetched["/keys"] != 1 {
		t.Errorf("fetched %v", fetched)
	}
}

// A key that is not known is sought, but not for every token that says so.
func TestANewKeyOfTheIssuerIsFound(t *testing.T) {
	g := newGate(t)
	next := newKeyholder(t)
	token := next.sign(object{"alg": "ES256", "kid": "k2", "typ": "at+jwt"}, g.claims(nil))
	g.expect(g.bearer(g.token(nil)), "204 granted")
	g.expect(g.bearer(token), "401 invalid_token token_signature")
	g.keySet = append(g.keySet, next.jwk(object{"kid": "k2", "alg": "ES256"}))
	g.expect(g.bearer(token), "401 invalid_token token_signature")
	g.pass(10 * time.Second)
	g.expect(g.bearer(token), "204 granted")
}
