package main

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tlsShop is the example by https, with its test keys.
type tlsShop struct {
	t      *testing.T
	issuer string
	data   string
}

// startTLS runs it on a free port.
func startTLS(t *testing.T, args ...string) *tlsShop {
	t.Helper()
	shop, _, _ := startTLSIn(t, t.TempDir(), args...)
	return shop
}

func startTLSIn(t *testing.T, data string, args ...string) (shop *tlsShop, end func(), ended <-chan struct{}) {
	t.Helper()
	shop = &tlsShop{t: t, data: data}
	issuer, end, ended := startUntil(t, append([]string{"-data", data, "-demo",
		"-tls-cert", shop.file("server.pem"), "-tls-key", shop.file("server-key.pem"), "-client-ca", shop.file("ca.pem")}, args...)...)
	shop.issuer = issuer
	return shop, end, ended
}

func (s *tlsShop) file(name string) string { return filepath.Join(s.data, "demo", name) }

// config trusts the shop, and shows a certificate, if there is one.
func (s *tlsShop) config(certs ...tls.Certificate) *tls.Config {
	s.t.Helper()
	ca, err := os.ReadFile(s.file("ca.pem"))
	if err != nil {
		s.t.Fatal(err)
	}
	config := &tls.Config{RootCAs: x509.NewCertPool(), Certificates: certs}
	config.RootCAs.AppendCertsFromPEM(ca)
	return config
}

func (s *tlsShop) client(certs ...tls.Certificate) *http.Client {
	s.t.Helper()
	transport := &http.Transport{TLSClientConfig: s.config(certs...), ForceAttemptHTTP2: true}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// pair is a certificate of the folder and its key.
func (s *tlsShop) pair(name string) tls.Certificate {
	s.t.Helper()
	pair, err := tls.LoadX509KeyPair(s.file(name+".pem"), s.file(name+"-key.pem"))
	if err != nil {
		s.t.Fatal(err)
	}
	return pair
}

// issue makes a certificate of a name, by the shop's CA or, without one, its own.
func (s *tlsShop) issue(name string, template x509.Certificate, byCA bool) tls.Certificate {
	s.t.Helper()
	other := &tlsShop{t: s.t, data: s.t.TempDir()}
	if err := os.Mkdir(filepath.Join(other.data, "demo"), 0o700); err != nil {
		s.t.Fatal(err)
	}
	d := demoFolder{path: filepath.Join(other.data, "demo")}
	if byCA {
		ca := s.pair("ca")
		d.issue(name, template, ca.Leaf, ecKey(s.t, s.file("ca-key.pem")))
	} else {
		d.issue(name, template, nil, nil)
	}
	if d.err != nil {
		s.t.Fatal(d.err)
	}
	return other.pair(name)
}

// ask asks for a token of a client without any credentials but the certificate.
func (s *tlsShop) ask(clientID string, certs ...tls.Certificate) (int, map[string]any) {
	s.t.Helper()
	return postBy(s.t, s.client(certs...), s.issuer+"/connect/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {clientID}, "scope": {"api1"}})
}

// cnf is what a token is bound to.
func cnf(t *testing.T, members map[string]any) map[string]any {
	t.Helper()
	token, _ := members["access_token"].(string)
	parts := strings.Split(token, ".")
	var claims struct{ CNF map[string]any }
	if len(parts) != 3 {
		t.Fatalf("there is no token: %v", members["error"])
	}
	if err := decodePart(parts[1], &claims); err != nil {
		t.Fatal(err)
	}
	return claims.CNF
}

// 8705-3-01: who shows a certificate has a token that is bound to it.
func TestATokenIsBoundToTheCertificate(t *testing.T) {
	shop := startTLS(t, "-store", "memory:")
	if !strings.HasPrefix(shop.issuer, "https://127.0.0.1:") {
		t.Errorf("the issuer is %s", shop.issuer)
	}
	for _, name := range []string{"mtls", "self-signed"} {
		t.Run(name+" has one", func(t *testing.T) {
			pair := shop.pair(name)
			status, members := shop.ask(name, pair)
			sum := sha256.Sum256(pair.Certificate[0])
			bound := cnf(t, members)
			if want := base64.RawURLEncoding.EncodeToString(sum[:]); status != http.StatusOK || bound["x5t#S256"] != want || len(bound) != 1 {
				t.Errorf("status %d, cnf %v, want %s", status, bound, want)
			}
		})
	}
	t.Run("who has none goes on without", func(t *testing.T) {
		status, members := postBy(t, shop.client(), shop.issuer+"/connect/token", url.Values{
			"grant_type": {"client_credentials"}, "client_id": {"client1"}, "client_secret": {"secret"}, "scope": {"scope1"}})
		if bound := cnf(t, members); status != http.StatusOK || bound != nil {
			t.Errorf("status %d, cnf %v", status, bound)
		}
	})
}

// 8705-2.1-01, 8705-2.2-01
func TestWhoseCertificateIsRefused(t *testing.T) {
	shop := startTLS(t, "-store", "memory:")
	ofClient := func(name string) x509.Certificate {
		template := x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
		template.Subject.CommonName, template.Subject.Organization = name, []string{"Demo"}
		return template
	}
	forServers := ofClient("mtls")
	forServers.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for name, c := range map[string]struct {
		clientID string
		certs    []tls.Certificate
		status   int
	}{
		"mtls with another one of its name is let in":         {"mtls", []tls.Certificate{shop.issue("mtls", ofClient("mtls"), true)}, http.StatusOK},
		"mtls without one is refused":                         {"mtls", nil, http.StatusUnauthorized},
		"mtls with one that it made itself is refused":        {"mtls", []tls.Certificate{shop.issue("mtls", ofClient("mtls"), false)}, http.StatusUnauthorized},
		"mtls with one of another name is refused":            {"mtls", []tls.Certificate{shop.issue("mtls", ofClient("other"), true)}, http.StatusUnauthorized},
		"mtls with one for servers is refused":                {"mtls", []tls.Certificate{shop.issue("mtls", forServers, true)}, http.StatusUnauthorized},
		"mtls with that of self-signed is refused":            {"mtls", []tls.Certificate{shop.pair("self-signed")}, http.StatusUnauthorized},
		"self-signed without one is refused":                  {"self-signed", nil, http.StatusUnauthorized},
		"self-signed with that of mtls is refused":            {"self-signed", []tls.Certificate{shop.pair("mtls")}, http.StatusUnauthorized},
		"self-signed with one of its name is refused":         {"self-signed", []tls.Certificate{shop.issue("self-signed", ofClient("self-signed"), false)}, http.StatusUnauthorized},
		"self-signed with one of its name by a CA is refused": {"self-signed", []tls.Certificate{shop.issue("self-signed", ofClient("self-signed"), true)}, http.StatusUnauthorized},
		"jwt with a certificate is refused":                   {"jwt", []tls.Certificate{shop.pair("mtls")}, http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			status, members := shop.ask(c.clientID, c.certs...)
			if status != c.status || status != http.StatusOK && members["error"] != "invalid_client" {
				t.Errorf("status %d, error %v", status, members["error"])
			}
		})
	}
}

func TestWhatTLSIsSpoken(t *testing.T) {
	shop := startTLS(t, "-store", "memory:")
	address := strings.TrimPrefix(shop.issuer, "https://")
	for name, c := range map[string]struct {
		version, suite uint16
		ok             bool
	}{
		"1.3 is":                           {tls.VersionTLS13, 0, true},
		"1.2 with ECDHE and GCM is":        {tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, true},
		"1.2 with ECDHE and CBC is not":    {tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, false},
		"1.2 with ECDHE and ChaCha is not": {tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, false},
		"1.1 is not":                       {tls.VersionTLS11, tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, false},
	} {
		t.Run(name, func(t *testing.T) {
			config := shop.config()
			config.MinVersion, config.MaxVersion, config.CipherSuites = c.version, c.version, []uint16{c.suite}
			connection, err := tls.Dial("tcp", address, config)
			if (err == nil) != c.ok {
				t.Errorf("err = %v", err)
			}
			if err == nil {
				connection.Close()
			}
		})
	}
	t.Run("http is not", func(t *testing.T) {
		response, err := http.Get("http://" + address + "/")
		if err != nil {
			t.Fatal(err)
		}
		if response.Body.Close(); response.StatusCode != http.StatusBadRequest {
			t.Errorf("status %d", response.StatusCode)
		}
	})
	t.Run("a browser is not asked for a certificate without -client-ca", func(t *testing.T) {
		issuer := start(t, "-store", "memory:", "-tls-cert", shop.file("server.pem"), "-tls-key", shop.file("server-key.pem"))
		config, asked := shop.config(), false
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			asked = true
			return new(tls.Certificate), nil
		}
		connection, err := tls.Dial("tcp", strings.TrimPrefix(issuer, "https://"), config)
		if err != nil {
			t.Fatal(err)
		}
		if connection.Close(); asked {
			t.Error("it is")
		}
	})
}
