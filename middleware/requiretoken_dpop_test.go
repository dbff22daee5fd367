package middleware_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// Proves 9449-4.1-01, 9449-4.2-01, 9449-4.3-02 to -09, -11 and -12, 9449-11.1-01.
func TestProofs(t *testing.T) {
	const granted = "204 granted"
	refused := func(reason string) string { return "401 invalid_dpop_proof " + reason }
	for _, c := range []struct {
		name           string
		header, claims object
		want           string
	}{
		{"a good one is taken", nil, nil, granted},
		{"query and fragment do not count", nil, object{"htu": gateURL + "?a=b#c"}, granted},
		{"URLs are normalised", nil, object{"htu": "HTTPS://API.example:443/orders/%37"}, granted},
		{"it may be ten seconds old", nil, object{"iat": gateTime.Unix() - 10}, granted},
		{"it may be from ten seconds ahead", nil, object{"iat": gateTime.Unix() + 10}, granted},
		{"a private key is refused", object{"jwk": newKeyholder(t).jwk(object{"d": "AA"})}, nil, refused("dpop_jwk")},
		{"no key is refused", object{"jwk": nil}, nil, refused("dpop_jwk")},
		{"the key of another is refused", object{"jwk": newKeyholder(t).jwk(nil)}, nil, refused("dpop_signature")},
		{"another type is refused", object{"typ": "JWT"}, nil, refused("dpop_typ")},
		{"none is refused", object{"alg": "none"}, nil, refused("dpop_alg")},
		{"HS256 is refused", object{"alg": "HS256"}, nil, refused("dpop_alg")},
		{"another method is refused", nil, object{"htm": "POST"}, refused("dpop_htm")},
		{"the method has its case", nil, object{"htm": "get"}, refused("dpop_htm")},
		{"another path is refused", nil, object{"htu": "https://api.example/orders/8"}, refused("dpop_htu")},
		{"another host is refused", nil, object{"htu": "https://evil.example/orders/7"}, refused("dpop_htu")},
		{"no jti is refused", nil, object{"jti": nil}, refused("dpop_claims")},
		{"no htm is refused", nil, object{"htm": nil}, refused("dpop_claims")},
		{"no htu is refused", nil, object{"htu": nil}, refused("dpop_claims")},
		{"no iat is refused", nil, object{"iat": nil}, refused("dpop_claims")},
		{"an old one is refused", nil, object{"iat": gateTime.Unix() - 300}, refused("dpop_too_old")},
		{"one from the future is refused", nil, object{"iat": gateTime.Unix() + 300}, refused("dpop_too_early")},
		{"exp is looked at", nil, object{"exp": gateTime.Unix() - 60}, refused("dpop_too_old")},
		{"nbf is looked at", nil, object{"nbf": gateTime.Unix() + 60}, refused("dpop_too_early")},
		{"no ath is refused", nil, object{"ath": nil}, refused("dpop_ath")},
		{"the ath of another token is refused", nil, object{"ath": base64.RawURLEncoding.EncodeToString(make([]byte, sha256.Size))}, refused("dpop_ath")},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGate(t, withDPoP)
			p := newProver(g)
			token := p.token()
			w := g.get("authorization", "dpop "+token, "dpop", p.proof(token, c.header, c.claims))
			g.expect(w, c.want)
			if used := len(g.replays.ids) == 1; used != (c.want == granted) {
				t.Error("a proof that is refused is not used up, and one that is taken is")
			}
		})
	}
}

// Proves 9449-4.3-01 and 9449-4.3-02.
func TestThereIsOneProof(t *testing.T) {
	g := newGate(t, withDPoP)
	p := newProver(g)
	token := p.token()
	proof := p.proof(token, nil, nil)
	g.expect(g.get("Authorization", "DPoP "+token, "DPoP", proof, "DPoP", p.proof(token, nil, nil)), "401 invalid_dpop_proof dpop_repeated")
	g.expect(g.get("Authorization", "DPoP "+token, "DPoP", proof+", "+proof), "401 invalid_dpop_proof dpop_malformed")
	g.expect(g.get("Authorization", "DPoP "+token, "DPoP", "garbage"), "401 invalid_dpop_proof dpop_malformed")
	g.expect(g.get("Authorization", "DPoP "+token, "DPoP", ""), "401 invalid_dpop_proof dpop_malformed")
	g.expect(g.get("Authorization", "DPoP "+token, "DPoP", strings.Repeat("a", 8<<10+1)), "401 invalid_dpop_proof dpop_too_long")
	g.expect(g.get("Authorization", "DPoP "+token, "DPoP", proof), "204 granted")
}

// Proves 9449-11.1-02.
func TestAProofIsUsedOnce(t *testing.T) {
	g := newGate(t, withDPoP)
	p := newProver(g)
	token := p.token()
	proof := p.proof(token, nil, object{"iat": gateTime.Unix() + 5})
	g.expect(g.get("Authorization", "DPoP "+token, "DPoP", proof), "204 granted")
	g.expect(g.get("Authorization", "DPoP "+token, "DPoP", proof), "401 invalid_dpop_proof dpop_replayed")
	// It is good for 65 seconds more, and a minute longer by another clock.
	if want := []time.Duration{125 * time.Second, 125 * time.Second}; !slices.Equal(g.replays.lifetimes, want) {
		t.Errorf("remembered for %v, want %v", g.replays.lifetimes, want)
	}
	for id := range g.replays.ids {
		if !regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`).MatchString(id) {
			t.Errorf("the store cannot keep the id %q", id)
		}
	}
}

// Two keys that choose one jti are not in each other's way, nor are two APIs with one store.
func TestTheIDsOfProofsAreApart(t *testing.T) {
	g := newGate(t, withDPoP)
	same := object{"jti": "same"}
	p := newProver(g)
	for range 2 {
		p = newProver(g)
		token := p.token()
		g.expect(g.get("Authorization", "DPoP "+token, "DPoP", p.proof(token, nil, same)), "204 granted")
	}
	second := newGate(t, func(s *gate) {
		s.guard.Resource, s.guard.Replays = "https://api.example/invoices", g.replays
	})
	p.gate = second
	token := second.token(object{"aud": "https://api.example/invoices", "cnf": object{"jkt": p.jkt()}})
	second.expect(second.get("Authorization", "DPoP "+token, "DPoP", p.proof(token, nil, same)), "204 granted")
}

// Nothing is used up before all else is found good.
func TestAProofIsUsedUpLast(t *testing.T) {
	g := newGate(t, withDPoP, func(g *gate) { g.guard.Scopes = []string{"admin"} })
	p := newProver(g)
	token := p.token()
	g.expect(g.get("Authorization", "DPoP "+token, "DPoP", p.proof(token, nil, nil)), "403 insufficient_scope insufficient_scope")
	if len(g.replays.ids) > 0 {
		t.Error("a proof was used up for a token that lacks a scope")
	}
}

// Proves 9449-4.3-10.
func TestTheURLIsAsConfigured(t *testing.T) {
	for _, c := range []struct {
		name            string
		base, path, htu string
		want            string
	}{
		{"without BaseURL it has the host of Resource", "", "/orders/7", "https://api.example/orders/7", "204 granted"},
		{"it has the path of BaseURL", "https://gateway.example/v1/", "/orders/7", "https://gateway.example/v1/orders/7", "204 granted"},
		{"then that of Resource is another", "https://gateway.example/v1", "/orders/7", "https://api.example/orders/7", "401 invalid_dpop_proof dpop_htu"},
		{"what headers say does not count", "", "/orders/7", "https://spoofed.example/orders/7", "401 invalid_dpop_proof dpop_htu"},
		{"escapes stay as they are", "", "/orders/a%2Fb", "https://api.example/orders/a%2Fb", "204 granted"},
		{"so that another path is another", "", "/orders/a%2Fb", "https://api.example/orders/a/b", "401 invalid_dpop_proof dpop_htu"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGate(t, withDPoP, func(g *gate) { g.guard.BaseURL = c.base })
			p := newProver(g)
			token := p.token()
			r := gateRequest("http://spoofed.example"+c.path, "Authorization", "DPoP "+token, "DPoP", p.proof(token, nil, object{"htu": c.htu}),
				"X-Forwarded-Host", "spoofed.example", "X-Forwarded-Proto", "https", "Forwarded", "host=spoofed.example;proto=https")
			g.expect(g.send(r), c.want)
		})
	}
}

// Proves 9449-8-01, 9449-8-02, 9449-8.1-01, 9449-8.2-01 and 9449-11.3-01, in front of an API.
func TestNonces(t *testing.T) {
	g := newGate(t, withDPoP, func(g *gate) { g.guard.DPoPNonce = true })
	p := newProver(g)
	token := p.token()
	ask := func(nonce any) http.Header {
		w := g.get("Authorization", "DPoP "+token, "DPoP", p.proof(token, nil, object{"nonce": nonce}))
		want := "401 use_dpop_nonce dpop_nonce"
		if w.Code == http.StatusNoContent {
			want = "204 granted"
		}
		g.expect(w, want)
		return w.Header().Clone()
	}
	nonce := ask(nil).Get("DPoP-Nonce")
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`).MatchString(nonce) || len(g.replays.ids) > 0 {
		t.Errorf("the nonce is %q, and %d proofs were used up", nonce, len(g.replays.ids))
	}
	if got := ask("made up").Get("DPoP-Nonce"); got != nonce || g.reached > 0 {
		t.Errorf("a nonce that was made up got %q, and the handler %d requests", got, g.reached)
	}
	if header := ask(nonce); header.Get("DPoP-Nonce") != "" || header.Get("Cache-Control") != "" || g.reached != 1 {
		t.Errorf("a new nonce got %v", header)
	}
	g.pass(5 * time.Minute)
	token = g.token(object{"exp": g.now().Unix() + 60, "cnf": object{"jkt": p.jkt()}})
	header := ask(nonce)
	if fresh := header.Get("DPoP-Nonce"); fresh == "" || fresh == nonce || header.Get("Cache-Control") != "no-store" || g.reached != 2 {
		t.Errorf("an old nonce got %v", header)
	}
	g.pass(5 * time.Minute)
	token = g.token(object{"exp": g.now().Unix() + 60, "cnf": object{"jkt": p.jkt()}})
	if ask(nonce); g.reached != 2 {
		t.Error("a nonce was taken two periods later")
	}
}

func TestProcessesWithOneKeyTakeEachOthersNonces(t *testing.T) {
	key := []byte("0123456789abcdef0123456789abcdef")
	first := newGate(t, withDPoP, func(g *gate) { g.guard.DPoPNonce, g.guard.DPoPNonceKey = true, key })
	second := newGate(t, withDPoP, func(g *gate) { g.guard.DPoPNonce, g.guard.DPoPNonceKey = true, key })
	p := newProver(first)
	token := p.token()
	nonce := first.get("Authorization", "DPoP "+token, "DPoP", p.proof(token, nil, nil)).Header().Get("DPoP-Nonce")
	p.gate = second
	token = p.token()
	second.expect(second.get("Authorization", "DPoP "+token, "DPoP", p.proof(token, nil, object{"nonce": nonce})), "204 granted")
}
