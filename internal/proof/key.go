package proof

import (
	"crypto"
	"slices"

	"github.com/grantor-go/grantor/internal/jose"
)

// algorithms are those that a proof may be signed by: all have a public key (RFC
// 9449 section 4.3 no. 5). EdDSA is the older name of Ed25519 (RFC 9864).
var algorithms = []string{"ES256", "ES384", "PS256", "RS256", "EdDSA", "Ed25519"}

// Algorithms returns the algorithms that proofs may be signed by, for
// dpop_signing_alg_values_supported (RFC 9449 section 5.1).
func Algorithms() []string { return slices.Clone(algorithms) }

func supported(alg string) bool { return slices.Contains(algorithms, alg) }

// publicKey reads the key of a proof as a JWK Set of one. So one with a member of a
// private key is refused, whatever the value (RFC 9449 section 4.3 no. 7), and so is
// one that is not for signatures by alg.
func publicKey(jwk string, alg string) (crypto.PublicKey, bool) {
	keys, err := jose.ParseJWKS([]byte(`{"keys":[` + jwk + `]}`))
	if err != nil || len(keys) != 1 || !keys[0].Fits(alg) {
		return nil, false
	}
	return keys[0].Public, true
}
