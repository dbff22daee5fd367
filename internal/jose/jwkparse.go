package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"math/big"
	"slices"
)

const maxRSABits = 8192 // verifying takes a millisecond

// parseKey returns a key that can verify by one of the algorithms at least.
func parseKey(members Object) (JWK, bool) {
	kty, _ := members.Text("kty")
	var key JWK
	var ok [4]bool
	key.Kid, ok[0] = members.Text("kid")
	key.Alg, ok[1] = members.Text("alg")
	key.Use, ok[2] = members.Text("use")
	key.KeyOps, ok[3] = members.Texts("key_ops")
	ok[3] = ok[3] && (key.KeyOps == nil || members.Raw("key_ops")[0] == '[')
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
		if key.allows(alg) {
			key.algs = append(key.algs, alg)
		}
	}
	return key, key.algs != nil
}

// parseEC returns nil if there is no such key (RFC 7518 section 6.2.1). Here and below
// what Check looks at is left to it.
func parseEC(members Object) crypto.PublicKey {
	var curve elliptic.Curve
	switch crv, _ := members.Text("crv"); crv {
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
// exponent of more than 17 bits, which nobody needs, makes verifying slow.
func parseRSA(members Object) crypto.PublicKey {
	n, e := octets(members, "n"), octets(members, "e")
	if len(n) > maxRSABits/8 || len(e) > 3 {
		return nil
	}
	modulus, exponent := new(big.Int).SetBytes(n), new(big.Int).SetBytes(e).Int64()
	if modulus.Bit(0) == 0 || exponent < 3 || exponent > 1<<16+1 || exponent%2 == 0 {
		return nil
	}
	return &rsa.PublicKey{N: modulus, E: int(exponent)}
}

// parseOKP is of RFC 8037 section 2.
func parseOKP(members Object) crypto.PublicKey {
	if crv, _ := members.Text("crv"); crv != "Ed25519" {
		return nil
	}
	return ed25519.PublicKey(octets(members, "x"))
}

// octets returns a member in base64url; nil if there is none.
func octets(members Object, name string) []byte {
	s, _ := members.Text(name)
	b, err := encoding.DecodeString(s)
	if err != nil || hasLineFeed(s) {
		return nil
	}
	return b
}
