package jose

import (
	"crypto"
	"encoding/base64"
	"encoding/json"

	"github.com/lestrrat-go/jwx/v2/jwk"
)

// PublicJWK returns a public key as a JSON Web Key for signatures (RFC 7517)
// with kid, alg and use, for what NewSigner takes.
func PublicJWK(alg, kid string, public crypto.PublicKey) (json.RawMessage, error) {
	if err := checkSigning(alg, public); err != nil {
		return nil, err
	}
	key, err := jwk.FromRaw(public)
	if err != nil {
		return nil, err
	}
	for name, value := range map[string]any{
		jwk.KeyIDKey:     kid,
		jwk.AlgorithmKey: algorithms[alg].jwa,
		jwk.KeyUsageKey:  jwk.ForSignature,
	} {
		if err := key.Set(name, value); err != nil {
			return nil, err
		}
	}
	return json.Marshal(key)
}

// Thumbprint returns the RFC 7638 thumbprint of a public key, SHA-256 in
// base64url: a key id that is the same wherever it is computed.
func Thumbprint(public crypto.PublicKey) (string, error) {
	key, err := jwk.FromRaw(public)
	if err != nil {
		return "", err
	}
	sum, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(sum), nil
}
