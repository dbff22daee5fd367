package tokenendpoint_test

import (
	"crypto/rsa"
	"path/filepath"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/tokenendpoint"
)

// JWKS-1-03, 9068-2.1-01, 9068-2.1-02: each algorithm, RS256 among them, signs a
// token of type at+jwt that verifies with what the endpoint publishes, where use,
// alg and kid are set.
func TestEachAlgorithmOfRollingKeys(t *testing.T) {
	for _, alg := range []tokenendpoint.Alg{
		tokenendpoint.ES256, tokenendpoint.ES384, tokenendpoint.PS256, tokenendpoint.RS256, tokenendpoint.EdDSA,
	} {
		t.Run("A token of "+string(alg)+" verifies, also after a restart", func(t *testing.T) {
			t.Parallel()
			clock, dir := newKeysClock(keysStart), filepath.Join(t.TempDir(), "keys")
			source := &tokenendpoint.RollingKeys{Alg: alg, Dir: dir, Now: clock.Now}
			token, _ := keysToken(t, keysEndpoint(t, source, clock))

			restarted := keysEndpoint(t, &tokenendpoint.RollingKeys{Alg: alg, Dir: dir, Now: clock.Now}, clock)
			set := keysPublished(t, restarted)
			claims := keysVerify(t, set, token)
			if claims.Alg != string(alg) || claims.Typ != "at+jwt" {
				t.Errorf("the header says alg %q and typ %q", claims.Alg, claims.Typ)
			}
			if key := set.Keys[0]; len(set.Keys) != 1 || key["use"] != "sig" || key["alg"] != string(alg) || key["kid"] == "" {
				t.Errorf("published: %v", set.Keys)
			}
			later, _ := keysToken(t, restarted)
			keysVerify(t, set, later)

			keys, err := source.Keys(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if key, ok := keys[0].Signer.Public().(*rsa.PublicKey); ok && key.N.BitLen() < 3072 {
				t.Errorf("an RSA key of %d bits was made, want 3072", key.N.BitLen())
			}
		})
	}
}

// Preparing a key asks it for its public half, which a KMS may be slow to tell.
func TestKeysArePreparedOnceForEachSlice(t *testing.T) {
	clock := newKeysClock(keysStart)
	signer := &keysSigner{Signer: keysAtHand()[tokenendpoint.ES256]}
	slice := func(ids ...string) []tokenendpoint.Key {
		var keys []tokenendpoint.Key
		for _, id := range ids {
			keys = append(keys, tokenendpoint.Key{ID: id, Alg: tokenendpoint.ES256, Signer: signer})
		}
		return keys
	}
	two := slice("a", "b")
	source := &keysFake{keys: two}
	endpoint := keysEndpoint(t, source, clock)
	prepared := func(want bool, kids string) {
		t.Helper()
		before := signer.publics.Load()
		for range 3 {
			token, _ := keysToken(t, endpoint)
			keysVerify(t, keysPublished(t, endpoint), token)
		}
		if got := signer.publics.Load() != before; got != want {
			t.Errorf("keys %s: prepared again: %v, want %v", kids, got, want)
		}
		if got := strings.Join(keysPublished(t, endpoint).kids(), " "); got != kids {
			t.Errorf("published: %s, want %s", got, kids)
		}
	}
	prepared(false, "a b")
	source.keys = slice("c", "d")
	prepared(true, "c d")
	source.keys = two[:1] // begins where another one did
	prepared(true, "a")
	source.keys = two
	prepared(true, "a b")
	prepared(false, "a b")
}

// A set that cannot be used does not stay in the way of one that can.
func TestKeysThatAreRepairedAreUsedAgain(t *testing.T) {
	clock := newKeysClock(keysStart)
	good := []tokenendpoint.Key{keysOf("a", tokenendpoint.ES256, nil, nil, nil)}
	source := &keysFake{keys: good}
	endpoint := keysEndpoint(t, source, clock)
	source.keys = []tokenendpoint.Key{good[0], good[0]}
	if w := keysAsk(endpoint); w.Code != 500 {
		t.Errorf("two keys with one ID: got %d", w.Code)
	}
	source.keys = good
	keysToken(t, endpoint)
	source.keys = []tokenendpoint.Key{keysOf("b", tokenendpoint.ES256, nil, nil, nil)}
	token, _ := keysToken(t, endpoint)
	if got := keysVerify(t, keysPublished(t, endpoint), token).Kid; got != "b" {
		t.Errorf("key %q signed, want b", got)
	}
}
