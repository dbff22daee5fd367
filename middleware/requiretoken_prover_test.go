package middleware_test

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"net/http"
	"testing"
	"time"
)

// prover is a client that makes DPoP proofs for the guarded URL.
type prover struct {
	keyholder
	gate *gate
}

func newProver(g *gate) prover { return prover{newKeyholder(g.t), g} }

// token is one that is bound to the prover's key.
func (p prover) token() string { return p.gate.token(object{"cnf": object{"jkt": p.jkt()}}) }

// proof is a good one for a token, but for the changes to its header and claims.
func (p prover) proof(token string, header, claims object) string {
	sum := sha256.Sum256([]byte(token))
	return p.sign(object{"typ": "dpop+jwt", "alg": "ES256", "jwk": p.jwk(nil)}.with(header), object{
		"jti": rand.Text(), "htm": "GET", "htu": gateURL, "iat": p.gate.now().Unix(),
		"ath": base64.RawURLEncoding.EncodeToString(sum[:]),
	}.with(claims))
}

// certificate is one that a client made itself, and its thumbprint.
func certificate(t testing.TB) (*x509.Certificate, string) {
	t.Helper()
	key := newKeyholder(t).key
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "client"}, NotAfter: time.Unix(1<<32, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(cert.Raw)
	return cert, base64.RawURLEncoding.EncodeToString(sum[:])
}

// withCertificate has callers use a certificate, nil for none, or fail.
func withCertificate(cert *x509.Certificate, err error) func(*gate) {
	return func(g *gate) {
		g.guard.ClientCertificate = func(*http.Request) (*x509.Certificate, bool, error) { return cert, false, err }
	}
}
