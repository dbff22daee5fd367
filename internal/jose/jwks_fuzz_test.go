package jose_test

import (
	"crypto"
	"slices"
	"testing"

	"github.com/grantor-go/grantor/internal/jose"
)

// Whatever is parsed is a public key that verifies by some algorithm, and is the same
// when it is written and parsed again.
func FuzzParseJWKS(f *testing.F) {
	for _, alg := range algorithms {
		f.Add([]byte(`{"keys":[` + jwk(f, keys()[alg].Public(), "kid", `"a"`, "key_ops", `["verify"]`) + `]}`))
	}
	f.Add([]byte(`{"keys":[{"kty":"oct","k":"AA"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"RSA","n":"AA","e":"AQAB","use":"sig"},{}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		set, err := jose.ParseJWKS(raw)
		if err != nil && set != nil {
			t.Fatalf("keys beside the error %v", err)
		}
		for _, key := range set {
			i := slices.IndexFunc(algorithms, key.Fits)
			if i < 0 && key.Fits("Ed25519") { // the only one that PublicJWK does not write
				continue
			}
			if i < 0 {
				t.Fatalf("%+v fits no algorithm", key)
			}
			again, err := jose.PublicJWK(algorithms[i], key.Kid, key.Public)
			if err != nil {
				t.Fatalf("%+v: %v", key, err)
			}
			if parsed := parse(t, string(again)); len(parsed) != 1 || parsed[0].Kid != key.Kid || !parsed[0].Public.(interface{ Equal(crypto.PublicKey) bool }).Equal(key.Public) {
				t.Errorf("%+v becomes %+v", key, parsed)
			}
			if _, err := jose.Verify(algorithms[i], key.Public, "e30.e30.e30"); err == nil {
				t.Errorf("%+v verifies what nobody signed", key)
			}
		}
	})
}
