package tokenendpoint_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// 8705-6.5-01, end to end: a proxy on loopback ends TLS, removes the header of callers and
// adds its own.
func TestAProxyThatEndsTLS(t *testing.T) {
	d := newCertificateProxy(t, true, "127.0.0.0/8")
	service := httptest.NewServer(d.mux)
	defer service.Close()
	to, err := url.Parse(service.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewUnstartedServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Header.Del("Client-Cert")
		if len(r.In.TLS.PeerCertificates) > 0 {
			r.Out.Header.Set("Client-Cert", certificateHeader(&tls.Certificate{Certificate: [][]byte{r.In.TLS.PeerCertificates[0].Raw}}))
		}
	}})
	proxy.TLS = &tls.Config{ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: x509.NewCertPool(), Time: d.clock.Now}
	proxy.TLS.ClientCAs.AddCert(certificateCA().Leaf)
	proxy.StartTLS()
	defer proxy.Close()

	cert := certificateIssued()
	send := func(own *tls.Certificate, header string) certificateAnswer {
		t.Helper()
		transport := proxy.Client().Transport.(*http.Transport).Clone()
		transport.DisableKeepAlives = true
		if own != nil {
			transport.TLSClientConfig.Certificates = []tls.Certificate{*own}
		}
		form := deskForm("client_credentials", []string{"client_id", "billing"})
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, proxy.URL+"/connect/token", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Client-Cert", header)
		response, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		return d.read(response)
	}
	d.issued(send(cert, ""), store.TLSClientAuth, nil)
	d.issued(send(cert, "made up"), store.TLSClientAuth, nil)
	d.refused(send(nil, ""), tokenendpoint.ReasonAuthMethodNotAllowed)
	d.refused(send(nil, certificateHeader(cert)), tokenendpoint.ReasonAuthMethodNotAllowed)
	d.unlogged(cert.Leaf)
}
