package jose_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

var algorithms = []string{"ES256", "ES384", "PS256", "RS256", "EdDSA"}

// keys holds a key for each algorithm, made once: RSA takes its time.
var keys = sync.OnceValue(func() map[string]crypto.Signer {
	p256, err256 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p384, err384 := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	rsa2048, errRSA := rsa.GenerateKey(rand.Reader, 2048)
	_, ed, errEd := ed25519.GenerateKey(rand.Reader)
	for _, err := range []error{err256, err384, errRSA, errEd} {
		if err != nil {
			panic(err)
		}
	}
	return map[string]crypto.Signer{"ES256": p256, "ES384": p384, "PS256": rsa2048, "RS256": rsa2048, "EdDSA": ed}
})

// remote is a key that only its interface is known of, as one in a KMS is.
type remote struct {
	key     crypto.Signer
	publics atomic.Int64
	sign    func(digest []byte) ([]byte, error) // instead of the key, if set
}

func (r *remote) Public() crypto.PublicKey {
	r.publics.Add(1)
	return r.key.Public()
}

func (r *remote) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if r.sign != nil {
		return r.sign(digest)
	}
	return r.key.Sign(random, digest, opts)
}

// bare is a signer of which nothing but the public key is used.
type bare struct {
	crypto.Signer
	public crypto.PublicKey
}

func (b bare) Public() crypto.PublicKey { return b.public }

// parts takes a token in compact serialisation apart, by hand.
func parts(t *testing.T, token string) (signed string, header map[string]any, claims, signature []byte) {
	t.Helper()
	three := strings.Split(token, ".")
	if len(three) != 3 {
		t.Fatalf("the token has %d parts, want 3: %q", len(three), token)
	}
	var decoded [3][]byte
	for i, part := range three {
		var err error
		if decoded[i], err = base64.RawURLEncoding.Strict().DecodeString(part); err != nil {
			t.Fatalf("part %d is not unpadded base64url: %v", i, err)
		}
	}
	if err := json.Unmarshal(decoded[0], &header); err != nil {
		t.Fatalf("the header is not JSON: %v", err)
	}
	return three[0] + "." + three[1], header, decoded[1], decoded[2]
}

// valid verifies a signature with the standard library alone.
func valid(t *testing.T, alg string, public crypto.PublicKey, signed string, signature []byte) bool {
	t.Helper()
	sum := sha256.Sum256([]byte(signed))
	switch alg {
	case "ES256":
		return validEC(t, public, sum[:], signature, 32)
	case "ES384":
		sum := sha512.Sum384([]byte(signed))
		return validEC(t, public, sum[:], signature, 48)
	case "PS256": // RFC 7518 section 3.5: the salt is as long as the hash
		opts := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
		return rsa.VerifyPSS(public.(*rsa.PublicKey), crypto.SHA256, sum[:], signature, opts) == nil
	case "RS256":
		return rsa.VerifyPKCS1v15(public.(*rsa.PublicKey), crypto.SHA256, sum[:], signature) == nil
	case "EdDSA":
		return ed25519.Verify(public.(ed25519.PublicKey), []byte(signed), signature)
	}
	t.Fatalf("no such algorithm: %s", alg)
	return false
}

// validEC reads r and s, each as long as the curve's order (RFC 7518 section 3.4).
func validEC(t *testing.T, public crypto.PublicKey, sum, signature []byte, size int) bool {
	t.Helper()
	if len(signature) != 2*size {
		t.Errorf("the signature has %d octets, want r and s of %d each", len(signature), size)
		return false
	}
	r, s := new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:])
	return ecdsa.Verify(public.(*ecdsa.PublicKey), sum, r, s)
}

func members(t *testing.T, raw []byte) map[string]string {
	t.Helper()
	var m map[string]string
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if err := decoder.Decode(&m); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return m
}
