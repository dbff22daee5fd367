package middleware_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"time"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/middleware"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// Clients authenticate by certificates of the service's own CA (RFC 8705). The server
// itself ends TLS here; behind a proxy set Proxies, Header and ProxiesVerify.
func ExampleClientCertificates_mount() {
	ca, certificate, err := exampleCertificates()
	if err != nil {
		log.Fatal(err)
	}
	endpoint, err := tokenendpoint.New(tokenendpoint.Config{
		Issuer: "https://shop.example",
		Clients: memory.NewClients(store.Client{Metadata: store.Metadata{
			ID: "billing", GrantTypes: []string{"client_credentials"}, Scope: "invoices",
			TokenEndpointAuthMethod: store.TLSClientAuth,
			TLSSubjectDN:            "CN=billing,O=Example",
			TLSBoundAccessTokens:    true,
		}}),
		Scopes:            memory.NewScopes(store.Scope{Name: "invoices"}),
		Keys:              &tokenendpoint.RollingKeys{Logger: slog.New(slog.DiscardHandler)},
		Grants:            []tokenendpoint.GrantValidator{grants.ClientCredentials{}},
		ClientCertificate: middleware.ClientCertificates{}.Of,
		MTLSURL:           "https://mtls.shop.example", // only this name asks for certificates, so that browsers never do
		Logger:            slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	endpoint.Mount(mux)

	server := httptest.NewUnstartedServer(mux) // an http.Server does the same
	server.TLS = &tls.Config{ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: x509.NewCertPool()}
	server.TLS.ClientCAs.AddCert(ca)
	server.StartTLS()
	defer server.Close()

	client := server.Client()
	client.Transport.(*http.Transport).TLSClientConfig.Certificates = []tls.Certificate{certificate}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"billing"}}
	response, err := client.PostForm(server.URL+"/connect/token", form)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		log.Fatal(err)
	}
	var answer struct {
		TokenType string `json:"token_type"`
		Scope     string `json:"scope"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		log.Fatal(err)
	}
	fmt.Println(response.StatusCode, answer.TokenType, answer.Scope)
	// Output: 200 Bearer invoices
}

// exampleCertificates makes a CA and a certificate that it issued to CN=billing,O=Example.
func exampleCertificates() (ca *x509.Certificate, client tls.Certificate, err error) {
	issue := func(name pkix.Name, by *tls.Certificate) (*tls.Certificate, error) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		template := &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: name, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
			IsCA: by == nil, BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		}
		parent, signer := template, key
		if by != nil {
			parent, signer = by.Leaf, by.PrivateKey.(*ecdsa.PrivateKey)
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
		if err != nil {
			return nil, err
		}
		leaf, err := x509.ParseCertificate(der)
		return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
	}
	issuer, err := issue(pkix.Name{CommonName: "Example CA"}, nil)
	if err != nil {
		return nil, client, err
	}
	issued, err := issue(pkix.Name{CommonName: "billing", Organization: []string{"Example"}}, issuer)
	if err != nil {
		return nil, client, err
	}
	return issuer.Leaf, *issued, nil
}
