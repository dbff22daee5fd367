package tokenendpoint_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// Which keys of a client's own JWK Set an assertion may be signed by.
func TestKeysOfAssertions(t *testing.T) {
	a, rsaKey := assertionES256(), assertionBy("reports", tokenendpoint.RS256)
	stranger := asserter{id: "reports", alg: "ES256", kid: "key-0", signer: assertionStranger()}
	noKid := a
	noKid.kid = ""
	namesake := stranger
	namesake.kid = a.kid
	others := func(n int) (keys []jwtObject) {
		for range n {
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			keys = append(keys, asserter{kid: a.kid, signer: key}.jwk())
		}
		return keys
	}
	for _, c := range []struct {
		name     string
		jwks     string
		asserter asserter
		accepted bool
	}{
		{"a key is found by its kid", assertionSet(stranger.jwk(), a.jwk()), a, true},
		{"a kid that is not there is refused", assertionSet(stranger.jwk()), a, false},
		{"a kid that differs by case is refused", a.jwks(jwtObject{"kid": "KEY-1"}), a, false},
		{"the kid of a key without one is refused", a.jwks(jwtObject{"kid": nil}), a, false},
		{"the kid of another key is refused", assertionSet(stranger.jwk(jwtObject{"kid": a.kid}), a.jwk(jwtObject{"kid": "key-0"})), a, false},
		{"no kid finds the only key", a.jwks(), noKid, true},
		{"no kid finds a key among several", assertionSet(stranger.jwk(), rsaKey.jwk(), a.jwk()), noKid, true},
		{"no kid finds a key without one", a.jwks(jwtObject{"kid": nil}), noKid, true},
		{"a kid that several keys have finds the right one", assertionSet(rsaKey.jwk(jwtObject{"kid": a.kid}), namesake.jwk(), a.jwk()), a, true},
		{"the fourth key of a kid is tried", assertionSet(append(others(3), a.jwk())...), a, true},
		{"a fifth key of a kid is not", assertionSet(append(others(4), a.jwk())...), a, false},
		{"keys of other algorithms do not count", assertionSet(append([]jwtObject{rsaKey.jwk(), rsaKey.jwk(), rsaKey.jwk(), rsaKey.jwk()}, a.jwk())...), noKid, true},

		{"a key for signatures is used", a.jwks(jwtObject{"use": "sig", "alg": "ES256", "key_ops": []string{"verify"}}), a, true},
		{"a key for encryption is not", a.jwks(jwtObject{"use": "enc"}), a, false},
		{"a key for encryption is not, without a kid either", a.jwks(jwtObject{"use": "enc"}), noKid, false},
		{"a key for another operation is not", a.jwks(jwtObject{"key_ops": []string{"deriveKey"}}), a, false},
		{"a key for another algorithm is not", a.jwks(jwtObject{"alg": "ES384"}), a, false},
		{"an RSA key for RS256 verifies no PS256", assertionBy("reports", tokenendpoint.PS256).jwks(jwtObject{"alg": "RS256"}), assertionBy("reports", tokenendpoint.PS256), false},
		{"an RSA key without an algorithm verifies PS256", assertionBy("reports", tokenendpoint.PS256).jwks(), assertionBy("reports", tokenendpoint.PS256), true},

		{"a key that cannot be used spoils no other", assertionSet(jwtObject{"kty": "AKP", "alg": "ML-DSA-44"}, jwtObject{"kty": 1}, jwtObject{}, a.jwk()), a, true},
		{"an empty set is refused", `{"keys":[]}`, a, false},
		{"no set at all is refused", "", a, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newAssertionShop(t)
			s.register("reports", c.jwks)
			s.register("other", assertionSet(a.jwk(), rsaKey.jwk(), noKid.jwk())) // which proves nothing of reports
			want := unsignedJWT
			if c.accepted {
				want = tokenendpoint.ReasonIssued
			}
			s.want(s.assert(c.asserter.token()), want)
			s.want(s.assert(c.asserter.token()), want) // likewise from what is remembered
		})
	}
	t.Run("a key that is taken away is refused at once, and one that is added is accepted", func(t *testing.T) {
		s := newAssertionShop(t)
		for range 2 {
			s.want(s.assert(a.token()), tokenendpoint.ReasonIssued)
			s.register("reports", stranger.jwks())
			s.want(s.assert(a.token()), unsignedJWT)
			s.want(s.assert(stranger.token()), tokenendpoint.ReasonIssued)
			s.register("reports", a.jwks())
		}
	})
	t.Run("more sets than are remembered are read all the same", func(t *testing.T) {
		s := newAssertionShop(t)
		for i := range 1100 {
			id := fmt.Sprintf("client-%d", i)
			s.register(id, a.jwks(jwtObject{"x-id": id}))
			if answer := s.assert(asserter{id, a.alg, a.kid, a.signer, ""}.token()); answer.status != 200 {
				t.Fatalf("%s: %v", id, answer)
			}
		}
	})
}

// A registration that is of no use is the operator's to repair: the log names the client,
// and nobody is told anything.
func TestBrokenRegistrationsOfKeys(t *testing.T) {
	const canary = "Y2FuYXJ5LW9mLWEtcHJpdmF0ZS1rZXk"
	a := assertionES256()
	uri := func(c *store.Client) { c.JWKSURI = "https://client.example/" + canary }
	for _, c := range []struct {
		name, jwks string
		alter      func(*store.Client)
	}{
		{"both jwks and jwks_uri", a.jwks(), uri},
		{"a private key", a.jwks(jwtObject{"d": canary}), nil},
		{"a private key beside a public one", assertionSet(a.jwk(), a.jwk(jwtObject{"kid": "2", "d": canary})), nil},
		{"a symmetric key", assertionSet(a.jwk(), jwtObject{"kty": "oct", "k": canary}), nil},
		{"a key that stands for two", strings.Replace(a.jwks(), `"kty"`, `"kty":"EC","kty"`, 1), nil},
		{"no set", `"` + canary + `"`, nil},
		{"a set that is no object", "[" + assertionJSON(a.jwk()) + "]", nil},
		{"a key that is no set", assertionJSON(a.jwk()), nil},
		{"a set that is cut", a.jwks()[:40], nil},
		{"more than 100 keys", assertionSet(manyKeys(101, a.jwk())...), nil},
		{"more than 256 KiB", a.jwks(jwtObject{"x-text": strings.Repeat(canary, 10_000)}), nil},
	} {
		t.Run(c.name+" is a fault", func(t *testing.T) {
			s := newAssertionShop(t)
			s.register("reports", c.jwks, func(client *store.Client) {
				if c.alter != nil {
					c.alter(client)
				}
			})
			token := a.token()
			answer := s.assert(token)
			s.want(answer, tokenendpoint.ReasonClientKeys)
			if log := s.log.String(); !strings.Contains(log, "reports") || !strings.Contains(log, "level=ERROR") {
				t.Errorf("the log does not name the client: %s", log)
			}
			for _, secret := range []string{canary, token, base64.RawURLEncoding.EncodeToString([]byte(canary))} {
				if strings.Contains(s.log.String()+answer.event.Err.Error()+answer.String(), secret) {
					t.Errorf("%s is in the answer %v or the log %s", secret, answer, s.log)
				}
			}
			if len(s.throttle.failures) != 0 || s.replays.used() != 0 {
				t.Errorf("it was taken for a verdict: %v, %d ids used up", s.throttle.failures, s.replays.used())
			}
			s.register("reports", a.jwks())
			s.want(s.assert(token), tokenendpoint.ReasonIssued) // the same, once it is repaired
		})
	}
	t.Run("what nobody supports is refused before the keys are looked at", func(t *testing.T) {
		s := newAssertionShop(t)
		s.register("reports", "broken")
		none := a
		none.alg = "none"
		s.want(s.assert(none.token()), unsignedJWT)
		s.register("reports", "broken", pin("RS256"))
		s.want(s.assert(a.token()), unsignedJWT)
	})
}

func manyKeys(n int, key jwtObject) []jwtObject {
	keys := make([]jwtObject, n)
	for i := range keys {
		keys[i] = key
	}
	return keys
}
