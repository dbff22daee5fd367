package middleware_test

import (
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grantor-go/grantor/middleware"
)

func TestCheck(t *testing.T) {
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	cert := func(*http.Request) (*x509.Certificate, bool, error) { return nil, false, nil }
	for _, c := range []struct {
		name string
		set  func(*middleware.RequireToken)
		want string // a part of the error; empty if all is well
	}{
		{"a guard of issuer and resource alone", func(*middleware.RequireToken) {}, ""},
		{"no issuer", func(g *middleware.RequireToken) { g.Issuer = "" }, "Issuer is empty"},
		{"an issuer that is http", func(g *middleware.RequireToken) { g.Issuer = "http://shop.example" }, `Issuer "http://shop.example" is not https`},
		{"an issuer on a loopback host, which may not be asked", func(g *middleware.RequireToken) { g.Issuer = "http://127.0.0.1:8080" }, "InsecureNetworks"},
		{"an issuer on a loopback host whose network is named", func(g *middleware.RequireToken) { g.Issuer, g.InsecureNetworks = "http://127.0.0.1:8080", loopback }, ""},
		{"an issuer on a loopback host that need not be asked", func(g *middleware.RequireToken) { g.Issuer, g.JWKS = "http://localhost:8080", newGate(t).guard.JWKS }, ""},
		{"an issuer in a private network", func(g *middleware.RequireToken) { g.Issuer = "https://10.0.0.7" }, "InsecureNetworks"},
		{"an issuer with a query", func(g *middleware.RequireToken) { g.Issuer += "/?a" }, "Issuer"},
		{"an issuer with a fragment", func(g *middleware.RequireToken) { g.Issuer += "#" }, "Issuer"},
		{"an issuer with a user", func(g *middleware.RequireToken) { g.Issuer = "https://a@shop.example" }, "Issuer"},
		{"an issuer without a host", func(g *middleware.RequireToken) { g.Issuer = "https:///a" }, "Issuer"},
		{"no resource", func(g *middleware.RequireToken) { g.Resource = "" }, "Resource is empty"},
		{"a resource that is no URI", func(g *middleware.RequireToken) { g.Resource = "orders" }, `Resource "orders"`},
		{"a resource with a fragment", func(g *middleware.RequireToken) { g.Resource += "#a" }, "Resource"},
		{"a URN with a fragment", func(g *middleware.RequireToken) { g.Resource = "urn:example:orders#a" }, "Resource"},
		{"a resource with a user", func(g *middleware.RequireToken) { g.Resource = "https://a@api.example" }, "Resource"},
		{"a resource that breaks a quote", func(g *middleware.RequireToken) { g.Resource = `urn:a"b` }, "Resource"},
		{"a resource with a new line", func(g *middleware.RequireToken) { g.Resource = "urn:a\nb" }, "Resource"},
		{"a resource without a host", func(g *middleware.RequireToken) { g.Resource = "https:orders" }, "Resource"},
		{"a resource that is a URN", func(g *middleware.RequireToken) { g.Resource = "urn:example:orders" }, ""},
		{"a resource that is a URN, with DPoP", func(g *middleware.RequireToken) { g.Resource, g.Replays = "urn:example:orders", &replays{} }, "BaseURL is empty"},
		{"a resource that is a URN, with DPoP and a base,", func(g *middleware.RequireToken) {
			g.Resource, g.Replays, g.BaseURL = "urn:example:orders", &replays{}, "https://api.example/v1/"
		}, ""},
		{"a base that is no URL", func(g *middleware.RequireToken) { g.BaseURL = "api.example" }, `BaseURL "api.example"`},
		{"a base with a query", func(g *middleware.RequireToken) { g.BaseURL = "https://api.example/?a=b" }, "BaseURL"},
		{"a base with a fragment", func(g *middleware.RequireToken) { g.BaseURL = "https://api.example#a" }, "BaseURL"},
		{"a scope with a space", func(g *middleware.RequireToken) { g.Scopes = []string{"a b"} }, `Scopes has "a b"`},
		{"a supported scope with a quote", func(g *middleware.RequireToken) { g.ScopesSupported = []string{`"`} }, `ScopesSupported has "\""`},
		{"introspection of JWTs by nobody", func(g *middleware.RequireToken) { g.IntrospectJWT = true }, "IntrospectJWT"},
		{"a demand for bound tokens that nobody can prove", func(g *middleware.RequireToken) { g.RequireBound = true }, "RequireBound"},
		{"a demand for bound tokens, with certificates,", func(g *middleware.RequireToken) { g.RequireBound, g.ClientCertificate = true, cert }, ""},
		{"a demand for nonces without DPoP", func(g *middleware.RequireToken) { g.DPoPNonce = true }, "DPoPNonce is set"},
		{"a short key of nonces", func(g *middleware.RequireToken) {
			g.DPoPNonce, g.Replays, g.DPoPNonceKey = true, &replays{}, make([]byte, 16)
		}, "DPoPNonceKey has 16 bytes"},
		{"a negative leeway", func(g *middleware.RequireToken) { g.Leeway = -time.Second }, "Leeway is -1s"},
		{"a leeway of five minutes", func(g *middleware.RequireToken) { g.Leeway = 5 * time.Minute }, ""},
		{"a longer leeway", func(g *middleware.RequireToken) { g.Leeway = 5*time.Minute + 1 }, "Leeway is 5m0.000000001s"},
		{"a network that matches nothing", func(g *middleware.RequireToken) {
			g.InsecureNetworks = []netip.Prefix{netip.MustParsePrefix("::ffff:10.0.0.0/104")}
		}, "InsecureNetworks[0]"},
		{"a network that is none", func(g *middleware.RequireToken) { g.InsecureNetworks = make([]netip.Prefix, 1) }, "InsecureNetworks[0]"},
	} {
		verdict := " is good"
		if c.want != "" {
			verdict = " is refused"
		}
		t.Run(c.name+verdict, func(t *testing.T) {
			g := &middleware.RequireToken{Issuer: gateIssuer, Resource: gateResource}
			c.set(g)
			err := g.Check()
			if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestCheckReturnsEveryProblemAtOnce(t *testing.T) {
	err := (&middleware.RequireToken{BaseURL: "x", Scopes: []string{""}, Leeway: -1, DPoPNonce: true, RequireBound: true}).Check()
	for _, field := range []string{"Issuer", "Resource", "BaseURL", "Scopes", "Leeway", "DPoPNonce", "RequireBound"} {
		if err == nil || !strings.Contains(err.Error(), "RequireToken."+field+" ") {
			t.Errorf("nothing of %s in: %v", field, err)
		}
	}
}

func TestAMisconfiguredGuardRefusesEverything(t *testing.T) {
	g := newGate(t, func(g *gate) { g.guard.Leeway = time.Hour })
	if log := g.log.String(); !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "RequireToken.Leeway") {
		t.Errorf("the log is %s", log)
	}
	g.log.Reset()
	g.expect(g.bearer(g.token(nil)), "500 server_error misconfigured")
	g.expect(g.get(), "500 server_error misconfigured")
}

// With -race this shows that a guard may be used by many at once, from the first request.
func TestAGuardIsUsedByManyAtOnce(t *testing.T) {
	g := newGate(t, withDPoP, func(g *gate) { g.guard.DPoPNonce = true })
	token := g.token(nil)

	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			handler := g.guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
			for range 20 {
				w := httptest.NewRecorder()
				if handler.ServeHTTP(w, gateRequest(gateURL, "Authorization", "Bearer "+token)); w.Code != http.StatusNoContent {
					t.Errorf("got %d", w.Code)
				}
			}
		})
	}
	all.Wait()
}
