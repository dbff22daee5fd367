// Package secret reads stored client secrets and compares presented ones with
// them, in constant time and at a bounded cost.
package secret

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// The most that a stored hash may ask for: about a second of one core.
const (
	maxArgonMemory = 256 << 10 // KiB
	maxArgonTime   = 10
	maxArgonLanes  = 16
	maxBcryptCost  = 14
)

// bcrypt looks at no more than this, so a longer secret would match by its
// first 72 octets.
const maxBcryptInput = 72

// Hash is a stored secret, read.
type Hash struct {
	algorithm    string
	sum          []byte // bcrypt: the whole stored string
	salt         []byte
	time, memory uint32
	lanes        uint8
}

// Slow reports whether the algorithm is one made to be slow.
func (h Hash) Slow() bool { return h.algorithm == "argon2id" || h.algorithm == "bcrypt" }

// Parse reads the stored form of a secret. Its errors quote no part of it.
func Parse(stored string) (Hash, error) {
	switch {
	case strings.HasPrefix(stored, "$sha256$"):
		return parseSHA("sha256", stored[len("$sha256$"):], sha256.Size)
	case strings.HasPrefix(stored, "$sha512$"):
		return parseSHA("sha512", stored[len("$sha512$"):], sha512.Size)
	case strings.HasPrefix(stored, "$argon2id$"):
		return parseArgon(stored)
	case strings.HasPrefix(stored, "$2a$"), strings.HasPrefix(stored, "$2b$"), strings.HasPrefix(stored, "$2y$"):
		return parseBcrypt(stored)
	}
	return Hash{}, errors.New("the stored secret begins with none of $sha256$, $sha512$, $argon2id$, $2a$, $2b$, $2y$")
}

func parseSHA(algorithm, encoded string, size int) (Hash, error) {
	sum, err := decode(encoded)
	if err != nil || len(sum) != size {
		return Hash{}, fmt.Errorf("the stored %s secret is not %d octets of base64", algorithm, size)
	}
	return Hash{algorithm: algorithm, sum: sum}, nil
}

func parseBcrypt(stored string) (Hash, error) {
	cost, err := bcrypt.Cost([]byte(stored))
	if err != nil || len(stored) != 60 {
		return Hash{}, errors.New("the stored bcrypt secret is malformed")
	}
	if cost > maxBcryptCost {
		return Hash{}, fmt.Errorf("the stored bcrypt secret has cost %d, more than %d", cost, maxBcryptCost)
	}
	return Hash{algorithm: "bcrypt", sum: []byte(stored)}, nil
}

func parseArgon(stored string) (Hash, error) {
	malformed := errors.New("the stored argon2id secret is malformed")
	parts := strings.Split(stored, "$")
	if len(parts) != 6 || parts[2] != "v=19" {
		return Hash{}, malformed
	}
	h := Hash{algorithm: "argon2id"}
	if n, err := fmt.Sscanf(parts[3]+"$", "m=%d,t=%d,p=%d$", &h.memory, &h.time, &h.lanes); n != 3 || err != nil {
		return Hash{}, malformed
	}
	if h.memory > maxArgonMemory || h.time > maxArgonTime || h.lanes > maxArgonLanes {
		return Hash{}, fmt.Errorf("the stored argon2id secret asks for more than m=%d,t=%d,p=%d", maxArgonMemory, maxArgonTime, maxArgonLanes)
	}
	var errSalt, errSum error
	h.salt, errSalt = decode(parts[4])
	h.sum, errSum = decode(parts[5])
	if errSalt != nil || errSum != nil || h.time == 0 || h.lanes == 0 || h.memory < 8*uint32(h.lanes) ||
		len(h.salt) < 8 || len(h.salt) > 64 || len(h.sum) < 16 || len(h.sum) > 64 {
		return Hash{}, malformed
	}
	return h, nil
}

// decode reads base64, with the padding that some tools leave on.
func decode(s string) ([]byte, error) {
	return base64.RawStdEncoding.Strict().DecodeString(strings.TrimRight(s, "="))
}

// matches computes the hash of presented and compares.
func (h Hash) matches(presented string) bool {
	switch h.algorithm {
	case "sha256":
		sum := sha256.Sum256([]byte(presented))
		return subtle.ConstantTimeCompare(sum[:], h.sum) == 1
	case "sha512":
		sum := sha512.Sum512([]byte(presented))
		return subtle.ConstantTimeCompare(sum[:], h.sum) == 1
	case "argon2id":
		sum := argon2.IDKey([]byte(presented), h.salt, h.time, h.memory, h.lanes, uint32(len(h.sum)))
		return subtle.ConstantTimeCompare(sum, h.sum) == 1
	case "bcrypt":
		fits := len(presented) <= maxBcryptInput
		if !fits {
			presented = presented[:maxBcryptInput] // the same work, then refused
		}
		return bcrypt.CompareHashAndPassword(h.sum, []byte(presented)) == nil && fits
	}
	return false
}
