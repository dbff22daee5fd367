// Package jose is the only package that imports jwx: it signs tokens and writes
// public keys. The list of algorithms that may be used lives here.
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

// algorithms are those that may sign, each with the check that a public key
// fits it (RFC 8725 section 3.1).
var algorithms = map[string]struct {
	jwa jwa.SignatureAlgorithm
	fit func(crypto.PublicKey) error
}{
	"ES256": {jwa.ES256, onCurve(elliptic.P256())},
	"ES384": {jwa.ES384, onCurve(elliptic.P384())},
	"PS256": {jwa.PS256, rsaKey},
	"RS256": {jwa.RS256, rsaKey},
	"EdDSA": {jwa.EdDSA, ed25519Key},
}

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
	if _, ok := public.(ed25519.PublicKey); !ok {
		return fmt.Errorf("the key is a %T, not Ed25519", public)
	}
	return nil
}

// Check returns an error if alg is not one of ES256, ES384, PS256, RS256 and
// EdDSA, or if the public key does not fit it.
func Check(alg string, public crypto.PublicKey) error {
	a, ok := algorithms[alg]
	if !ok {
		return fmt.Errorf("algorithm %q is not one of ES256, ES384, PS256, RS256, EdDSA", alg)
	}
	return a.fit(public)
}
