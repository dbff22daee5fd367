package middleware_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/middleware"
)

func TestTheObserverIsToldOfEachRequest(t *testing.T) {
	g := newGate(t, observed, withDPoP)
	g.get()
	g.bearer(g.token(nil))
	g.bearer(g.token(object{"aud": "https://other.example", "sub": "bob", "jti": "t2"}))
	g.bearer(newKeyholder(t).sign(object{"alg": "ES256", "kid": "k1", "typ": "at+jwt"}, g.claims(object{"sub": "mallory"})))
	want := []middleware.Access{
		{Status: http.StatusUnauthorized, Reason: middleware.AccessTokenAbsent},
		{Reason: middleware.AccessGranted, Issuer: gateIssuer, Audience: []string{gateResource}, Subject: "alice", ClientID: "app", TokenID: "t1", GrantID: "f1"},
		{Status: http.StatusUnauthorized, Reason: middleware.AccessTokenAudience, Issuer: gateIssuer, Audience: []string{"https://other.example"}, Subject: "bob", ClientID: "app", TokenID: "t2", GrantID: "f1"},
		{Status: http.StatusUnauthorized, Reason: middleware.AccessTokenSignature},
	}
	if len(g.events) != len(want) {
		t.Fatalf("got %+v", g.events)
	}
	for i, event := range g.events {
		if !event.Time.Equal(gateTime) || event.Duration < 0 || event.Duration > time.Hour {
			t.Errorf("event %d is of %v and took %v", i, event.Time, event.Duration)
		}
		event.Time, event.Duration = time.Time{}, 0
		want[i].Resource, want[i].RemoteAddr = gateResource, netip.MustParseAddr("192.0.2.1")
		if !reflect.DeepEqual(event, want[i]) {
			t.Errorf("event %d is\n%+v, want\n%+v", i, event, want[i])
		}
	}
}

// What is configured is in the log where it may be what is wrong.
func TestTheLogSaysWhatWasWanted(t *testing.T) {
	g := newGate(t, func(g *gate) {
		g.guard.Scopes = []string{"orders.read"}
		g.guard.RemoteAddr = func(*http.Request) netip.Addr { return netip.MustParseAddr("198.51.100.7") }
	})
	mux := http.NewServeMux()
	mux.Handle("GET /orders/{id}", g.guard.Handler(middleware.RequireScopes("orders.wirte")(http.NotFoundHandler())))
	for _, c := range []struct{ token, want string }{
		{g.token(nil), `needed="[orders.read orders.wirte]"`},
		{g.token(object{"aud": "https://api.example/order"}), `iss=https://shop.example aud=[https://api.example/order]`},
		{g.token(object{"iss": "https://shop.example/"}), `iss=https://shop.example/ aud=[https://api.example/orders]`},
	} {
		g.log.Reset()
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, gateRequest(gateURL, "Authorization", "Bearer "+c.token))
		if log := g.log.String(); w.Code < 401 || w.Code > 403 || !strings.Contains(log, c.want) || !strings.Contains(log, `resource=https://api.example/orders pattern="GET /orders/{id}" remote_addr=198.51.100.7`) {
			t.Errorf("status %d, want %s in %s", w.Code, c.want, log)
		}
	}
}

func TestTheLevelsOfTheLog(t *testing.T) {
	g := newGate(t, withIntrospection)
	for _, c := range []struct{ token, level, message string }{
		{g.token(nil), "DEBUG", "access granted"},
		{g.token(object{"exp": 1}), "INFO", "access refused"},
		{"opaque", "ERROR", "access could not be judged"},
	} {
		g.askError = errors.New("out")
		g.bearer(c.token)
		if log := g.log.String(); !strings.Contains(log, "level="+c.level+` msg="`+c.message+`"`) || strings.Count(log, "\n") != 1 {
			t.Errorf("want %s %q, got %s", c.level, c.message, log)
		}
		g.log.Reset()
	}
}

// What a caller sends is in no answer, log or event, whatever becomes of it, unless the
// issuer said it.
func TestNothingOfTheCallerIsTold(t *testing.T) {
	const canary = "c4n4ry"
	for _, verdict := range []string{"", `{"active":false}`, `{"active":"` + canary + `"}`, `{"active":true,"sub":1,"aud":"` + canary + `"}`, `{`} {
		g := newGate(t, withDPoP, withIntrospection, func(g *gate) { g.guard.DPoPNonce = true })
		g.answer = verdict
		if verdict == "" {
			g.guard.Introspect = nil
		}
		p := newProver(g)
		bound := g.token(object{"cnf": object{"jkt": p.jkt()}})
		nonce := g.get("Authorization", "DPoP "+bound, "DPoP", p.proof(bound, nil, nil)).Header().Get("DPoP-Nonce")
		g.log.Reset()
		header := object{"alg": "ES256", "kid": "k1", "typ": "at+jwt"}
		tokens := []string{
			canary, canary + ".a.b", canary + ".b.c.d.e", `"` + canary + `"`, bound,
			newKeyholder(t).sign(header.with(object{"kid": canary}), g.claims(object{"sub": canary})),
			g.issuer.sign(header.with(object{"typ": canary}), g.claims(nil)),
			g.issuer.sign(header.with(object{"alg": canary}), g.claims(nil)),
			g.issuer.sign(header.with(object{"crit": canary}), g.claims(nil)),
			g.issuer.sign(header, g.claims(object{"exp": canary})),
			g.issuer.sign(header, g.claims(object{"exp": 1, "jti": 1, "sub": canary})),
			g.issuer.sign(header, g.claims(object{"cnf": object{canary: canary}})),
		}
		proofs := []string{canary, p.proof(bound, object{"alg": canary}, nil), p.proof(bound, object{"typ": canary}, nil)}
		for _, claim := range []string{"jti", "htm", "htu", "ath", "nonce", "iat"} {
			proofs = append(proofs, p.proof(bound, nil, object{"nonce": nonce, claim: canary}))
		}
		for _, token := range tokens {
			for _, proof := range proofs {
				for _, scheme := range []string{"Bearer", "DPoP", canary} {
					r := gateRequest(gateURL+"?"+canary+"="+canary, "Authorization", scheme+" "+token, "DPoP", proof, "Client-Cert", canary)
					w := g.send(r)
					told := fmt.Sprint(w.Header(), w.Body, g.log.String())
					g.log.Reset()
					parts := append(strings.Split(proof, "."), canary)
					if len(token) > 10 {
						parts = append(parts, token)
					}
					for _, secret := range parts {
						if len(secret) >= len(canary) && strings.Contains(told, secret) && !strings.Contains(w.Header().Get("DPoP-Nonce"), secret) {
							t.Fatalf("%q was told: %s", secret, told)
						}
					}
				}
			}
		}
	}
}

func TestEventsHaveNoCredential(t *testing.T) {
	g := newGate(t, observed, withDPoP)
	p := newProver(g)
	token := p.token()
	proof := p.proof(token, nil, nil)
	for range 2 {
		g.get("Authorization", "DPoP "+token, "DPoP", proof)
	}
	told, err := json.Marshal(g.events)
	if err != nil || len(g.events) != 2 || g.events[1].Reason != middleware.AccessDPoPReplayed {
		t.Fatalf("got %v %s", err, told)
	}
	for _, secret := range append(strings.Split(token, "."), strings.Split(proof, ".")...) {
		if strings.Contains(string(told), secret) {
			t.Errorf("%q is in %s", secret, told)
		}
	}
}
