package middleware_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/middleware"
)

// rfc9440 writes a certificate as section 2.1 of that RFC does.
func rfc9440(cert *x509.Certificate) string {
	return ":" + base64.StdEncoding.EncodeToString(cert.Raw) + ":"
}

func pemOf(cert *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))
}

// nginx writes a certificate as $ssl_client_escaped_cert has it.
func nginx(cert *x509.Certificate) string {
	return strings.ReplaceAll(url.QueryEscape(pemOf(cert)), "+", "%20")
}

// connected is a request over a TLS connection of which cert is the other end's.
func connected(remote string, cert *x509.Certificate, verified bool) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/connect/token", nil)
	r.RemoteAddr = remote
	if cert != nil {
		r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}}
	}
	if verified {
		r.TLS.VerifiedChains = [][]*x509.Certificate{{cert}}
	}
	return r
}

const (
	proxy   = "10.0.0.1:1"
	caller  = "192.0.2.1:1"
	unknown = "@" // a Unix socket
)

// 8705-2-02, 8705-6.5-01, 9700-4.13-01, 48 of what is commonly got wrong.
func TestClientCertificates(t *testing.T) {
	cert, other := selfSigned(t, "client"), selfSigned(t, "other")
	trusted := mustParseProxies(t, "10.0.0.0/8")
	handedOn := middleware.ClientCertificates{Proxies: trusted, Header: "client-cert"}
	verifying := middleware.ClientCertificates{Proxies: trusted, Header: "Client-Cert", ProxiesVerify: true}
	for _, c := range []struct {
		name     string
		from     middleware.ClientCertificates
		request  *http.Request
		header   string
		want     *x509.Certificate
		verified bool
	}{
		{"a caller has none", verifying, connected(caller, nil, false), "", nil, false},
		{"a caller has that of its connection", handedOn, connected(caller, cert, false), "", cert, false},
		{"of its connection, verified", handedOn, connected(caller, cert, true), "", cert, true},
		{"what the proxies verify says nothing of it", verifying, connected(caller, cert, false), "", cert, false},
		{"the header of a caller is ignored", verifying, connected(caller, nil, false), rfc9440(cert), nil, false},
		{"the header of a caller does not replace its certificate", verifying, connected(caller, cert, false), rfc9440(other), cert, false},
		{"the header of a caller without address is ignored", verifying, connected(unknown, nil, false), rfc9440(cert), nil, false},
		{"a malformed header of a caller is ignored", verifying, connected(caller, cert, false), "x", cert, false},

		{"a proxy hands on none", verifying, connected(proxy, nil, false), "", nil, false},
		{"a proxy hands on that of RFC 9440", handedOn, connected(proxy, nil, false), rfc9440(cert), cert, false},
		{"a proxy hands on that of nginx", handedOn, connected(proxy, nil, false), nginx(cert), cert, false},
		{"a proxy hands on one that it has verified", verifying, connected(proxy, nil, false), nginx(cert), cert, true},
		{"a proxy's own certificate is not the caller's", verifying, connected(proxy, other, true), "", nil, false},
		{"a proxy's own certificate does not verify the caller's", handedOn, connected(proxy, other, true), rfc9440(cert), cert, false},

		{"nobody is believed by the zero value", middleware.ClientCertificates{Header: "Client-Cert", ProxiesVerify: true}, connected(proxy, nil, false), rfc9440(cert), nil, false},
		{"without a name no header counts", middleware.ClientCertificates{Proxies: trusted, ProxiesVerify: true}, connected(proxy, other, true), rfc9440(cert), nil, false},
		{"only the header of that name counts", middleware.ClientCertificates{Proxies: trusted, Header: "X-Client-Cert"}, connected(proxy, nil, false), rfc9440(cert), nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.header != "" {
				c.request.Header.Set("Client-Cert", c.header)
			}
			got, verified, err := c.from.Of(c.request)
			if err != nil || got == nil != (c.want == nil) || got != nil && !got.Equal(c.want) || verified != c.verified {
				t.Errorf("got %v, %v, %v", got, verified, err)
			}
		})
	}
}

func TestRemoveHeader(t *testing.T) {
	from := middleware.ClientCertificates{Proxies: mustParseProxies(t, "10.0.0.0/8"), Header: "client-cert"}
	for _, c := range []struct {
		name, remote string
		want         int
	}{
		{"what a caller wrote is removed, each line of it", caller, 0},
		{"what comes from an unknown address is removed", unknown, 0},
		{"what a proxy wrote is left", proxy, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got http.Header
			handler := from.RemoveHeader(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
			r := connected(c.remote, nil, false)
			r.Header["Client-Cert"] = []string{"a", "b"}
			r.Header.Set("Accept", "x")
			handler.ServeHTTP(httptest.NewRecorder(), r)
			if len(got.Values("Client-Cert")) != c.want || got.Get("Accept") != "x" {
				t.Errorf("next saw %v", got)
			}
			if len(r.Header.Values("Client-Cert")) != 2 {
				t.Error("the request of the caller was altered")
			}
		})
	}
	t.Run("without a name nothing is removed", func(t *testing.T) {
		called := false
		middleware.ClientCertificates{}.RemoveHeader(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true })).
			ServeHTTP(httptest.NewRecorder(), connected(caller, nil, false))
		if !called {
			t.Error("next was not called")
		}
	})
}
