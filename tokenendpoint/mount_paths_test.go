package tokenendpoint_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/tokenendpoint"
)

func TestPathsOfTheHostsOwn(t *testing.T) {
	for name, issuerPath := range mountIssuerPaths {
		t.Run("With an issuer "+name+" the endpoints are where they are put, and so says the metadata", func(t *testing.T) {
			m := mount(t, issuerPath, tokenendpoint.Paths{Token: "/oauth2/v1/token", JWKS: "/keys.json"})
			base := strings.TrimSuffix(m.issuer, "/")
			document := m.metadata(t, m.inserted(t))
			if document["token_endpoint"] != base+"/oauth2/v1/token" || document["jwks_uri"] != base+"/keys.json" {
				t.Errorf("got %v", document)
			}
			answer := m.mountTry(t, "client_secret_post", "client_credentials")
			if answer.status != http.StatusOK {
				t.Fatalf("the token endpoint: %d %s", answer.status, answer.body)
			}
			keysVerify(t, mountSet(t, m.get(t, base+"/keys.json")), mountToken(t, answer))
			for _, path := range []string{"/connect/token", "/.well-known/openid-configuration/jwks"} {
				if answer := m.get(t, base+path); answer.status != http.StatusNotFound {
					t.Errorf("%s: got %d, want 404", path, answer.status)
				}
			}
		})
	}
	t.Run("One of them may be left at its default", func(t *testing.T) {
		m := mount(t, "", tokenendpoint.Paths{JWKS: "/keys"})
		if answer := m.mountTry(t, "client_secret_basic", "client_credentials"); answer.status != http.StatusOK {
			t.Errorf("the token endpoint: %d %s", answer.status, answer.body)
		}
		mountSet(t, m.get(t, m.origin+"/keys"))
	})
}

func TestPathsThatCannotBeMountedAreNamed(t *testing.T) {
	for name, bad := range map[string]string{
		"A path without a slash":          "connect/token",
		"A path that ends in a slash":     "/connect/token/",
		"A slash alone":                   "/",
		"A path with two slashes":         "/connect//token",
		"A path with a host":              "//evil.example/token",
		"A URL":                           "https://evil.example/token",
		"A path with a query":             "/connect/token?tenant=1",
		"A path with a fragment":          "/connect/token#1",
		"A path with an escape":           "/connect%2Ftoken",
		"A path with a broken escape":     "/connect/%zz",
		"A path with a wildcard":          "/{tenant}/token",
		"A path with half a wildcard":     "/tenant}/token",
		"A path with a control character": "/connect/\x00token",
		"A space":                         " ",
	} {
		t.Run(name+" is refused and the field named", func(t *testing.T) {
			for _, c := range []struct {
				paths       tokenendpoint.Paths
				want, other string
			}{
				{tokenendpoint.Paths{Token: bad}, "Paths.Token", "Paths.JWKS"},
				{tokenendpoint.Paths{JWKS: bad}, "Paths.JWKS", "Paths.Token"},
			} {
				err := mountPathsError(t, c.paths)
				if err == "" || !strings.Contains(err, c.want) || strings.Contains(err, c.other) {
					t.Errorf("got %q, want an error of %s alone", err, c.want)
				}
			}
			if err := mountPathsError(t, tokenendpoint.Paths{Token: bad, JWKS: bad + "/x/"}); !strings.Contains(err, "Paths.Token") || !strings.Contains(err, "Paths.JWKS") {
				t.Errorf("got %q, want an error that names both", err)
			}
		})
	}
	for name, paths := range map[string]tokenendpoint.Paths{
		"Both paths alike":                     {Token: "/same", JWKS: "/same"},
		"One path that is the other's default": {JWKS: "/connect/token"},
	} {
		t.Run(name+" are refused and both fields named", func(t *testing.T) {
			if err := mountPathsError(t, paths); !strings.Contains(err, "Paths.Token") || !strings.Contains(err, "Paths.JWKS") {
				t.Errorf("got %q, want an error that names both", err)
			}
		})
	}
}

// mountPathsError makes an endpoint with these paths and returns why it cannot be.
func mountPathsError(t *testing.T, paths tokenendpoint.Paths) string {
	t.Helper()
	config := keysConfig(tokenendpoint.StaticKeys{keysOf("1", tokenendpoint.ES256, nil, nil, nil)}, newKeysClock(keysStart))
	config.Paths = paths
	if _, err := tokenendpoint.New(config); err != nil {
		return err.Error()
	}
	return ""
}
