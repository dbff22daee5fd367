package middleware_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/middleware"
)

// Proves 9728-3-01.
func TestTheMetadataOfTheResource(t *testing.T) {
	const start = `{"resource":"https://api.example/orders","authorization_servers":["https://shop.example"]`
	const header = `"bearer_methods_supported":["header"]`
	const algs = `"dpop_signing_alg_values_supported":["ES256","ES384","PS256","RS256","EdDSA","Ed25519"]`
	cert, _ := certificate(t)
	for _, c := range []struct {
		name string
		set  func(*gate)
		want string
	}{
		{"what has no value is left out", func(*gate) {}, start + `,` + header + `}`},
		{"the scopes are those that are named", func(g *gate) { g.guard.Scopes, g.guard.ScopesSupported = []string{"a"}, []string{"a", "b"} },
			start + `,"scopes_supported":["a","b"],` + header + `}`},
		{"or those that every token needs", func(g *gate) { g.guard.Scopes = []string{"a"} }, start + `,"scopes_supported":["a"],` + header + `}`},
		{"DPoP is named", withDPoP, start + `,` + header + `,` + algs + `}`},
		{"DPoP that is required is", func(g *gate) { withDPoP(g); g.guard.RequireBound = true },
			start + `,` + header + `,` + algs + `,"dpop_bound_access_tokens_required":true}`},
		{"certificates are, and then DPoP is not required", func(g *gate) {
			withDPoP(g)
			g.guard.RequireBound = true
			withCertificate(cert, nil)(g)
		}, start + `,` + header + `,"tls_client_certificate_bound_access_tokens":true,` + algs + `}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGate(t, c.set)
			mux := http.NewServeMux()
			g.guard.Mount(mux)
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, gateRequest(gateMetadata))
			if w.Code != http.StatusOK || w.Body.String() != c.want {
				t.Errorf("%d\ngot  %s\nwant %s", w.Code, w.Body, c.want)
			}
			if h := w.Header(); h.Get("Content-Type") != "application/json" || h.Get("Cache-Control") != "public, max-age=3600" || h.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("got %v", h)
			}
		})
	}
}

// Proves 9728-3-01 and 9728-5.1-01: challenges point to where the metadata is.
func TestWhereTheMetadataIs(t *testing.T) {
	for resource, want := range map[string]string{
		"https://api.example":              "https://api.example/.well-known/oauth-protected-resource",
		"https://api.example/":             "https://api.example/.well-known/oauth-protected-resource",
		"https://api.example:8443/v1":      "https://api.example:8443/.well-known/oauth-protected-resource/v1",
		"https://api.example/v1/":          "https://api.example/.well-known/oauth-protected-resource/v1/",
		"https://api.example/a%7Bb%7D":     "https://api.example/.well-known/oauth-protected-resource/a%7Bb%7D",
		"https://api.example/?tenant=1":    "https://api.example/.well-known/oauth-protected-resource?tenant=1",
		"https://api.example/v1?tenant=1":  "https://api.example/.well-known/oauth-protected-resource/v1?tenant=1",
		"http://127.0.0.1:8080/orders/all": "http://127.0.0.1:8080/.well-known/oauth-protected-resource/orders/all",
	} {
		t.Run(resource, func(t *testing.T) {
			g := newGate(t, func(g *gate) { g.guard.Resource = resource })
			if got := challenges(t, g.get())["Bearer"]["resource_metadata"]; got != want {
				t.Errorf("the challenge points to %s", got)
			}
			mux := http.NewServeMux()
			g.guard.Mount(mux)
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, gateRequest(want))
			if w.Code != http.StatusOK || !strings.HasPrefix(w.Body.String(), `{"resource":"`+resource+`",`) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			w = httptest.NewRecorder()
			mux.ServeHTTP(w, gateRequest("https://api.example/.well-known/oauth-protected-resource/v1/other"))
			if w.Code != http.StatusNotFound {
				t.Errorf("another path got %d", w.Code)
			}
		})
	}
}

func TestTheMethodsOfTheMetadata(t *testing.T) {
	g := newGate(t)
	mux := http.NewServeMux()
	g.guard.Mount(mux)
	for method, want := range map[string]int{"GET": 200, "HEAD": 200, "OPTIONS": 204, "POST": 405, "DELETE": 405} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(method, gateMetadata, nil))
		if w.Code != want || w.Header().Get("Access-Control-Allow-Origin") != "*" || want == 405 && w.Header().Get("Allow") != "GET, HEAD, OPTIONS" {
			t.Errorf("%s got %d %v", method, w.Code, w.Header())
		}
	}
}

type noMux struct{ t *testing.T }

func (m noMux) Handle(pattern string, _ http.Handler) { m.t.Errorf("%s was mounted", pattern) }

func TestNothingIsMounted(t *testing.T) {
	(&middleware.RequireToken{Issuer: gateIssuer, Resource: "urn:example:orders"}).Mount(noMux{t})
	newGate(t, func(g *gate) { g.guard.Leeway = -1 }).guard.Mount(noMux{t})
}
