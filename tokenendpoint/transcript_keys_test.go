package tokenendpoint_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync"

	"github.com/grantor-go/grantor/tokenendpoint"
)

// transcriptKeys are the keys of key-1 to key-5, made when they are needed.
var transcriptKeys = map[tokenendpoint.Alg]func() tokenendpoint.Key{
	tokenendpoint.ES256: transcriptKey("key-1", tokenendpoint.ES256, func() (crypto.Signer, error) {
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}),
	tokenendpoint.RS256: transcriptKey("key-2", tokenendpoint.RS256, func() (crypto.Signer, error) {
		return rsa.GenerateKey(rand.Reader, 2048)
	}),
	tokenendpoint.ES384: transcriptKey("key-3", tokenendpoint.ES384, func() (crypto.Signer, error) {
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	}),
	tokenendpoint.EdDSA: transcriptKey("key-4", tokenendpoint.EdDSA, func() (crypto.Signer, error) {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}),
	tokenendpoint.PS256: transcriptKey("key-5", tokenendpoint.PS256, func() (crypto.Signer, error) {
		return rsa.GenerateKey(rand.Reader, 2048)
	}),
}

func transcriptKey(id string, alg tokenendpoint.Alg, generate func() (crypto.Signer, error)) func() tokenendpoint.Key {
	return sync.OnceValue(func() tokenendpoint.Key {
		key, err := generate()
		if err != nil {
			panic(err)
		}
		return tokenendpoint.Key{ID: id, Alg: alg, Signer: key}
	})
}

// transcriptHashes are those that go with an algorithm (RFC 7518 section 3.1, and
// SHA-512 for Ed25519).
var transcriptHashes = map[any]crypto.Hash{
	"ES256": crypto.SHA256, "RS256": crypto.SHA256, "PS256": crypto.SHA256, "ES384": crypto.SHA384, "EdDSA": crypto.SHA512,
}

// verify checks a signature with the standard library alone.
func (s *transcriptServer) verify(token string) (header, claims map[string]any, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, nil, fmt.Errorf("%d parts", len(parts))
	}
	var decoded [3][]byte
	for i, part := range parts {
		if decoded[i], err = base64.RawURLEncoding.Strict().DecodeString(part); err != nil {
			return nil, nil, err
		}
	}
	if header, err = transcriptObject(decoded[0]); err != nil {
		return nil, nil, err
	}
	i := slices.IndexFunc(s.keys, func(key tokenendpoint.Key) bool { return header["kid"] == key.ID && header["alg"] == string(key.Alg) })
	if i < 0 {
		return nil, nil, fmt.Errorf("no key for the header %v", header)
	}
	if !transcriptVerifies(s.keys[i], []byte(parts[0]+"."+parts[1]), decoded[2]) {
		return nil, nil, errors.New("the signature is not that of the key")
	}
	claims, err = transcriptObject(decoded[1])
	return header, claims, err
}

func transcriptVerifies(key tokenendpoint.Key, signed, signature []byte) bool {
	h := transcriptHashes[string(key.Alg)].New()
	h.Write(signed)
	sum := h.Sum(nil)
	switch public := key.Signer.Public().(type) {
	case *ecdsa.PublicKey:
		size := len(sum)
		return len(signature) == 2*size &&
			ecdsa.Verify(public, sum, new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:]))
	case *rsa.PublicKey:
		if key.Alg == tokenendpoint.PS256 {
			return rsa.VerifyPSS(public, crypto.SHA256, sum, signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
		}
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, sum, signature) == nil
	case ed25519.PublicKey:
		return ed25519.Verify(public, signed, signature)
	}
	return false
}
