package tokenendpoint_test

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/grantor-go/grantor/middleware"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// certificateServer is a desk behind a TLS server that asks for certificates.
type certificateServer struct {
	*certificateDesk
	server *httptest.Server
}

func newCertificateServer(t *testing.T, auth tls.ClientAuthType) *certificateServer {
	t.Helper()
	d := newCertificateDesk(t, func(c *tokenendpoint.Config) { c.ClientCertificate = middleware.ClientCertificates{}.Of })
	server := httptest.NewUnstartedServer(d.mux)
	server.TLS = &tls.Config{ClientAuth: auth, ClientCAs: x509.NewCertPool(), Time: d.clock.Now}
	server.TLS.ClientCAs.AddCert(certificateCA().Leaf)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return &certificateServer{d, server}
}

// do sends a form over a connection of its own, with a certificate or, by nil, without.
func (s *certificateServer) do(cert *tls.Certificate, form url.Values) (*http.Response, error) {
	transport := s.server.Client().Transport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true
	if cert != nil { // whatever CAs the server says it trusts
		transport.TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }
	}
	client := http.Client{Transport: transport}
	return client.PostForm(s.server.URL+"/connect/token", form)
}

// post sends the form of a client that has no secret.
func (s *certificateServer) post(cert *tls.Certificate, client, grantType string, parameters ...string) certificateAnswer {
	s.t.Helper()
	response, err := s.do(cert, deskForm(grantType, append(parameters, "client_id", client)))
	if err != nil {
		s.t.Fatal(err)
	}
	answer := s.read(response)
	if cert != nil {
		s.unlogged(cert.Leaf)
	}
	return answer
}

// register has a client authenticate by what certificates say of it.
func (d *certificateDesk) register(id string, says func(*store.Metadata)) {
	d.alter(id, func(c *store.Client) {
		c.Secrets, c.AuthMethods, c.TokenEndpointAuthMethod = nil, nil, store.TLSClientAuth
		says(&c.Metadata)
	})
}

func saysDN(dn string) func(*store.Metadata) { return func(m *store.Metadata) { m.TLSSubjectDN = dn } }

// certificateSubjects are the ways of RFC 8705 section 2.1.2, each with what the
// certificates of these tests say and something else.
var certificateSubjects = []struct {
	name         string
	member       func(*store.Metadata) *string
	right, other string
}{
	{"the subject DN", func(m *store.Metadata) *string { return &m.TLSSubjectDN }, certificateDN, "CN=reports,OU=Desk 7,O=" + certificateName},
	{"the subject DN in other words", func(m *store.Metadata) *string { return &m.TLSSubjectDN }, `2.5.4.3=Billing,ou=desk\207,O=\63ornflower`, "O=" + certificateName + ",OU=Desk 7,CN=billing"},
	{"a DNS name", func(m *store.Metadata) *string { return &m.TLSSANDNS }, "billing.cornflower.example", "cornflower.example"},
	{"a URI", func(m *store.Metadata) *string { return &m.TLSSANURI }, "spiffe://cornflower.example/billing", "spiffe://cornflower.example/billing/"},
	{"an IP address", func(m *store.Metadata) *string { return &m.TLSSANIP }, "2001:0DB8:0:0:0::7", "2001:db8::8"},
	{"an email address", func(m *store.Metadata) *string { return &m.TLSSANEmail }, "billing@cornflower.example", "Billing@cornflower.example"},
}

// 8705-2-03, 8705-2.1.2-02.
func TestOverTLSAClientIsWhatItsCertificateSays(t *testing.T) {
	s := newCertificateServer(t, tls.VerifyClientCertIfGiven)
	cert := certificateIssued()
	for i, c := range certificateSubjects {
		id := fmt.Sprint("billing-", i)
		s.register(id, func(m *store.Metadata) { *c.member(m) = c.right })
		s.register("not-"+id, func(m *store.Metadata) { *c.member(m) = c.other })
		t.Run("A certificate with "+c.name+" that was registered authenticates", func(t *testing.T) {
			s.t = t
			s.issued(s.post(cert, id, "client_credentials"), store.TLSClientAuth, nil)
		})
		t.Run("A certificate without "+c.name+" that was registered does not", func(t *testing.T) {
			s.t = t
			s.refused(s.post(cert, "not-"+id, "client_credentials"), tokenendpoint.ReasonCertificateMismatch)
		})
	}
	s.t = t
}

// 8705-X-01, 8705-2-01, 48 of what is commonly got wrong: the client_id comes first.
func TestOverTLSTheClientComesFirst(t *testing.T) {
	s := newCertificateServer(t, tls.VerifyClientCertIfGiven)
	s.register("billing", saysDN(certificateDN))
	s.register("reports", saysDN("CN=reports"))
	s.register("twin", saysDN(certificateDN))
	billing := certificateIssued()
	reports := certificateIssued(func(c *x509.Certificate) { c.Subject = pkix.Name{CommonName: "reports"} })
	s.issued(s.post(billing, "billing", "client_credentials"), store.TLSClientAuth, nil)
	s.issued(s.post(reports, "reports", "client_credentials"), store.TLSClientAuth, nil)
	s.refused(s.post(reports, "billing", "client_credentials"), tokenendpoint.ReasonCertificateMismatch)
	s.refused(s.post(billing, "reports", "client_credentials"), tokenendpoint.ReasonCertificateMismatch)
	s.refused(s.post(billing, "", "client_credentials"), tokenendpoint.ReasonMissingClientID)
	twin := s.issued(s.post(billing, "twin", "client_credentials"), store.TLSClientAuth, nil)
	s.equal("client_id", s.claims(twin.deskAnswer, "access_token")["client_id"], "twin")
}

// 8705-2.1-01: what says the right thing but was not verified proves nothing.
func TestOverTLSNamesCountOnlyIfTheyWereVerified(t *testing.T) {
	expired := func(c *x509.Certificate) { c.NotAfter = keysStart.Add(-time.Second) }
	stranger := func(alter ...func(*x509.Certificate)) *tls.Certificate {
		return certificateFor(certificateKey(), certificateStranger(), alter...)
	}
	for _, c := range []struct {
		name string
		cert *tls.Certificate
	}{
		{"a self-signed one", certificateSelfSigned()},
		{"one of another CA", stranger()},
		{"one that has expired", certificateIssued(expired)},
		{"one for servers", certificateIssued(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })},
	} {
		t.Run(c.name+" with the right names does not get through a server that verifies", func(t *testing.T) {
			s := newCertificateServer(t, tls.VerifyClientCertIfGiven)
			s.register("billing", saysDN(certificateDN))
			response, err := s.do(c.cert, deskForm("client_credentials", []string{"client_id", "billing"}))
			if err == nil {
				t.Fatalf("answered %d %s", response.StatusCode, s.read(response).body)
			}
			if len(s.events) != 0 {
				t.Errorf("the endpoint saw %+v", s.events)
			}
		})
		t.Run(c.name+" with the right names is refused behind a server that only asks", func(t *testing.T) {
			s := newCertificateServer(t, tls.RequestClientCert)
			s.register("billing", saysDN(certificateDN))
			s.refused(s.post(c.cert, "billing", "client_credentials"), tokenendpoint.ReasonCertificateMismatch)
		})
	}
	t.Run("one that the CA issued is refused behind a server that only asks", func(t *testing.T) {
		s := newCertificateServer(t, tls.RequestClientCert)
		s.register("billing", saysDN(certificateDN))
		s.refused(s.post(certificateIssued(), "billing", "client_credentials"), tokenendpoint.ReasonCertificateMismatch)
	})
	t.Run("without one the client is not authenticated", func(t *testing.T) {
		s := newCertificateServer(t, tls.VerifyClientCertIfGiven)
		s.register("billing", saysDN(certificateDN))
		s.refused(s.post(nil, "billing", "client_credentials"), tokenendpoint.ReasonAuthMethodNotAllowed)
	})
}

// 8705-2.2-01, 8705-3-01: both end to end.
func TestOverTLSASelfSignedCertificateIsKnownByItsKey(t *testing.T) {
	s := newCertificateServer(t, tls.RequestClientCert)
	own, other := certificateSelfSigned(), certificateSelfSigned()
	s.register("billing", func(m *store.Metadata) {
		m.TokenEndpointAuthMethod, m.JWKS, m.TLSBoundAccessTokens = store.SelfSignedTLSClientAuth, certificateJWKS(t, own), true
	})
	s.issued(s.post(own, "billing", "client_credentials"), store.SelfSignedTLSClientAuth, own)
	s.refused(s.post(other, "billing", "client_credentials"), tokenendpoint.ReasonCertificateMismatch)
	// The handshake proves the private key: a copy of the certificate is of no use.
	copied := &tls.Certificate{Certificate: own.Certificate, PrivateKey: other.PrivateKey, Leaf: own.Leaf}
	if response, err := s.do(copied, deskForm("client_credentials", []string{"client_id", "billing"})); err == nil {
		t.Errorf("answered %d %s", response.StatusCode, s.read(response).body)
	}
}

// 8705-3-01, 8705-4-01, by a public client over TLS.
func TestOverTLSTheTokensOfAPublicClientAreBound(t *testing.T) {
	s := newCertificateServer(t, tls.RequestClientCert)
	s.bind("app")
	own, other := certificateSelfSigned(), certificateIssued()
	code := s.code("app")
	s.refused(s.post(nil, "app", "authorization_code", "code", code, "code_verifier", redeemVerifier), tokenendpoint.ReasonCertificateAbsent)
	first := s.issued(s.post(own, "app", "authorization_code", "code", code, "code_verifier", redeemVerifier), store.NoAuth, own)
	s.refused(s.post(other, "app", "refresh_token", "refresh_token", first.refresh()), tokenendpoint.ReasonWrongKey)
	s.issued(s.post(own, "app", "refresh_token", "refresh_token", first.refresh()), store.NoAuth, own)
}
