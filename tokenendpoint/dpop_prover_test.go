package tokenendpoint_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grantor-go/grantor/tokenendpoint"
)

// prover is a client that makes DPoP proofs with the standard library alone.
type prover struct {
	asserter
	url string // htu
	now func() time.Time
}

var proverCount atomic.Int64

// newProver has a key of its own, for ES256.
func newProver(t testing.TB, url string, now func() time.Time) prover {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return prover{asserter{alg: "ES256", signer: key}, url, now}
}

// proverOf has the key of an algorithm that is shared by all tests.
func proverOf(alg string, url string, now func() time.Time) prover {
	key := map[string]tokenendpoint.Alg{"Ed25519": tokenendpoint.EdDSA}[alg]
	if key == "" {
		key = tokenendpoint.Alg(alg)
	}
	return prover{asserter{alg: alg, signer: transcriptKeys[key]().Signer}, url, now}
}

// proof makes a proof for one request, altered in some way.
func (p prover) proof(changes ...assertionChange) string {
	header := jwtObject{"typ": "dpop+jwt", "alg": p.alg, "jwk": p.jwk(jwtObject{"kid": nil})}
	claims := jwtObject{"jti": fmt.Sprintf("proof-%d", proverCount.Add(1)), "htm": "POST", "htu": p.url, "iat": p.now().Unix()}
	for _, change := range changes {
		change(header, claims)
	}
	return p.sign(assertionJSON(header), assertionJSON(claims))
}

// jkt is the thumbprint of the key (RFC 7638 section 3), from members in their order.
func (p prover) jkt() string {
	key, canonical := p.jwk(), ""
	switch key["kty"] {
	case "EC":
		canonical = fmt.Sprintf(`{"crv":"%s","kty":"EC","x":"%s","y":"%s"}`, key["crv"], key["x"], key["y"])
	case "RSA":
		canonical = fmt.Sprintf(`{"e":"%s","kty":"RSA","n":"%s"}`, key["e"], key["n"])
	case "OKP":
		canonical = fmt.Sprintf(`{"crv":"%s","kty":"OKP","x":"%s"}`, key["crv"], key["x"])
	}
	sum := sha256.Sum256([]byte(canonical))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// private are the members of the key with that which nobody is to see.
func (p prover) private() jwtObject {
	d, err := p.signer.(*ecdsa.PrivateKey).Bytes()
	if err != nil {
		panic(err)
	}
	return p.jwk(jwtObject{"kid": nil, "d": base64.RawURLEncoding.EncodeToString(d)})
}

// byAnother has the signature of a key that is not in the header.
func (p prover) byAnother(signer crypto.Signer) string {
	other := p
	other.signer = signer
	return other.proof(withHeader("jwk", p.jwk(jwtObject{"kid": nil})))
}

// at is a time in a claim, relative to the clock, in seconds and fractions.
func (p prover) at(claim string, d time.Duration) assertionChange {
	at := p.now().Add(d).UnixMilli()
	return withClaim(claim, json.Number(fmt.Sprintf("%d.%03d", at/1000, at%1000)))
}
