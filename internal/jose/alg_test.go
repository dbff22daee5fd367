package jose_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"math/big"
	"testing"

	"github.com/grantor-go/grantor/internal/jose"
)

// bits returns an RSA public key whose modulus has n bits.
func bits(n uint) *rsa.PublicKey {
	modulus := new(big.Int).Lsh(big.NewInt(1), n-1)
	return &rsa.PublicKey{N: modulus.Add(modulus, big.NewInt(1)), E: 65537}
}

// beside returns a point that is not on the curve.
func beside(curve elliptic.Curve) *ecdsa.PublicKey {
	return &ecdsa.PublicKey{Curve: curve, X: big.NewInt(1), Y: big.NewInt(1)}
}

// X-JOSE-08: RSA keys of fewer than 2048 bits and points off the curve are
// refused, and so is a key that does not fit its algorithm or an algorithm that
// is not on the list.
func TestKeysThatDoNotFitAreRefused(t *testing.T) {
	p256, p384 := keys()["ES256"].Public(), keys()["ES384"].Public()
	rsaKey, ed := keys()["RS256"].Public(), keys()["EdDSA"].Public()
	for _, c := range []struct {
		name   string
		alg    string
		public crypto.PublicKey
	}{
		{"ES256 does not take a key on P-384", "ES256", p384},
		{"ES384 does not take a key on P-256", "ES384", p256},
		{"ES256 does not take an RSA key", "ES256", rsaKey},
		{"ES384 does not take an RSA key", "ES384", rsaKey},
		{"ES256 does not take an Ed25519 key", "ES256", ed},
		{"PS256 does not take an EC key", "PS256", p256},
		{"RS256 does not take an EC key", "RS256", p256},
		{"RS256 does not take an Ed25519 key", "RS256", ed},
		{"EdDSA does not take an EC key", "EdDSA", p256},
		{"EdDSA does not take an RSA key", "EdDSA", rsaKey},
		{"ES256 does not take a point off the curve", "ES256", beside(elliptic.P256())},
		{"ES384 does not take a point off the curve", "ES384", beside(elliptic.P384())},
		{"RS256 does not take 1024 bits", "RS256", bits(1024)},
		{"PS256 does not take 1024 bits", "PS256", bits(1024)},
		{"RS256 does not take one bit too few", "RS256", bits(2047)},
		{"PS256 does not take one bit too few", "PS256", bits(2047)},
		{"A nil key fits nothing", "ES256", nil},
		{"A private key is not a public one", "ES256", keys()["ES256"]},
		{"A private RSA key is not a public one", "RS256", keys()["RS256"]},
		{"A private Ed25519 key is not a public one", "EdDSA", keys()["EdDSA"]},
		{"A symmetric key fits no algorithm", "ES256", []byte("0123456789abcdef0123456789abcdef")},
		{"HS256 is not on the list", "HS256", []byte("0123456789abcdef0123456789abcdef")},
		{"HS256 is not on the list for an RSA key either", "HS256", rsaKey},
		{"The algorithm none is not on the list", "none", p256},
		{"An algorithm in the wrong case is not on the list", "es256", p256},
		{"ES512 is not on the list", "ES512", p256},
		{"RS512 is not on the list", "RS512", rsaKey},
		{"An empty algorithm is not on the list", "", p256},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := jose.Check(c.alg, c.public); err == nil {
				t.Error("Check returned no error")
			}
			if _, err := jose.NewSigner(c.alg, "1", "at+jwt", bare{public: c.public}); err == nil {
				t.Error("NewSigner returned no error")
			}
			if jwk, err := jose.PublicJWK(c.alg, "1", c.public); err == nil {
				t.Errorf("PublicJWK returned %s and no error", jwk)
			}
		})
	}
}

func TestKeysThatFitAreTaken(t *testing.T) {
	for _, alg := range algorithms {
		if err := jose.Check(alg, keys()[alg].Public()); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
	}
	for _, alg := range []string{"PS256", "RS256"} {
		if err := jose.Check(alg, bits(2048)); err != nil {
			t.Errorf("%s with exactly 2048 bits: %v", alg, err)
		}
	}
	if err := jose.Check("EdDSA", make(ed25519.PublicKey, ed25519.PublicKeySize)); err != nil {
		t.Errorf("EdDSA: %v", err)
	}
}
