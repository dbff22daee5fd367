package jose_test

import (
	"crypto"
	"encoding/asn1"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"sync"
	"testing"

	"github.com/grantor-go/grantor/internal/jose"
)

const claims = `{"iss":"https://shop.example","sub":"client1"}`

func TestEachAlgorithmSigns(t *testing.T) {
	for _, alg := range algorithms {
		key := keys()[alg]
		t.Run("The standard library verifies what "+alg+" signed with a key in memory", func(t *testing.T) {
			signVerified(t, alg, key)
		})
		t.Run("The standard library verifies what "+alg+" signed with a remote key", func(t *testing.T) {
			kms := &remote{key: key}
			signVerified(t, alg, kms)
		})
	}
}

// JWKS-1-06: the header says alg, kid and typ and nothing that would send a
// verifier elsewhere for the key, such as jku, x5u or jwk.
func signVerified(t *testing.T, alg string, key crypto.Signer) {
	t.Helper()
	signer, err := jose.NewSigner(alg, `the "first" <key>`, "at+jwt", key)
	if err != nil {
		t.Fatal(err)
	}
	token, err := signer.Sign([]byte(claims))
	if err != nil {
		t.Fatal(err)
	}
	signed, header, got, signature := parts(t, token)
	if want := map[string]any{"alg": alg, "kid": `the "first" <key>`, "typ": "at+jwt"}; !maps.Equal(header, want) {
		t.Errorf("header: got %v, want %v", header, want)
	}
	if string(got) != claims {
		t.Errorf("claims: got %s, want %s", got, claims)
	}
	if !valid(t, alg, key.Public(), signed, signature) {
		t.Error("the signature does not verify")
	}
	signature[len(signature)/2] ^= 1
	if valid(t, alg, key.Public(), signed, signature) {
		t.Error("a signature that was altered verifies: the test proves nothing")
	}
}

// A remote signer may be asked over a network for its public key.
func TestThePublicKeyIsNotAskedForAgainWithEachSignature(t *testing.T) {
	for _, alg := range algorithms {
		kms := &remote{key: keys()[alg]}
		signer, err := jose.NewSigner(alg, "1", "at+jwt", kms)
		if err != nil {
			t.Fatal(err)
		}
		before := kms.publics.Load()
		for range 5 {
			if _, err := signer.Sign([]byte(claims)); err != nil {
				t.Fatal(err)
			}
		}
		if after := kms.publics.Load(); after != before {
			t.Errorf("%s: five signatures called Public %d times, want none", alg, after-before)
		}
	}
}

func TestTheErrorOfASignerIsReturned(t *testing.T) {
	broken := errors.New("the KMS is not there")
	for _, alg := range algorithms {
		kms := &remote{key: keys()[alg], sign: func([]byte) ([]byte, error) { return nil, broken }}
		signer, err := jose.NewSigner(alg, "1", "at+jwt", kms)
		if err != nil {
			t.Fatal(err)
		}
		if token, err := signer.Sign([]byte(claims)); !errors.Is(err, broken) || token != "" {
			t.Errorf("%s: got token %q and error %v, want the error of the KMS alone", alg, token, err)
		}
	}
}

func TestASignatureThatIsNoSignatureIsAnError(t *testing.T) {
	for _, alg := range []string{"ES256", "ES384"} {
		kms := &remote{key: keys()[alg], sign: func([]byte) ([]byte, error) { return []byte("not ASN.1"), nil }}
		signer, err := jose.NewSigner(alg, "1", "at+jwt", kms)
		if err != nil {
			t.Fatal(err)
		}
		if token, err := signer.Sign([]byte(claims)); err == nil {
			t.Errorf("%s: got token %q, want an error", alg, token)
		}
	}
}

// One signature in 128 has an r or s that begins with a zero octet, which must
// not be left out.
func TestSmallNumbersOfASignatureAreFilledUp(t *testing.T) {
	for alg, size := range map[string]int{"ES256": 32, "ES384": 48} {
		small := func([]byte) ([]byte, error) {
			return asn1.Marshal(struct{ R, S *big.Int }{big.NewInt(1), big.NewInt(2)})
		}
		signer, err := jose.NewSigner(alg, "1", "at+jwt", &remote{key: keys()[alg], sign: small})
		if err != nil {
			t.Fatal(err)
		}
		token, err := signer.Sign([]byte(claims))
		if err != nil {
			t.Fatal(err)
		}
		_, _, _, signature := parts(t, token)
		want := make([]byte, 2*size)
		want[size-1], want[2*size-1] = 1, 2
		if string(signature) != string(want) {
			t.Errorf("%s: got %x, want %x", alg, signature, want)
		}
	}
}

func TestOneSignerServesManyAtOnce(t *testing.T) {
	for _, alg := range algorithms {
		signer, err := jose.NewSigner(alg, "1", "at+jwt", keys()[alg])
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				own := fmt.Sprintf(`{"sub":"%d"}`, i)
				token, err := signer.Sign([]byte(own))
				if err != nil {
					t.Error(err)
					return
				}
				signed, _, got, signature := parts(t, token)
				if string(got) != own || !valid(t, alg, keys()[alg].Public(), signed, signature) {
					t.Errorf("%s: the token of %s says %s, or does not verify", alg, own, got)
				}
			})
		}
		all.Wait()
	}
}
