package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"testing"
)

// Check comes before, so this would take a mistake of ours: it must not open the door.
func TestAKeyThatDoesNotFitMadeNoSignature(t *testing.T) {
	p256, err256 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p384, err384 := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	rsa2048, errRSA := rsa.GenerateKey(rand.Reader, 2048)
	ed, _, errEd := ed25519.GenerateKey(rand.Reader)
	for _, err := range []error{err256, err384, errRSA, errEd} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for alg, a := range algorithms {
		for _, public := range []crypto.PublicKey{nil, "secret", []byte("secret"), p256.Public(), p384.Public(), rsa2048.Public(), ed, ed[:31], p256, ed25519.PublicKey(nil)} {
			for _, size := range []int{0, 63, 64, 65, 96, 256} {
				if a.verify(public, "a.b", make([]byte, size)) {
					t.Errorf("%s: a %T made %d zeros", alg, public, size)
				}
			}
		}
	}
}
