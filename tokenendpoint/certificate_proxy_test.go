package tokenendpoint_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/middleware"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

const (
	certificateProxy  = "10.0.0.1:40000"
	certificateCaller = "192.0.2.1:40000"
)

// certificateHeader writes a certificate as section 2.1 of RFC 9440 does,
// certificateEscaped as nginx has it in $ssl_client_escaped_cert.
func certificateHeader(cert *tls.Certificate) string {
	return ":" + base64.StdEncoding.EncodeToString(cert.Certificate[0]) + ":"
}

func certificateEscaped(cert *tls.Certificate) string {
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})
	return strings.ReplaceAll(url.QueryEscape(string(text)), "+", "%20")
}

// newCertificateProxy is a desk behind proxies in 10.0.0.0/8 and further networks, that
// verify certificates or not.
func newCertificateProxy(t *testing.T, verify bool, networks ...string) *certificateDesk {
	t.Helper()
	proxies, err := middleware.ParseProxies(append(networks, "10.0.0.0/8")...)
	if err != nil {
		t.Fatal(err)
	}
	certificates := middleware.ClientCertificates{Proxies: proxies, Header: "Client-Cert", ProxiesVerify: verify}
	d := newCertificateDesk(t, func(c *tokenendpoint.Config) { c.ClientCertificate, c.RemoteAddr = certificates.Of, proxies.RemoteAddr })
	d.register("billing", saysDN(certificateDN))
	d.bind("app")
	return d
}

// from sends a token request of a client from an address, with headers of the name that
// the proxies use, over a connection that has a certificate of its own or none.
func (d *certificateDesk) from(address string, own *tls.Certificate, client, grantType string, headers ...string) certificateAnswer {
	form := deskForm(grantType, []string{"client_id", client, "username", "alice", "password", "sesame-of-alice"})
	r := httptest.NewRequest(http.MethodPost, "/connect/token", strings.NewReader(form.Encode()))
	r.RemoteAddr = address
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header["Client-Cert"] = headers
	if own != nil {
		r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{own.Leaf}, VerifiedChains: [][]*x509.Certificate{{own.Leaf}}}
	}
	w := httptest.NewRecorder()
	before := d.changes.Load()
	d.mux.ServeHTTP(w, r)
	answer := d.read(w.Result())
	answer.changes = d.changes.Load() - before
	for _, header := range headers {
		if len(header) > 4 && strings.Contains(d.log.String(), header) {
			d.t.Errorf("the log quotes the header: %s", d.log)
		}
	}
	return answer
}

// 8705-2-02, 8705-6.5-01, 9700-4.13-01, 48 of what is commonly got wrong.
func TestBehindAProxyItsHeaderIsTheCertificate(t *testing.T) {
	cert, other := certificateIssued(), certificateSelfSigned()
	for form, write := range map[string]func(*tls.Certificate) string{"RFC 9440": certificateHeader, "nginx": certificateEscaped} {
		t.Run("A proxy that verifies is believed, in the form of "+form, func(t *testing.T) {
			d := newCertificateProxy(t, true)
			d.issued(d.from(certificateProxy, nil, "billing", "client_credentials", write(cert)), store.TLSClientAuth, nil)
			d.issued(d.from(certificateProxy, nil, "app", "password", write(other)), store.NoAuth, other)
		})
		t.Run("A proxy that does not verify is believed the key and no name, in the form of "+form, func(t *testing.T) {
			d := newCertificateProxy(t, false)
			d.refused(d.from(certificateProxy, nil, "billing", "client_credentials", write(cert)), tokenendpoint.ReasonCertificateMismatch)
			d.issued(d.from(certificateProxy, nil, "app", "password", write(other)), store.NoAuth, other)
		})
		t.Run("Nobody else is believed, in the form of "+form, func(t *testing.T) {
			d := newCertificateProxy(t, true)
			d.refused(d.from(certificateCaller, nil, "billing", "client_credentials", write(cert)), tokenendpoint.ReasonAuthMethodNotAllowed)
			d.refused(d.from(certificateCaller, nil, "app", "password", write(cert)), tokenendpoint.ReasonCertificateAbsent)
			d.issued(d.from(certificateCaller, other, "app", "password", write(cert)), store.NoAuth, other)
		})
	}
	t.Run("The certificate of the proxy's own connection is not the caller's", func(t *testing.T) {
		d := newCertificateProxy(t, true)
		d.refused(d.from(certificateProxy, cert, "billing", "client_credentials"), tokenendpoint.ReasonAuthMethodNotAllowed)
		d.refused(d.from(certificateProxy, cert, "billing", "client_credentials", ""), tokenendpoint.ReasonAuthMethodNotAllowed)
		d.refused(d.from(certificateProxy, cert, "app", "password"), tokenendpoint.ReasonCertificateAbsent)
	})
	t.Run("An expired one is refused whatever the proxy has verified", func(t *testing.T) {
		d := newCertificateProxy(t, true)
		expired := certificateIssued(func(c *x509.Certificate) { c.NotAfter = keysStart.Add(-time.Second) })
		d.refused(d.from(certificateProxy, nil, "billing", "client_credentials", certificateHeader(expired)), tokenendpoint.ReasonCertificateMismatch)
	})
}

// What cannot be read is not a request without a certificate, also of a client that
// needs none: something is wrong with the proxy.
func TestACertificateThatCannotBeRead(t *testing.T) {
	cert := certificateIssued()
	whole, escaped := certificateHeader(cert), certificateEscaped(cert)
	for name, headers := range map[string][]string{
		"A header twice":                    {whole, whole},
		"A header twice, once empty":        {"", whole},
		"Two in one header":                 {whole + ", " + whole},
		"One that is cut off":               {whole[:100]},
		"One that is not base64":            {":x!:"},
		"One of no bytes":                   {"::"},
		"One of other bytes":                {":" + base64.StdEncoding.EncodeToString([]byte("cornflower is no certificate")) + ":"},
		"Two of nginx":                      {escaped + escaped},
		"A PEM of something else":           {strings.ReplaceAll(escaped, "CERTIFICATE", "PRIVATE%20KEY")},
		"One that is longer than 16 KiB":    {escaped + strings.Repeat("%0A", 6000)}, // by blank lines
		"What nginx says if there are none": {"(null)"},
	} {
		t.Run(name+" is refused for every client", func(t *testing.T) {
			d := newCertificateProxy(t, true)
			for _, client := range []string{"billing", "app", "till", "nobody"} {
				d.refused(d.from(certificateProxy, nil, client, "client_credentials", headers...), tokenendpoint.ReasonCertificate)
			}
			answer := d.from(certificateCaller, nil, "billing", "client_credentials", headers...)
			d.refused(answer, tokenendpoint.ReasonAuthMethodNotAllowed) // and of anybody else ignored
		})
	}
}

func TestAClientCertificateFunctionThatDoesNotWork(t *testing.T) {
	cert := certificateIssued()
	t.Run("Its error refuses the request, and is only logged", func(t *testing.T) {
		d := newCertificateDesk(t)
		d.register("billing", saysDN(certificateDN))
		for _, client := range []string{"billing", "till"} {
			answer := d.ask(presented{cert: cert.Leaf, verified: true, err: errors.New("canary of the header")}, client, "client_credentials")
			d.refused(answer, tokenendpoint.ReasonCertificate)
			if !strings.Contains(d.log.String(), "canary of the header") {
				t.Errorf("the log does not say why: %s", d.log)
			}
		}
	})
	t.Run("Its panic fails the request, and the next is served", func(t *testing.T) {
		fail := true
		d := newCertificateDesk(t, func(c *tokenendpoint.Config) {
			c.ClientCertificate = func(r *http.Request) (*x509.Certificate, bool, error) {
				if fail {
					panic("canary of the function")
				}
				return certificateOf(r)
			}
		})
		d.register("billing", saysDN(certificateDN))
		d.refused(d.ask(verified(cert), "billing", "client_credentials"), tokenendpoint.ReasonPanic)
		if !strings.Contains(d.log.String(), "canary of the function") {
			t.Errorf("the log does not say why: %s", d.log)
		}
		fail = false
		d.issued(d.ask(verified(cert), "billing", "client_credentials"), store.TLSClientAuth, nil)
	})
	t.Run("None that was verified is none", func(t *testing.T) {
		d := newCertificateDesk(t)
		d.register("billing", saysDN(certificateDN))
		d.bind("app")
		d.refused(d.ask(presented{verified: true}, "billing", "client_credentials"), tokenendpoint.ReasonAuthMethodNotAllowed)
		d.refused(d.ask(presented{verified: true}, "app", "password"), tokenendpoint.ReasonCertificateAbsent)
	})
}
