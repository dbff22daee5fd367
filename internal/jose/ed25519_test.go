package jose_test

import (
	"crypto"
	"crypto/ed25519"
	"testing"

	"github.com/grantor-go/grantor/internal/jose"
)

// RFC 9864 section 2.2
func TestEd25519IsVerifiedByItsOwnName(t *testing.T) {
	public := keys()["EdDSA"].Public()
	token := signedBy(t, "EdDSA", `{"alg":"Ed25519"}`, someClaims)
	if claims, err := jose.Verify("Ed25519", public, token); err != nil || string(claims) != someClaims {
		t.Errorf("%s, %v", claims, err)
	}
	for alg, token := range map[string]string{
		"EdDSA":   token,
		"Ed25519": signedBy(t, "EdDSA", `{"alg":"EdDSA"}`, someClaims),
	} {
		if claims, err := jose.Verify(alg, public, token); err == nil {
			t.Errorf("%s takes the other name in the header: %s", alg, claims)
		}
	}
	altered := []byte(token)
	altered[len(altered)/2] ^= 1
	if claims, err := jose.Verify("Ed25519", public, string(altered)); err == nil {
		t.Errorf("it is accepted after it was altered: %s", claims)
	}
}

func TestEd25519IsNotSigned(t *testing.T) {
	public := keys()["EdDSA"].Public()
	if err := jose.Check("Ed25519", public); err != nil {
		t.Error(err)
	}
	if _, err := jose.NewSigner("Ed25519", "1", "JWT", keys()["EdDSA"]); err == nil {
		t.Error("NewSigner returned no error")
	}
	if jwk, err := jose.PublicJWK("Ed25519", "1", public); err == nil {
		t.Errorf("PublicJWK returned %s and no error", jwk)
	}
}

func TestEd25519TakesNoOtherKeys(t *testing.T) {
	for _, public := range []crypto.PublicKey{
		keys()["ES256"].Public(), keys()["RS256"].Public(), keys()["EdDSA"], []byte("0123456789abcdef0123456789abcdef"), nil,
		ed25519.PublicKey(nil), make(ed25519.PublicKey, 31), make(ed25519.PublicKey, 33),
	} {
		for _, alg := range []string{"Ed25519", "EdDSA"} {
			if err := jose.Check(alg, public); err == nil {
				t.Errorf("Check(%s) takes a %T", alg, public)
			}
			if _, err := jose.Verify(alg, public, signedBy(t, "EdDSA", `{"alg":"`+alg+`"}`, someClaims)); err == nil {
				t.Errorf("Verify(%s) takes a %T", alg, public)
			}
		}
	}
	if err := jose.Check("ed25519", keys()["EdDSA"].Public()); err == nil {
		t.Error("the name is taken in another case")
	}
}
