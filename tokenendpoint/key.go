package tokenendpoint

import (
	"context"
	"crypto"
	"time"
)

// Alg is a signature algorithm by its JWS name (RFC 7518, RFC 8037).
type Alg string

// The algorithms that may sign.
const (
	ES256 Alg = "ES256" // ECDSA with P-256: small and fast, the default of RollingKeys
	ES384 Alg = "ES384" // ECDSA with P-384
	PS256 Alg = "PS256" // RSA PSS of 2048 bits or more
	RS256 Alg = "RS256" // RSA PKCS #1 v1.5 of 2048 bits or more: understood everywhere
	EdDSA Alg = "EdDSA" // Ed25519
)

// Key is a key that signs tokens. Which key signs follows from the keys and the
// clock alone, so that all nodes agree: the first key in the source's order whose
// time has come determines the algorithm, and of the keys of that algorithm whose
// time has come the one with the latest SignFrom signs.
type Key struct {
	// ID is the kid of the token's header and of the published key, unique in its
	// source: 1 to 256 printable ASCII characters.
	ID string

	// Alg is the algorithm; it must fit the public key.
	Alg Alg

	// Signer holds the key, or reaches it in an HSM or a KMS. Of a key that no
	// longer signs only Public is used. An error of Sign is an outage. Sign gets
	// no context, so a remote signer needs a timeout of its own.
	Signer crypto.Signer

	// SignFrom and SignUntil bound when the key signs; zero means no bound. Have
	// a key published for a day before SignFrom, so that every API knows it.
	SignFrom  time.Time
	SignUntil time.Time

	// PublishUntil is when the key leaves the JWKS; zero means never. A token
	// never outlives it: lifetimes are cut, if need be.
	PublishUntil time.Time
}

// KeySource provides the keys. Implementations are safe for concurrent use.
type KeySource interface {
	// Keys returns all keys that sign or are still published, at least one. It is
	// called for every request and must be fast. While nothing changed it returns
	// the same slice; neither caller nor source alters a slice or its keys once
	// it was returned; a new slice is checked anew. An error is an outage and
	// answered with 503, a set without a usable key is a server_error.
	Keys(ctx context.Context) ([]Key, error)
}

func (k *Key) signs(now time.Time) bool {
	return !now.Before(k.SignFrom) && (k.SignUntil.IsZero() || now.Before(k.SignUntil)) && k.limit(now, time.Second) == time.Second
}

func (k *Key) published(now time.Time) bool {
	return k.PublishUntil.IsZero() || now.Before(k.PublishUntil)
}

// limit cuts a lifetime so that the token can be verified as long as it lives.
func (k *Key) limit(now time.Time, lifetime time.Duration) time.Duration {
	if k.PublishUntil.IsZero() {
		return lifetime
	}
	return max(0, min(lifetime, k.PublishUntil.Sub(now).Truncate(time.Second)))
}

// StaticKeys is a [KeySource] of keys that do not change while the process runs.
type StaticKeys []Key

// Keys returns the keys.
func (s StaticKeys) Keys(context.Context) ([]Key, error) { return s, nil }
