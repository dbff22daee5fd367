package tokenendpoint_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

const certificateMTLS = "https://mtls.shop.example"

func (d *certificateDesk) metadata() map[string]any {
	d.t.Helper()
	w := httptest.NewRecorder()
	d.mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/.well-known/oauth-authorization-server", nil))
	var document map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &document); err != nil || w.Code != 200 {
		d.t.Fatalf("%d %s", w.Code, w.Body)
	}
	return document
}

// 8705-3.3-01, 8705-5-01: the document says what is configured and no more.
func TestTheMetadataOfCertificates(t *testing.T) {
	aliases := func(base string) map[string]any {
		return map[string]any{
			"token_endpoint":                      base + "/connect/token",
			"introspection_endpoint":              base + "/connect/introspect",
			"revocation_endpoint":                 base + "/connect/revocation",
			"device_authorization_endpoint":       base + "/connect/deviceauthorization",
			"backchannel_authentication_endpoint": base + "/connect/ciba",
		}
	}
	for _, c := range []struct {
		name      string
		configure func(*tokenendpoint.Config)
		supported bool
		aliases   any
	}{
		{"With a ClientCertificate the methods are there, and no aliases", func(*tokenendpoint.Config) {}, true, nil},
		{"With a MTLSURL the aliases are there", func(c *tokenendpoint.Config) { c.MTLSURL = certificateMTLS }, true, aliases(certificateMTLS)},
		{"With a MTLSURL that has a path the aliases are below it", func(c *tokenendpoint.Config) { c.MTLSURL = certificateMTLS + ":8443/a/" }, true, aliases(certificateMTLS + ":8443/a")},
		{"Without a ClientCertificate there is nothing", func(c *tokenendpoint.Config) { c.ClientCertificate = nil }, false, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newCertificateDesk(t, c.configure)
			document := d.metadata()
			for _, method := range []store.AuthMethod{store.TLSClientAuth, store.SelfSignedTLSClientAuth} {
				methods, _ := document["token_endpoint_auth_methods_supported"].([]any)
				if slices.Contains(methods, any(string(method))) != c.supported {
					t.Errorf("the methods are %v", methods)
				}
			}
			bound, has := document["tls_client_certificate_bound_access_tokens"]
			if has != c.supported || has && bound != true {
				t.Errorf("tls_client_certificate_bound_access_tokens is %v", bound)
			}
			d.equal("mtls_endpoint_aliases", document["mtls_endpoint_aliases"], c.aliases)
			d.equal("token_endpoint", document["token_endpoint"], trialIssuer+"/connect/token")
			d.equal("issuer", document["issuer"], trialIssuer)
		})
	}
}

// 8705-5-01: a request at the alias is the same request, by the same issuer.
func TestAProofForTheAlias(t *testing.T) {
	own := certificateSelfSigned()
	for _, c := range []struct {
		name, mtls, htu string
		reason          tokenendpoint.Reason
	}{
		{"The alias is accepted", certificateMTLS, certificateMTLS + "/connect/token", ""},
		{"The alias below a path is accepted", certificateMTLS + "/a/", certificateMTLS + "/a/connect/token", ""},
		{"The token endpoint is accepted beside it", certificateMTLS, trialIssuer + "/connect/token", ""},
		{"Another endpoint of the alias is refused", certificateMTLS, certificateMTLS + "/connect/ciba", "dpop_htu"},
		{"The alias itself is refused", certificateMTLS, certificateMTLS, "dpop_htu"},
		{"Without an alias it is refused", "", certificateMTLS + "/connect/token", "dpop_htu"},
		{"Another host is refused", certificateMTLS, "https://mtls.shop.example.evil.example/connect/token", "dpop_htu"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newCertificateDesk(t, func(config *tokenendpoint.Config) { config.MTLSURL = c.mtls })
			d.bind("app")
			key := newProver(t, c.htu, d.clock.Now)
			form := deskForm("password", []string{"client_id", "app", "username", "alice", "password", "sesame-of-alice"})
			answer := d.post(unverified(own), "/connect/token", form, http.Header{"Dpop": {key.proof()}})
			if c.reason != "" {
				if answer.status != 400 || answer.text("error") != "invalid_dpop_proof" || answer.event.Reason != c.reason || answer.changes != 0 {
					t.Errorf("answered %d %s for %q", answer.status, answer.body, answer.event.Reason)
				}
				return
			}
			d.want(answer.deskAnswer, 200, "")
			claims := d.claims(answer.deskAnswer, "access_token")
			d.equal("cnf", claims["cnf"], map[string]any{"jkt": key.jkt(), "x5t#S256": certificateThumbprint(own)})
			d.equal("iss", claims["iss"], trialIssuer)
		})
	}
}

func TestAMTLSURLThatIsNone(t *testing.T) {
	for _, value := range []string{"mtls.shop.example", "//mtls.shop.example", "/mtls", "https://", "ftp://mtls.shop.example", "https://user@mtls.shop.example", "https://mtls.shop.example/#a", "https://mtls.shop.example:x", "https://%zz",
		"http://mtls.shop.example", "https://mtls.shop.example?a", "https://mtls.shop.example?", "https://MTLS.shop.example", "https://mtls.shop.example/a b"} {
		t.Run("New refuses "+value, func(t *testing.T) {
			config := keysConfig(tokenendpoint.StaticKeys{keysOf("1", tokenendpoint.ES256, nil, nil, nil)}, newKeysClock(keysStart))
			config.MTLSURL, config.ClientCertificate = value, certificateOf
			_, err := tokenendpoint.New(config)
			if err == nil || !strings.Contains(err.Error(), "MTLSURL") || !strings.Contains(err.Error(), "https://mtls.shop.example") {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

func TestAMTLSURLNeedsCertificates(t *testing.T) {
	config := keysConfig(tokenendpoint.StaticKeys{keysOf("1", tokenendpoint.ES256, nil, nil, nil)}, newKeysClock(keysStart))
	config.MTLSURL = certificateMTLS
	if _, err := tokenendpoint.New(config); err == nil || !strings.Contains(err.Error(), `MTLSURL is "`+certificateMTLS+`", and ClientCertificate`) {
		t.Errorf("the error is %v", err)
	}
}
