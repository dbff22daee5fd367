package middleware_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/grantor-go/grantor/middleware"
)

// A service that asks for certificates and verifies none by crypto/tls tells those that
// its CAs issued from those that anybody made.
func TestCAsVerifyWhatTheHandshakeDoesNot(t *testing.T) {
	issue := func(name string, isCA bool, parent *x509.Certificate, by *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template := &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
			IsCA: isCA, BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		}
		if parent == nil {
			parent, by = template, key
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return cert, key
	}
	ca, caKey := issue("the CA", true, nil, nil)
	between, betweenKey := issue("between", true, ca, caKey)
	direct, directKey := issue("client", false, ca, caKey)
	indirect, indirectKey := issue("client", false, between, betweenKey)
	own, ownKey := issue("client", false, nil, nil)
	pool := x509.NewCertPool()
	pool.AddCert(ca)

	for name, c := range map[string]struct {
		cas   *x509.CertPool
		chain [][]byte
		key   *ecdsa.PrivateKey
		want  bool
	}{
		"issued by the CA":                {pool, [][]byte{direct.Raw}, directKey, true},
		"issued by way of another":        {pool, [][]byte{indirect.Raw, between.Raw}, indirectKey, true},
		"issued, the one between lacks":   {pool, [][]byte{indirect.Raw}, indirectKey, false},
		"issued, the one between too far": {pool, [][]byte{indirect.Raw, own.Raw, own.Raw, own.Raw, between.Raw}, indirectKey, false},
		"self-signed":                     {pool, [][]byte{own.Raw}, ownKey, false},
		"issued, no CAs configured":       {nil, [][]byte{direct.Raw}, directKey, false},
	} {
		t.Run(name, func(t *testing.T) {
			var verified, there bool
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				cert, ok, err := middleware.ClientCertificates{CAs: c.cas}.Of(r)
				if err != nil {
					t.Error(err)
				}
				verified, there = ok, cert != nil
			}))
			server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
			server.StartTLS()
			defer server.Close()
			client := server.Client()
			client.Transport.(*http.Transport).TLSClientConfig.Certificates = []tls.Certificate{{Certificate: c.chain, PrivateKey: c.key}}
			answer, err := client.Get(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if !there || verified != c.want {
				t.Errorf("there: %t, verified: %t; want %t", there, verified, c.want)
			}
		})
	}
}
