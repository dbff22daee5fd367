package tokenendpoint_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"
)

// certificateName is in each name of each certificate, so that a log which quotes one is
// found out.
const certificateName = "cornflower"

// certificateDN is the subject of the certificates of this organisation and unit.
const certificateDN = "CN=billing,OU=Desk 7,O=" + certificateName

// certificateCA is the CA that the servers of these tests trust, certificateStranger one
// of the same name that they do not.
var (
	certificateCA       = sync.OnceValue(func() *tls.Certificate { return newCertificateCA() })
	certificateStranger = sync.OnceValue(func() *tls.Certificate { return newCertificateCA() })
)

func newCertificateCA() *tls.Certificate {
	return certificateFor(certificateKey(), nil, func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: "CA", Organization: []string{certificateName}}
		c.IsCA, c.KeyUsage, c.ExtKeyUsage = true, x509.KeyUsageCertSign, nil
		c.NotBefore, c.NotAfter = keysStart.AddDate(-1, 0, 0), keysStart.AddDate(1, 0, 0)
	})
}

func certificateKeyOf(cert *tls.Certificate) crypto.Signer {
	return cert.PrivateKey.(crypto.Signer)
}

func certificateKey() crypto.Signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

// certificateFor makes a certificate for a key that has one name of each kind and is
// valid an hour before and after keysStart: issued by a CA or, by nil, self-signed.
func certificateFor(key crypto.Signer, ca *tls.Certificate, alter ...func(*x509.Certificate)) *tls.Certificate {
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber:   serial,
		Subject:        pkix.Name{CommonName: "billing", OrganizationalUnit: []string{"Desk 7"}, Organization: []string{certificateName}},
		DNSNames:       []string{"billing." + certificateName + ".example"},
		URIs:           []*url.URL{{Scheme: "spiffe", Host: certificateName + ".example", Path: "/billing"}},
		IPAddresses:    []net.IP{net.ParseIP("2001:db8::7")},
		EmailAddresses: []string{"billing@" + certificateName + ".example"},
		NotBefore:      keysStart.Add(-time.Hour), NotAfter: keysStart.Add(time.Hour),
		BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	for _, change := range alter {
		change(template)
	}
	parent, signer := template, any(key)
	if ca != nil {
		parent, signer = ca.Leaf, ca.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// certificateIssued is one of the CA with a new key, certificateSelfSigned one with the
// same names that anybody can make.
func certificateIssued(alter ...func(*x509.Certificate)) *tls.Certificate {
	return certificateFor(certificateKey(), certificateCA(), alter...)
}

func certificateSelfSigned(alter ...func(*x509.Certificate)) *tls.Certificate {
	return certificateFor(certificateKey(), nil, alter...)
}

// certificateThumbprint is x5t#S256 (RFC 8705 section 3.1).
func certificateThumbprint(cert *tls.Certificate) string {
	sum := sha256.Sum256(cert.Certificate[0])
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// certificateJWKS is a JWK Set of the keys of certificates, each with its x5c (RFC 8705
// section 2.2.2).
func certificateJWKS(t testing.TB, certs ...*tls.Certificate) json.RawMessage {
	t.Helper()
	keys := make([]jwtObject, len(certs))
	for i, cert := range certs {
		keys[i] = asserter{signer: certificateKeyOf(cert)}.jwk(jwtObject{"kid": nil, "x5c": []string{base64.StdEncoding.EncodeToString(cert.Certificate[0])}})
	}
	set, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		t.Fatal(err)
	}
	return set
}
