package middleware_test

import (
	"context"
	"crypto/x509"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/middleware"
)

// What is left of a path need not begin with a slash, and must not lengthen the host.
func TestStripPrefixLeavesTheHostAlone(t *testing.T) {
	for _, c := range []struct{ name, base, path, htu, want string }{
		{"the path is below the host", "", "/v1/orders", "https://api.example/orders", "204 granted"},
		{"and below the path of BaseURL", "https://api.example/v1/", "/v1/orders", "https://api.example/v1/orders", "204 granted"},
		{"another host is another", "", "/v1/.evil.example/x", "https://api.example.evil.example/x", "401 invalid_dpop_proof dpop_htu"},
		{"another path is another", "https://api.example/v1", "/v1/orders", "https://api.example/v1orders", "401 invalid_dpop_proof dpop_htu"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGate(t, withDPoP, func(g *gate) { g.guard.BaseURL = c.base })
			g.handler = http.StripPrefix("/v1/", g.handler)
			p := newProver(g)
			token := p.token()
			g.expect(g.send(gateRequest("https://api.example"+c.path, "Authorization", "DPoP "+token, "DPoP", p.proof(token, nil, object{"htu": c.htu}))), c.want)
		})
	}
}

// A function of the host that panics refuses the request, and says so in the log alone.
func TestPanicsOfTheHost(t *testing.T) {
	const panicked = "500 server_error panic"
	for name, c := range map[string]struct {
		set    func(*gate)
		bearer func(*gate) string
		want   string
	}{
		"Introspect": {func(g *gate) {
			g.guard.Introspect = func(context.Context, string) ([]byte, error) { panic("canary of Introspect") }
		}, func(*gate) string { return "opaque" }, panicked},
		"ClientCertificate": {func(g *gate) {
			g.guard.ClientCertificate = func(*http.Request) (*x509.Certificate, bool, error) { panic("canary of ClientCertificate") }
		}, func(g *gate) string { return g.token(object{"cnf": object{"x5t#S256": "x"}}) }, panicked},
		"JWKS": {func(g *gate) {
			g.guard.JWKS = func(context.Context) ([]byte, error) { panic("canary of JWKS") }
		}, func(g *gate) string { return g.token(nil) }, "503 temporarily_unavailable issuer_unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGate(t, c.set)
			w := g.bearer(c.bearer(g))
			if log := g.log.String(); !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "canary of "+name) || strings.Contains(w.Body.String(), "canary") {
				t.Errorf("the log is %s, and the answer %s", log, w.Body)
			}
			g.expect(w, c.want)
		})
	}
	for name, set := range map[string]func(*gate){
		"Observe": func(g *gate) {
			g.guard.Observe = func(context.Context, middleware.Access) { panic("canary of Observe") }
		},
		"RemoteAddr": func(g *gate) { g.guard.RemoteAddr = func(*http.Request) netip.Addr { panic("canary of RemoteAddr") } },
	} {
		t.Run(name+", whose panic changes no verdict", func(t *testing.T) {
			g := newGate(t, set)
			if w := g.bearer(g.token(nil)); w.Code != http.StatusNoContent {
				t.Errorf("status %d", w.Code)
			}
			if w := g.get(); w.Code != http.StatusUnauthorized {
				t.Errorf("status %d", w.Code)
			}
			if log := g.log.String(); strings.Count(log, "canary of "+name) != 2 {
				t.Errorf("the log is %s", log)
			}
		})
	}
}
