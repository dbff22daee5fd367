package tokenendpoint_test

import (
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/tokenendpoint"
)

var mountIssuerPaths = map[string]string{
	"without a path": "", "with a slash alone": "/", "with a path": "/tenant1", "with a path and a slash": "/tenant1/",
	"with a longer path": "/auth/realms/shop",
}

// 8414-3-01, 8414-3.1-01, 8414-3.2-01, 8414-3.3-01, OIDCD-4-01, OIDCD-4.1-01,
// OIDCD-4.2-01, OIDCD-4.3-01, 9068-4-01, 9700-2.6-01: the path of the issuer is
// inserted for the one and appended to for the other, without its last slash; both
// give the same document, in which the issuer is the one that was configured, to
// the last slash, and no array is empty.
func TestTheMetadataOfAnIssuer(t *testing.T) {
	for name, path := range mountIssuerPaths {
		t.Run("An issuer "+name+" has the same metadata at both places", func(t *testing.T) {
			m := mount(t, path, tokenendpoint.Paths{})
			first, second := m.get(t, m.inserted(t)), m.get(t, m.appended())
			for _, answer := range []mountAnswer{first, second} {
				if answer.status != http.StatusOK || answer.header.Get("Content-Type") != "application/json" {
					t.Errorf("got %d %s, want 200 and application/json", answer.status, answer.header.Get("Content-Type"))
				}
				if got := answer.header.Get("Cache-Control"); got != "public, max-age=3600" {
					t.Errorf("Cache-Control: got %q", got)
				}
				if got := answer.header.Get("Access-Control-Allow-Origin"); got != "*" {
					t.Errorf("Access-Control-Allow-Origin: got %q", got)
				}
			}
			if first.body != second.body {
				t.Errorf("inserted:\n%s\nappended:\n%s", first.body, second.body)
			}
			document := m.metadata(t, m.inserted(t))
			if document["issuer"] != m.issuer {
				t.Errorf("issuer: got %v, want %q", document["issuer"], m.issuer)
			}
			for member, value := range document {
				if value == nil || value == "" || reflect.ValueOf(value).Kind() == reflect.Slice && reflect.ValueOf(value).Len() == 0 {
					t.Errorf("%s is empty: %v", member, value)
				}
			}
		})
	}
}

// 8414-3.2-02: there is nothing where another issuer's metadata would be.
func TestThereIsNoMetadataElsewhere(t *testing.T) {
	m := mount(t, "/tenant1", tokenendpoint.Paths{})
	for _, path := range []string{
		"/.well-known/oauth-authorization-server", "/.well-known/oauth-authorization-server/tenant2", "/.well-known/openid-configuration",
		"/tenant2/.well-known/openid-configuration", "/tenant1/.well-known/oauth-authorization-server", "/.well-known/openid-configuration/tenant1",
		"/connect/token", "/tenant2/connect/token",
	} {
		if answer := m.get(t, m.origin+path); answer.status != http.StatusNotFound {
			t.Errorf("%s: got %d %s, want 404", path, answer.status, answer.body)
		}
	}
}

// 8414-2-02, 8414-2-04, 8414-2-05, 8414-M-01, OIDCD-X-01: exactly these members,
// so that one comes with its feature and not before. request_uri parameters are
// not supported, which has to be said. Without an authorization endpoint there is
// no response type.
func TestTheMembersOfTheMetadata(t *testing.T) {
	for name, path := range mountIssuerPaths {
		t.Run("An issuer "+name+" has what it supports and no more", func(t *testing.T) {
			m := mount(t, path, tokenendpoint.Paths{})
			base := strings.TrimSuffix(m.issuer, "/")
			want := map[string]any{
				"issuer":                                m.issuer,
				"token_endpoint":                        base + "/connect/token",
				"jwks_uri":                              base + "/.well-known/openid-configuration/jwks",
				"grant_types_supported":                 []any{"client_credentials", "urn:example:custom"},
				"token_endpoint_auth_methods_supported": []any{"client_secret_basic", "client_secret_post", "none"},
				"introspection_endpoint":                base + "/connect/introspect",
				"introspection_endpoint_auth_methods_supported": []any{"client_secret_basic", "client_secret_post"},
				"request_uri_parameter_supported":               false,
			}
			if got := m.metadata(t, m.appended()); !reflect.DeepEqual(got, want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
		})
	}
}

// mountTry asks for a token in one of the ways in which a client may authenticate.
func (m mounted) mountTry(t *testing.T, method, grantType string) mountAnswer {
	t.Helper()
	target, form := m.metadata(t, m.appended())["token_endpoint"].(string), "grant_type="+grantType
	switch method {
	case "client_secret_basic": // confidential:secret
		return m.do(t, "POST", target, form, "Authorization", "Basic Y29uZmlkZW50aWFsOnNlY3JldA==")
	case "client_secret_post":
		return m.do(t, "POST", target, form+"&client_id=confidential&client_secret=secret")
	case "none":
		return m.do(t, "POST", target, form+"&client_id=public")
	case "client_secret_jwt", "private_key_jwt":
		return m.do(t, "POST", target, form+"&client_id=confidential&client_assertion=e30.e30.e30"+
			"&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer")
	case "bearer":
		return m.do(t, "POST", target, form, "Authorization", "Bearer secret")
	case "digest":
		return m.do(t, "POST", target, form, "Authorization", `Digest username="confidential", response="secret"`)
	case "tls_client_auth", "self_signed_tls_client_auth":
		return m.do(t, "POST", target, form+"&client_id=confidential")
	}
	t.Fatalf("this test does not know the method %q", method)
	return mountAnswer{}
}

// 8414-2-03: what is advertised works, and what is not does not.
func TestWhatIsAdvertisedIsWhatIsEnforced(t *testing.T) {
	m := mount(t, "/tenant1/", tokenendpoint.Paths{})
	document := m.metadata(t, m.inserted(t))
	advertised := func(member string) []string {
		var all []string
		for _, value := range document[member].([]any) {
			all = append(all, value.(string))
		}
		return all
	}
	methods, grantTypes := advertised("token_endpoint_auth_methods_supported"), advertised("grant_types_supported")
	for _, method := range []string{
		"client_secret_basic", "client_secret_post", "none", "client_secret_jwt", "private_key_jwt", "bearer", "digest",
		"tls_client_auth", "self_signed_tls_client_auth",
	} {
		t.Run("The method "+method+" works if and only if it is advertised", func(t *testing.T) {
			answer := m.mountTry(t, method, string(mountCustom))
			if want := slices.Contains(methods, method); want != (answer.status == http.StatusOK) {
				t.Errorf("advertised: %v; got %d %s", want, answer.status, answer.body)
			}
		})
	}
	for _, grantType := range []string{
		"client_credentials", "urn:example:custom", "authorization_code", "password", "refresh_token", "implicit", "urn:example:other",
		"urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:jwt-bearer", "urn:ietf:params:oauth:grant-type:token-exchange",
	} {
		t.Run("The grant type "+grantType+" works if and only if it is advertised", func(t *testing.T) {
			answer := m.mountTry(t, "client_secret_basic", grantType)
			if slices.Contains(grantTypes, grantType) {
				if answer.status != http.StatusOK {
					t.Errorf("advertised; got %d %s", answer.status, answer.body)
				}
			} else if answer.status != http.StatusBadRequest || !strings.Contains(answer.body, `"unsupported_grant_type"`) {
				t.Errorf("not advertised; got %d %s", answer.status, answer.body)
			}
		})
	}
	if len(methods) != 3 || len(grantTypes) != 2 {
		t.Errorf("methods %q and grant types %q: not all are tried above", methods, grantTypes)
	}
}

// 8414-6.2-01: the issuer in a token is the one in the metadata, letter by letter.
func TestTheIssuerOfATokenIsThatOfTheMetadata(t *testing.T) {
	for name, path := range mountIssuerPaths {
		t.Run("An issuer "+name+" signs as itself, by the keys at jwks_uri", func(t *testing.T) {
			m := mount(t, path, tokenendpoint.Paths{})
			document := m.metadata(t, m.inserted(t))
			answer := m.mountTry(t, "client_secret_basic", "client_credentials")
			if answer.status != http.StatusOK {
				t.Fatalf("%d %s", answer.status, answer.body)
			}
			claims := keysVerify(t, mountSet(t, m.get(t, document["jwks_uri"].(string))), mountToken(t, answer))
			if claims.Issuer != document["issuer"] {
				t.Errorf("iss: got %q, want %q", claims.Issuer, document["issuer"])
			}
		})
	}
}

func TestTheMetadataIsNotAboutTheRequest(t *testing.T) {
	m := mount(t, "", tokenendpoint.Paths{})
	before := m.get(t, m.appended())
	after := m.get(t, m.appended()+"?issuer=https://evil.example", "X-Forwarded-Host", "evil.example", "Forwarded", "host=evil.example")
	if before.body != after.body || before.header.Get("ETag") != after.header.Get("ETag") {
		t.Errorf("got %s, want %s", after.body, before.body)
	}
	if vary := fmt.Sprint(slices.Sorted(maps.Keys(after.header))); strings.Contains(vary, "Set-Cookie") {
		t.Errorf("headers: %s", vary)
	}
}
