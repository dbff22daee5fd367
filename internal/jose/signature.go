package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"math/big"
)

// The functions here report whether the private key of a public one made a signature. A
// key that does not fit made none.

func verifyES256(public crypto.PublicKey, signed string, signature []byte) bool {
	sum := sha256.Sum256([]byte(signed))
	return verifyECDSA(public, sum[:], signature)
}

func verifyES384(public crypto.PublicKey, signed string, signature []byte) bool {
	sum := sha512.Sum384([]byte(signed))
	return verifyECDSA(public, sum[:], signature)
}

// verifyECDSA reads r and s, each as long as the numbers of the curve (RFC 7518 section
// 3.4).
func verifyECDSA(public crypto.PublicKey, sum, signature []byte) bool {
	key, ok := public.(*ecdsa.PublicKey)
	if !ok {
		return false
	}
	size := (key.Curve.Params().BitSize + 7) / 8
	if len(signature) != 2*size {
		return false
	}
	r, s := new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:])
	return ecdsa.Verify(key, sum, r, s)
}

func verifyRS256(public crypto.PublicKey, signed string, signature []byte) bool {
	key, ok := public.(*rsa.PublicKey)
	sum := sha256.Sum256([]byte(signed))
	return ok && rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) == nil
}

// verifyPS256 wants a salt that is as long as the hash (RFC 7518 section 3.5).
func verifyPS256(public crypto.PublicKey, signed string, signature []byte) bool {
	key, ok := public.(*rsa.PublicKey)
	sum := sha256.Sum256([]byte(signed))
	return ok && rsa.VerifyPSS(key, crypto.SHA256, sum[:], signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
}

// verifyEdDSA checks the length of the key, which ed25519.Verify answers by a panic.
func verifyEdDSA(public crypto.PublicKey, signed string, signature []byte) bool {
	key, ok := public.(ed25519.PublicKey)
	return ok && len(key) == ed25519.PublicKeySize && ed25519.Verify(key, []byte(signed), signature)
}
