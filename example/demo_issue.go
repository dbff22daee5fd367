package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/grantor-go/grantor/internal/jose"
)

// demoLife is as long as the strictest clients take a server's certificate.
const demoLife = 825 * 24 * time.Hour

// makeDemoKeys makes the folder, wholly or not at all: a CA, a server's certificate,
// those of clients, and the clients' public keys as JWK Sets.
func makeDemoKeys(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return err
	}
	making, err := os.MkdirTemp(filepath.Dir(dir), "demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(making)
	var d demoFolder
	d.path = making
	ca, caKey := d.issue("ca", x509.Certificate{Subject: pkix.Name{CommonName: "Demo CA", Organization: []string{"Demo"}},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil, nil)
	d.issue("server", x509.Certificate{Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, ca, caKey)
	ofClient := x509.Certificate{Subject: pkix.Name{CommonName: "mtls", Organization: []string{"Demo"}}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	d.issue("mtls", ofClient, ca, caKey)
	ofClient.Subject.CommonName = "self-signed"
	selfSigned, selfSignedKey := d.issue("self-signed", ofClient, nil, nil)
	d.writeJWKS("self-signed", selfSignedKey, selfSigned)
	d.writeJWKS("jwt", d.newKey("jwt"), nil)
	if d.err != nil {
		return d.err
	}
	if err := os.Rename(making, dir); err != nil && !errors.Is(err, fs.ErrExist) { // another start was faster
		return err
	}
	return nil
}

// demoFolder writes keys and certificates until something fails.
type demoFolder struct {
	path string
	err  error
}

func (d *demoFolder) write(name string, content []byte) {
	if d.err == nil {
		d.err = os.WriteFile(filepath.Join(d.path, name), content, 0o600)
	}
}

func (d *demoFolder) newKey(name string) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		d.err = errors.Join(d.err, err)
		return nil
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	d.err = errors.Join(d.err, err)
	d.write(name+"-key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	return key
}

// issue makes a key and its certificate, which is self-signed if there is no CA.
func (d *demoFolder) issue(name string, template x509.Certificate, ca *x509.Certificate, caKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	key := d.newKey(name)
	if d.err != nil {
		return nil, nil
	}
	template.NotBefore = time.Now().Add(-time.Minute)
	template.NotAfter = template.NotBefore.Add(demoLife)
	if !template.IsCA {
		template.KeyUsage = x509.KeyUsageDigitalSignature
	}
	if ca == nil {
		ca, caKey = &template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, ca, key.Public(), caKey)
	if err != nil {
		d.err = err
		return nil, nil
	}
	d.write(name+".pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	cert, err := x509.ParseCertificate(der)
	d.err = errors.Join(d.err, err)
	return cert, key
}

// writeJWKS writes the public key, with its certificate if it has one (RFC 8705 section
// 2.2.2).
func (d *demoFolder) writeJWKS(name string, key *ecdsa.PrivateKey, cert *x509.Certificate) {
	if d.err != nil {
		return
	}
	kid, err := jose.Thumbprint(key.Public())
	if err != nil {
		d.err = err
		return
	}
	jwk, err := jose.PublicJWK("ES256", kid, key.Public())
	d.err = err
	set := string(jwk)
	if cert != nil {
		set = strings.TrimSuffix(set, "}") + `,"x5c":["` + base64.StdEncoding.EncodeToString(cert.Raw) + `"]}`
	}
	d.write(name+"-jwks.json", []byte(`{"keys":[`+set+"]}\n"))
}
