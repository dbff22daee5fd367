package tokenendpoint_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
)

// keysSet is a JWK Set as an API reads it.
type keysSet struct {
	Keys []map[string]string `json:"keys"`
}

func (s keysSet) kids() []string {
	var all []string
	for _, key := range s.Keys {
		all = append(all, key["kid"])
	}
	return all
}

// keysClaims is what a token says of itself.
type keysClaims struct {
	Alg, Kid, Typ string // of the header

	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Expires  int64  `json:"exp"`
	IssuedAt int64  `json:"iat"`
}

func keysDecode(t *testing.T, part string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		t.Fatalf("%q is not unpadded base64url: %v", part, err)
	}
	return b
}

// keysRead reads a token without verifying it.
func keysRead(t *testing.T, token string) keysClaims {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("the token has %d parts, want 3: %q", len(parts), token)
	}
	var claims keysClaims
	if err := json.Unmarshal(keysDecode(t, parts[1]), &claims); err != nil {
		t.Fatal(err)
	}
	var header struct{ Alg, Kid, Typ string }
	if err := json.Unmarshal(keysDecode(t, parts[0]), &header); err != nil {
		t.Fatal(err)
	}
	claims.Alg, claims.Kid, claims.Typ = header.Alg, header.Kid, header.Typ
	return claims
}

// keysVerify verifies a token as an API does that has nothing but the published
// set, with the standard library alone. It fails the test unless exactly one key
// of the set has the token's kid.
func keysVerify(t *testing.T, set keysSet, token string) keysClaims {
	t.Helper()
	claims := keysRead(t, token)
	var found []map[string]string
	for _, key := range set.Keys {
		if key["kid"] == claims.Kid {
			found = append(found, key)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d published keys have the token's kid %q, want 1 of %q", len(found), claims.Kid, set.kids())
	}
	key := found[0]
	if key["alg"] != claims.Alg {
		t.Fatalf("the token's alg is %q, that of its key %q", claims.Alg, key["alg"])
	}
	signed, encoded := token[:strings.LastIndex(token, ".")], token[strings.LastIndex(token, ".")+1:]
	if !keysValid(t, key, []byte(signed), keysDecode(t, encoded)) {
		t.Fatalf("the signature of a token of key %q does not verify", claims.Kid)
	}
	return claims
}

func keysValid(t *testing.T, key map[string]string, signed, signature []byte) bool {
	t.Helper()
	sum := sha256.Sum256(signed)
	switch key["alg"] {
	case "ES256":
		return keysValidEC(t, key, elliptic.P256(), sum[:], signature)
	case "ES384":
		sum := sha512.Sum384(signed)
		return keysValidEC(t, key, elliptic.P384(), sum[:], signature)
	case "PS256":
		opts := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
		return rsa.VerifyPSS(keysRSA(t, key), crypto.SHA256, sum[:], signature, opts) == nil
	case "RS256":
		return rsa.VerifyPKCS1v15(keysRSA(t, key), crypto.SHA256, sum[:], signature) == nil
	case "EdDSA":
		return ed25519.Verify(keysDecode(t, key["x"]), signed, signature)
	}
	t.Fatalf("no such algorithm: %q", key["alg"])
	return false
}

func keysValidEC(t *testing.T, key map[string]string, curve elliptic.Curve, sum, signature []byte) bool {
	t.Helper()
	point := append(append([]byte{4}, keysDecode(t, key["x"])...), keysDecode(t, key["y"])...)
	public, err := ecdsa.ParseUncompressedPublicKey(curve, point)
	if err != nil {
		t.Fatal(err)
	}
	half := (curve.Params().BitSize + 7) / 8
	if len(signature) != 2*half {
		t.Fatalf("the signature has %d octets, want %d", len(signature), 2*half)
	}
	return ecdsa.Verify(public, sum, new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:]))
}

func keysRSA(t *testing.T, key map[string]string) *rsa.PublicKey {
	t.Helper()
	modulus, exponent := new(big.Int).SetBytes(keysDecode(t, key["n"])), new(big.Int).SetBytes(keysDecode(t, key["e"]))
	if modulus.BitLen() < 2048 {
		t.Fatalf("the modulus has %d bits", modulus.BitLen())
	}
	return &rsa.PublicKey{N: modulus, E: int(exponent.Int64())}
}
