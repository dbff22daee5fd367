package middleware_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/grantor-go/grantor/middleware"
)

// pair makes a certificate for a new key: self-signed, or issued by another.
func pair(t testing.TB, name string, ca *tls.Certificate) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: ca == nil, BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	parent, signer := template, any(key)
	if ca != nil {
		parent, signer = ca.Leaf, ca.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func selfSigned(t testing.TB, name string) *x509.Certificate { return pair(t, name, nil).Leaf }

// 8705-2.1-01: what crypto/tls itself says of a chain that it verified, or did not.
func TestOfAConnectionOnlyWhatTLSVerifiedIsVerified(t *testing.T) {
	ca := pair(t, "ca", nil)
	issued, alone := pair(t, "client", ca), pair(t, "client", nil)
	for _, c := range []struct {
		name   string
		auth   tls.ClientAuthType
		client *tls.Certificate
		want   string // empty: the handshake fails
	}{
		{"one that was issued is, if it is verified", tls.VerifyClientCertIfGiven, issued, "client true"},
		{"one that was issued is, if it must be verified", tls.RequireAndVerifyClientCert, issued, "client true"},
		{"a self-signed one never comes that far", tls.VerifyClientCertIfGiven, alone, ""},
		{"one that was issued is not, if it is only requested", tls.RequestClientCert, issued, "client false"},
		{"a self-signed one is not, if it is only requested", tls.RequestClientCert, alone, "client false"},
		{"a self-signed one is not, if any is required", tls.RequireAnyClientCert, alone, "client false"},
		{"none is none", tls.VerifyClientCertIfGiven, nil, "none false"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				name := "none"
				cert, verified, err := middleware.ClientCertificates{Header: "Client-Cert"}.Of(r)
				if cert != nil {
					name = cert.Subject.CommonName
				}
				if err != nil {
					name = err.Error()
				}
				_, _ = fmt.Fprint(w, name, " ", verified)
			}))
			server.TLS = &tls.Config{ClientAuth: c.auth, ClientCAs: x509.NewCertPool()}
			server.TLS.ClientCAs.AddCert(ca.Leaf)
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.StartTLS()
			defer server.Close()
			client := server.Client()
			if c.client != nil {
				client.Transport.(*http.Transport).TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return c.client, nil }
			}
			r, err := http.NewRequest(http.MethodGet, server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Client-Cert", rfc9440(issued.Leaf))
			answer, err := client.Do(r)
			if err != nil {
				if c.want != "" {
					t.Error(err)
				}
				return
			}
			defer answer.Body.Close()
			if body, err := io.ReadAll(answer.Body); err != nil || string(body) != c.want {
				t.Errorf("got %q, %v, want %q", body, err, c.want)
			}
		})
	}
}

func ExampleClientCertificates() {
	proxies, err := middleware.ParseProxies("10.0.0.7")
	if err != nil {
		log.Fatal(err)
	}
	// nginx: proxy_set_header X-Client-Cert $ssl_client_escaped_cert;
	certificates := middleware.ClientCertificates{Proxies: proxies, Header: "X-Client-Cert", ProxiesVerify: true}

	r := httptest.NewRequest(http.MethodPost, "/connect/token", nil)
	r.RemoteAddr = "192.0.2.1:40312"
	r.Header.Set("X-Client-Cert", "-----BEGIN%20CERTIFICATE-----...") // the caller made it up
	cert, verified, err := certificates.Of(r)
	fmt.Println(cert, verified, err)
	// Output: <nil> false <nil>
}
