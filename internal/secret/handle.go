package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
)

// A handle is a letter for its kind and, in base64url, the 128 bits of its family
// and 256 bits of its own. Only who holds it can redeem it: a store keeps its
// hash.
const (
	familySize = 16
	secretSize = 32
)

var encoding = base64.RawURLEncoding.Strict() // one string a handle

// NewID returns 128 bits at random: 22 characters.
func NewID() string {
	var id [familySize]byte
	rand.Read(id[:])
	return encoding.EncodeToString(id[:])
}

// NewHandle returns a new handle of a kind, which is one letter, in a family that
// NewID named.
func NewHandle(kind, family string) (string, error) {
	id, err := encoding.DecodeString(family)
	if err != nil || len(id) != familySize || len(kind) != 1 {
		return "", errors.New("a handle needs a kind of one letter and a family of 128 bits")
	}
	random := append(id, make([]byte, secretSize)...)
	rand.Read(random[familySize:])
	return kind + encoding.EncodeToString(random), nil
}

// KeyOf returns the family of a handle of a kind, and the hash that it is kept by.
// ok is false if it is no such handle.
func KeyOf(kind, handle string) (family, hash string, ok bool) {
	if len(handle) != 1+encoding.EncodedLen(familySize+secretSize) || handle[:1] != kind {
		return "", "", false
	}
	random, err := encoding.DecodeString(handle[1:])
	if err != nil || len(random) != familySize+secretSize { // line breaks are skipped
		return "", "", false
	}
	sum := sha256.Sum256([]byte(handle))
	return encoding.EncodeToString(random[:familySize]), encoding.EncodeToString(sum[:]), true
}

// Seal encrypts the handle that follows another, for whoever holds that one: the
// key is derived from it, so what is kept with its hash opens nothing.
func Seal(handle, successor string) ([]byte, error) {
	aead, err := sealer(handle)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize())
	rand.Read(nonce)
	return aead.Seal(nonce, nonce, []byte(successor), nil), nil
}

// Open returns what Seal encrypted.
func Open(handle string, sealed []byte) (successor string, err error) {
	aead, err := sealer(handle)
	if err != nil {
		return "", err
	}
	if len(sealed) < aead.NonceSize() {
		return "", errors.New("the sealed handle is too short")
	}
	plain, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], nil)
	if err != nil {
		return "", errors.New("the sealed handle cannot be opened")
	}
	return string(plain), nil
}

func sealer(handle string) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, []byte(handle), nil, "grantor: the handle that follows", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// KeyOfUserCode returns where what a user code stands for is kept. A user code is too
// short for a family of its own and a secret; both are derived from it, so that no two
// are alive at once.
func KeyOfUserCode(code string) (family, hash string) {
	sum := sha256.Sum256([]byte("grantor: the family of user code " + code))
	hashed := sha256.Sum256([]byte("grantor: the key of user code " + code))
	return encoding.EncodeToString(sum[:familySize]), encoding.EncodeToString(hashed[:])
}

// KeyOfRevoked returns where it is kept that a token without a handle was revoked, and the
// family that it has there if it belongs to none.
func KeyOfRevoked(issuer, id string) (family, hash string) {
	sum := sha256.Sum256([]byte("grantor: the family of token " + id + " of " + issuer))
	hashed := sha256.Sum256([]byte("grantor: the revocation of token " + id + " of " + issuer))
	return encoding.EncodeToString(sum[:familySize]), encoding.EncodeToString(hashed[:])
}
