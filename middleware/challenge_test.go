package middleware_test

import (
	"net/http"
	"testing"
)

const gateMetadata = "https://api.example/.well-known/oauth-protected-resource/orders"

// Proves 6750-3-01, 6750-3.1-01, 6750-3.1-02, 9449-7.1-01 and 9728-5.1-01.
func TestChallenges(t *testing.T) {
	bearerOnly := func(*gate) {}
	required := func(g *gate) { withDPoP(g); g.guard.RequireBound = true }
	cert, _ := certificate(t)
	scoped := func(g *gate) { withDPoP(g); g.guard.Scopes = []string{"orders.read", "admin"} }
	noHost := func(g *gate) { g.guard.Resource = "urn:example:orders" }
	const (
		pointer = `resource_metadata="` + gateMetadata + `"`
		algs    = `algs="ES256 ES384 PS256 RS256 EdDSA Ed25519"`
		noJWT   = `error="invalid_token", error_description="the access token is not a JWT", `
		other   = `error="invalid_token", error_description="the access token is for the other scheme", `
	)
	for _, c := range []struct {
		name          string
		set           func(*gate)
		authorization string
		want          []string
	}{
		{"without a token there is no error", bearerOnly, "", []string{"Bearer " + pointer}},
		{"there is one for each scheme", withDPoP, "", []string{"Bearer " + pointer, "DPoP " + algs + ", " + pointer}},
		{"the error stands in the scheme that was used", withDPoP, "Bearer opaque", []string{"Bearer " + noJWT + pointer, "DPoP " + algs + ", " + pointer}},
		{"so it does for DPoP", withDPoP, "DPoP opaque", []string{"Bearer " + pointer, "DPoP " + noJWT + algs + ", " + pointer}},
		{"where no Bearer token can succeed there is DPoP alone", required, "", []string{"DPoP " + algs + ", " + pointer}},
		{"and the error of a Bearer token stands there", required, "Bearer TOKEN", []string{"DPoP " + `error="invalid_token", error_description="the access token is not bound to a key or certificate", ` + algs + ", " + pointer}},
		{"with certificates a Bearer token can succeed", func(g *gate) { required(g); withCertificate(cert, nil)(g) }, "",
			[]string{"Bearer " + pointer, "DPoP " + algs + ", " + pointer}},
		{"a token that is not bound is no DPoP token", withDPoP, "DPoP TOKEN", []string{"Bearer " + pointer, "DPoP " + other + algs + ", " + pointer}},
		{"the scopes that are needed are named", scoped, "", []string{`Bearer scope="orders.read admin", ` + pointer, `DPoP scope="orders.read admin", ` + algs + ", " + pointer}},
		{"so they are where one is lacking", scoped, "Bearer TOKEN", []string{
			`Bearer error="insufficient_scope", error_description="the access token lacks a scope that is needed here", scope="orders.read admin", ` + pointer,
			`DPoP scope="orders.read admin", ` + algs + ", " + pointer}},
		{"an API without a URL has no metadata", noHost, "", []string{`Bearer realm="urn:example:orders"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGate(t, c.set)
			var fields []string
			switch c.authorization {
			case "":
			case "Bearer TOKEN", "DPoP TOKEN":
				fields = []string{"Authorization", c.authorization[:len(c.authorization)-len("TOKEN")] + g.token(nil)}
			default:
				fields = []string{"Authorization", c.authorization}
			}
			got := g.get(fields...).Header().Values("WWW-Authenticate")
			if len(got) != len(c.want) {
				t.Fatalf("got %q", got)
			}
			for i, line := range got {
				if line != c.want[i] {
					t.Errorf("got  %s\nwant %s", line, c.want[i])
				}
			}
		})
	}
}

// What is not clear is said in every challenge.
func TestTheErrorOfTwoHeadersStandsInEveryChallenge(t *testing.T) {
	g := newGate(t, withDPoP)
	w := g.get("Authorization", "Bearer a", "Authorization", "DPoP a")
	for scheme, attributes := range challenges(t, w) {
		if attributes["error"] != "invalid_request" {
			t.Errorf("%s: %v", scheme, attributes)
		}
	}
	if w.Code != http.StatusBadRequest || w.Body.String() != `{"error":"invalid_request","error_description":"there is more than one Authorization header"}` {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
