package store

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"time"
)

// Secret is a client secret as it is stored: never the secret itself.
type Secret struct {
	// Hash is the hashed secret as a string that names its algorithm:
	//
	//	$sha256$HASH, $sha512$HASH         for generated secrets (HASH is unpadded base64)
	//	$argon2id$v=19$m=..,t=..,p=..$SALT$HASH  for secrets that a person chose
	//	$2a$, $2b$ or $2y$COST$...         the same, bcrypt
	//
	// The cost that a hash may ask for is bounded: argon2id to 256 MiB, 10
	// passes and 16 lanes, bcrypt to cost 14.
	Hash string

	// ExpiresAt is when the secret stops working. The zero Time means never, and
	// comes back as the zero Time.
	ExpiresAt time.Time

	// Label tells people which secret this is. It is shown in no answer.
	Label string
}

// NewSecret makes a client secret of 256 random bits and its stored form. The
// secret is 43 characters of base64url, which need no escaping in any form of
// client authentication. It cannot be had again: give it to the client and keep
// the Secret.
func NewSecret() (secret string, stored Secret) {
	var b [32]byte
	rand.Read(b[:]) // never fails since Go 1.24
	secret = base64.RawURLEncoding.EncodeToString(b[:])
	return secret, Secret{Hash: HashSecret(secret)}
}

// HashSecret returns the stored form ($sha256$...) of a secret that a machine
// generated. A fast hash protects only what cannot be guessed: for a secret
// that a person chose use argon2id or bcrypt, see [Secret].
func HashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return "$sha256$" + base64.RawStdEncoding.EncodeToString(sum[:])
}
