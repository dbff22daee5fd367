package tokenendpoint_test

import (
	"crypto/elliptic"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// 7523-3-06: an assertion without a jti is good once, if a client may send one at all.
func TestAssertionsWithoutID(t *testing.T) {
	legacy, without := assertionBy("legacy", tokenendpoint.ES256), withClaim("jti", nil)
	newShop := func(t *testing.T) *assertionShop {
		s := newAssertionShop(t)
		s.register("legacy", legacy.jwks(), func(c *store.Client) { c.LegacyAssertionWithoutID = true })
		return s
	}
	t.Run("one is used up", func(t *testing.T) {
		s := newShop(t)
		token := legacy.token(without)
		s.want(s.assert(token), tokenendpoint.ReasonIssued)
		s.want(s.assert(token), replayed)
		s.want(s.assert(malleated(t, token)), replayed)
		s.want(s.assert(legacy.token(without, withClaim("exp", secondsAfter(2*time.Minute)))), tokenendpoint.ReasonIssued)
		lints := s.endpoint.Lints()
		if len(lints) != 1 || lints[0].Code != tokenendpoint.LintLegacyAssertionID || !strings.Contains(lints[0].Message, `"legacy"`) {
			t.Errorf("the lints are %v", lints)
		}
	})
	t.Run("what is hashed is not mistaken for a jti", func(t *testing.T) {
		s := newShop(t)
		s.want(s.assert(legacy.token()), tokenendpoint.ReasonIssued)
		s.want(s.assert(legacy.token(withClaim("jti", ""))), tokenendpoint.ReasonIssued)
		s.want(s.assert(legacy.token(withClaim("jti", 1))), tokenendpoint.ReasonMalformedAssertion)
		s.want(s.assert(legacy.token(withClaim("jti", jwtNull))), tokenendpoint.ReasonMalformedAssertion)
	})
	t.Run("another client may not", func(t *testing.T) {
		s := newShop(t)
		s.want(s.assert(assertionES256().token(without)), tokenendpoint.ReasonMalformedAssertion)
	})
}

// malleated is the same assertion with the other signature that is right, by ECDSA.
func malleated(t *testing.T, token string) string {
	t.Helper()
	signed, last := token[:strings.LastIndexByte(token, '.')+1], token[strings.LastIndexByte(token, '.')+1:]
	signature, err := base64.RawURLEncoding.DecodeString(last)
	if err != nil || len(signature) != 64 {
		t.Fatalf("a signature of %d octets, %v", len(signature), err)
	}
	s := new(big.Int).SetBytes(signature[32:])
	s.Sub(elliptic.P256().Params().N, s).FillBytes(signature[32:])
	return signed + base64.RawURLEncoding.EncodeToString(signature)
}

// Members of other names are other members, whatever their case (RFC 7519 section 10.1.1).
func TestNamesInAssertionsHaveCase(t *testing.T) {
	for _, name := range []string{"iss", "sub", "aud", "jti", "exp"} {
		t.Run(name+" in capitals is not there", func(t *testing.T) {
			s, a := newAssertionShop(t), assertionES256()
			_, claims := a.parts()
			answer := s.assert(a.token(withClaim(name, nil), withClaim(strings.ToUpper(name), claims[name])))
			if answer.status != 401 || answer.body != assertionRefused {
				t.Errorf("answered %v for %q", answer, answer.event.Reason)
			}
		})
	}
	t.Run("alg in capitals is not there", func(t *testing.T) {
		s := newAssertionShop(t)
		s.want(s.assert(assertionES256().token(withHeader("alg", nil), withHeader("ALG", "ES256"))), unsignedJWT)
	})
}

// A key that was replaced under its kid is fetched, and so is one without a kid.
func TestAKeyThatWasReplacedIsFound(t *testing.T) {
	a := assertionES256()
	next := a
	next.signer = assertionStranger()
	k := newKeyServer(t, a.jwks())
	s := newRemoteShop(t, k)
	s.want(s.assert(a.token()), tokenendpoint.ReasonIssued)
	k.publish(next.jwks())
	s.want(s.assert(next.token()), tokenendpoint.ReasonIssued)
	s.want(s.assert(a.token()), unsignedJWT)
	if n := k.requests.Load(); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
}
