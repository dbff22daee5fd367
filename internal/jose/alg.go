// Package jose signs and verifies tokens, and writes and reads public keys. The list of
// algorithms that may be used lives here. It is the only package that imports jwx, which
// signs, and writes public keys; what strangers sent is read and verified without it.
package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"

	"github.com/lestrrat-go/jwx/v2/jwa"
)

const minRSABits = 2048 // RFC 7518 section 3.3

// algorithms are those that may be verified, each with the check that a public
// key fits it (RFC 8725 section 3.1).
var algorithms = map[string]struct {
	jwa    jwa.SignatureAlgorithm
	fit    func(crypto.PublicKey) error
	verify func(public crypto.PublicKey, signed string, signature []byte) bool
}{
	"ES256":     {jwa.ES256, onCurve(elliptic.P256()), verifyES256},
	"ES384":     {jwa.ES384, onCurve(elliptic.P384()), verifyES384},
	"PS256":     {jwa.PS256, rsaKey, verifyPS256},
	"RS256":     {jwa.RS256, rsaKey, verifyRS256},
	"EdDSA":     {jwa.EdDSA, ed25519Key, verifyEdDSA},
	ed25519Name: {jwa.EdDSA, ed25519Key, verifyEdDSA},
}

// ed25519Name is the other name of EdDSA with a key on that curve (RFC 9864). Some
// clients sign under it; the endpoint does not, because many APIs do not know it.
const ed25519Name = "Ed25519"

func onCurve(curve elliptic.Curve) func(crypto.PublicKey) error {
	return func(public crypto.PublicKey) error {
		key, ok := public.(*ecdsa.PublicKey)
		if !ok {
			return fmt.Errorf("the key is a %T, not ECDSA", public)
		}
		if key.Curve != curve {
			return fmt.Errorf("the key's curve is %s, not %s", key.Curve.Params().Name, curve.Params().Name)
		}
		if _, err := key.ECDH(); err != nil {
			return errors.New("the key is not a point on its curve")
		}
		return nil
	}
}

func rsaKey(public crypto.PublicKey) error {
	key, ok := public.(*rsa.PublicKey)
	if !ok {
		return fmt.Errorf("the key is a %T, not RSA", public)
	}
	if bits := key.N.BitLen(); bits < minRSABits {
		return fmt.Errorf("the key has %d bits, fewer than %d", bits, minRSABits)
	}
	return nil
}

func ed25519Key(public crypto.PublicKey) error {
	key, ok := public.(ed25519.PublicKey)
	if !ok {
		return fmt.Errorf("the key is a %T, not Ed25519", public)
	}
	if len(key) != ed25519.PublicKeySize {
		return fmt.Errorf("the key has %d octets, not %d", len(key), ed25519.PublicKeySize)
	}
	return nil
}

// Check returns an error if alg is not one of ES256, ES384, PS256, RS256, EdDSA and
// Ed25519, which is EdDSA by another name, or if the public key does not fit it.
func Check(alg string, public crypto.PublicKey) error {
	a, ok := algorithms[alg]
	if !ok {
		return fmt.Errorf("algorithm %q is not one of ES256, ES384, PS256, RS256, EdDSA", alg)
	}
	return a.fit(public)
}

// checkSigning is Check for the keys that the endpoint signs with.
func checkSigning(alg string, public crypto.PublicKey) error {
	if alg == ed25519Name {
		return fmt.Errorf("algorithm %q is for what others sign; sign by EdDSA", alg)
	}
	return Check(alg, public)
}
