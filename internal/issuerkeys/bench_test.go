package issuerkeys

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"testing"
)

// What Verify adds to the primitive of the standard library.
func BenchmarkVerify(b *testing.B) {
	var keys []key
	for i := range 50 {
		keys = append(keys, newKey(fmt.Sprintf("key-%02d-of-the-issuer", i)))
	}
	last := keys[49]
	token := last.token(last.kid)
	for _, set := range [][]key{{last}, keys} {
		s, _ := connect(set...)
		b.Run(fmt.Sprintf("%d keys", len(set)), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if ok, err := s.Verify(b.Context(), token); !ok || err != nil {
					b.Fatal(ok, err)
				}
			}
		})
	}
	b.Run("ecdsa.Verify", func(b *testing.B) {
		sum := sha256.Sum256([]byte(token.Signed))
		r, s, err := ecdsa.Sign(rand.Reader, last.private, sum[:])
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			sum := sha256.Sum256([]byte(token.Signed))
			if !ecdsa.Verify(&last.private.PublicKey, sum[:], r, s) {
				b.Fatal("it does not verify")
			}
		}
	})
}
