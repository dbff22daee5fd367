package jose_test

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/internal/jose"
)

const assertionClaims = `{"iss":"client1","sub":"client1","aud":"https://shop.example","exp":1900000000,"iat":1899999940,"jti":"0123456789abcdef0123456789abcdef"}`

// What Verify adds to the primitive of the standard library.
func BenchmarkVerifyES256(b *testing.B) {
	public := keys()["ES256"].Public().(*ecdsa.PublicKey)
	token := signedBy(b, "ES256", "", assertionClaims)
	b.Run("Verify", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := jose.Verify("ES256", public, token); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Verify and ParseObject", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			claims, err := jose.Verify("ES256", public, token)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := jose.ParseObject(claims); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("ecdsa.Verify", func(b *testing.B) {
		b.ReportAllocs()
		last := strings.LastIndex(token, ".")
		signature, err := base64.RawURLEncoding.DecodeString(token[last+1:])
		if err != nil {
			b.Fatal(err)
		}
		r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
		for b.Loop() {
			sum := sha256.Sum256([]byte(token[:last]))
			if !ecdsa.Verify(public, sum[:], r, s) {
				b.Fatal("it does not verify")
			}
		}
	})
}

func BenchmarkVerifyHS256(b *testing.B) {
	token := mac(hmacs["HS256"], secret, `{"alg":"HS256","typ":"JWT"}`, assertionClaims)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := verifyHMAC("HS256", secret, token); err != nil {
			b.Fatal(err)
		}
	}
}
