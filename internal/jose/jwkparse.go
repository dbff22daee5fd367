package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"math/big"
	"slices"
	"strings"
)

const maxRSABits = 8192 // verifying takes a millisecond

// parseKey returns a key that can verify by one of the algorithms at least.
func parseKey(members map[string]json.RawMessage) (JWK, bool) {
	kty, _ := text(members, "kty")
	var key JWK
	var ok [4]bool
	key.Kid, ok[0] = text(members, "kid")
	key.Alg, ok[1] = text(members, "alg")
	key.Use, ok[2] = text(members, "use")
	ok[3] = read(members, "key_ops", &key.KeyOps)
	if slices.Contains(ok[:], false) {
		return JWK{}, false
	}
	switch kty {
	case "EC":
		key.Public = parseEC(members)
	case "RSA":
		key.Public = parseRSA(members)
	case "OKP":
		key.Public = parseOKP(members)
	}
	for alg := range algorithms {
		if key.Fits(alg) {
			return key, true
		}
	}
	return JWK{}, false
}

// parseEC returns nil if there is no such key (RFC 7518 section 6.2.1). Here and below
// what Check looks at is left to it.
func parseEC(members map[string]json.RawMessage) crypto.PublicKey {
	var curve elliptic.Curve
	switch crv, _ := text(members, "crv"); crv {
	case "P-256":
		curve = elliptic.P256()
	case "P-384":
		curve = elliptic.P384()
	default:
		return nil
	}
	size := (curve.Params().BitSize + 7) / 8
	x, y := octets(members, "x"), octets(members, "y")
	if len(x) != size || len(y) != size {
		return nil
	}
	key, err := ecdsa.ParseUncompressedPublicKey(curve, slices.Concat([]byte{4}, x, y))
	if err != nil {
		return nil // it is not on the curve
	}
	return key
}

// parseRSA is of RFC 7518 section 6.3.1. A modulus that is even is none, and an
// exponent of more than 31 bits makes verifying slow.
func parseRSA(members map[string]json.RawMessage) crypto.PublicKey {
	n, e := octets(members, "n"), octets(members, "e")
	if len(n) > maxRSABits/8 || len(e) > 4 {
		return nil
	}
	modulus, exponent := new(big.Int).SetBytes(n), new(big.Int).SetBytes(e).Int64()
	if modulus.Bit(0) == 0 || exponent < 3 || exponent > 1<<31-1 || exponent%2 == 0 {
		return nil
	}
	return &rsa.PublicKey{N: modulus, E: int(exponent)}
}

// parseOKP is of RFC 8037 section 2.
func parseOKP(members map[string]json.RawMessage) crypto.PublicKey {
	if crv, _ := text(members, "crv"); crv != "Ed25519" {
		return nil
	}
	return ed25519.PublicKey(octets(members, "x"))
}

// text returns a member that is a string; "" if it is not there, false if it is
// something else.
func text(members map[string]json.RawMessage, name string) (string, bool) {
	var s string
	ok := read(members, name, &s)
	return s, ok
}

// read reads a member that may be missing, but not null or of another type.
func read(members map[string]json.RawMessage, name string, v any) bool {
	raw, there := members[name]
	return !there || string(raw) != "null" && json.Unmarshal(raw, v) == nil
}

// octets returns a member in base64url; nil if there is none.
func octets(members map[string]json.RawMessage, name string) []byte {
	s, _ := text(members, name)
	b, err := encoding.DecodeString(s)
	if err != nil || strings.ContainsAny(s, "\r\n") {
		return nil
	}
	return b
}
