package tokenendpoint_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

var longSecret = strings.Repeat("0123456789abcdef", 4) // enough for HS512

func hmacAsserter(alg, secret string) asserter { return asserter{id: "till", alg: alg, secret: secret} }

// newSecretShop has the client "till" of client_secret_jwt besides.
func newSecretShop(t *testing.T, alter func(*store.Client), secrets ...string) *assertionShop {
	s := newAssertionShop(t, func(c *tokenendpoint.Config) { c.ClientSecrets = assertionSecrets(secrets...) })
	s.register("till", "", assertMethods(store.ClientSecretJWT), alter)
	return s
}

// OIDC-9-02, X-JOSE-02
func TestAssertionsBySecrets(t *testing.T) {
	keep := func(*store.Client) {}
	for _, c := range []struct {
		name     string
		asserter asserter
		alter    func(*store.Client)
		secrets  []string
		accepted bool
	}{
		{"HS256 is accepted", hmacAsserter("HS256", longSecret), keep, []string{longSecret}, true},
		{"HS384 is accepted", hmacAsserter("HS384", longSecret), keep, []string{longSecret}, true},
		{"HS512 is accepted", hmacAsserter("HS512", longSecret), keep, []string{longSecret}, true},
		{"the algorithm that was registered is accepted", hmacAsserter("HS384", longSecret), pin("HS384"), []string{longSecret}, true},
		{"another than was registered is refused", hmacAsserter("HS256", longSecret), pin("HS384"), []string{longSecret}, false},
		{"another of its own kind that was registered is refused", hmacAsserter("HS256", longSecret), pin("ES256"), []string{longSecret}, false},
		{"another secret is refused", hmacAsserter("HS256", strings.ToUpper(longSecret)), keep, []string{longSecret}, false},
		{"the start of the secret is refused", hmacAsserter("HS256", longSecret[:63]), keep, []string{longSecret}, false},
		{"an empty secret is refused", hmacAsserter("HS256", ""), keep, []string{longSecret}, false},
		{"an empty secret is refused where there is one", hmacAsserter("HS256", ""), keep, []string{""}, false},
		{"no secret at all is refused", hmacAsserter("HS256", longSecret), keep, nil, false},
		{"a secret of 32 octets is enough for HS256", hmacAsserter("HS256", longSecret[:32]), keep, []string{longSecret[:32]}, true},
		{"one of 31 is not", hmacAsserter("HS256", longSecret[:31]), keep, []string{longSecret[:31]}, false},
		{"one of 47 is not for HS384", hmacAsserter("HS384", longSecret[:47]), keep, []string{longSecret[:47]}, false},
		{"one of 63 is not for HS512", hmacAsserter("HS512", longSecret[:63]), keep, []string{longSecret[:63]}, false},
		{"a secret is octets and not characters", hmacAsserter("HS256", strings.Repeat("\u00e9", 16)), keep, []string{strings.Repeat("\u00e9", 16)}, true},
		{"the second of several is accepted", hmacAsserter("HS256", longSecret), keep, []string{strings.ToUpper(longSecret), longSecret}, true},
		{"one behind a short one is accepted", hmacAsserter("HS256", longSecret), keep, []string{"short", longSecret}, true},
		{"the fourth is accepted", hmacAsserter("HS256", longSecret), keep, []string{"1", "2", "3", longSecret}, true},
		{"a fifth is not tried", hmacAsserter("HS256", longSecret), keep, []string{"1", "2", "3", "4", longSecret}, false},
		{"the hash of a secret is none", hmacAsserter("HS256", store.HashSecret(longSecret)), func(c *store.Client) { c.Secrets = []store.Secret{{Hash: store.HashSecret(longSecret)}} }, []string{longSecret}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSecretShop(t, c.alter, c.secrets...)
			want := unsignedJWT
			if c.accepted {
				want = tokenendpoint.ReasonIssued
			}
			token := c.asserter.token()
			answer := s.assert(token)
			s.want(answer, want)
			if answer.event.AuthMethod != store.ClientSecretJWT || answer.event.ClientID != "till" {
				t.Errorf("the event is %+v", answer.event)
			}
			if c.accepted {
				s.want(s.assert(token), replayed)
			}
		})
	}
	t.Run("its claims are held to the same rules", func(t *testing.T) {
		s := newSecretShop(t, keep, longSecret)
		s.try(hmacAsserter("HS256", longSecret), []assertionCase{
			{"the audience", withClaim("aud", assertionTokenURL), otherAudience},
			{"the time", withClaim("exp", secondsAfter(-31e9)), untimelyJWT},
			{"the id", withClaim("jti", nil), malformedJWT},
			{"the issuer", withClaim("iss", "reports"), malformedJWT},
			{"the type", withHeader("typ", "at+jwt"), malformedJWT},
			{"extensions", withHeader("crit", []string{"exp"}), unsignedJWT},
		})
	})
	t.Run("the secrets are asked for the client that asserts", func(t *testing.T) {
		s := newAssertionShop(t, func(c *tokenendpoint.Config) {
			c.ClientSecrets = func(_ context.Context, client *store.Client) ([]string, error) {
				return []string{longSecret + client.ID}, nil
			}
		})
		s.register("till", "", assertMethods(store.ClientSecretJWT))
		s.want(s.assert(hmacAsserter("HS256", longSecret+"till").token()), tokenendpoint.ReasonIssued)
		s.want(s.assert(hmacAsserter("HS256", longSecret+"reports").token()), unsignedJWT)
	})
}

func TestClientSecretsThatFail(t *testing.T) {
	fail := errors.New("dial: secrets-canary")
	s := newAssertionShop(t, func(c *tokenendpoint.Config) {
		c.ClientSecrets = func(context.Context, *store.Client) ([]string, error) { return []string{longSecret}, fail }
	})
	s.register("till", "", assertMethods(store.ClientSecretJWT))
	token := hmacAsserter("HS256", longSecret).token()
	answer := s.assert(token)
	s.want(answer, tokenendpoint.ReasonStoreUnavailable)
	if len(s.throttle.failures) != 0 || s.replays.used() != 0 || strings.Contains(answer.String(), "canary") || !strings.Contains(s.log.String(), "secrets-canary") {
		t.Errorf("%v, failures %v, %d ids, the log %s", answer, s.throttle.failures, s.replays.used(), s.log)
	}
	s.want(s.assert(assertionES256().token()), tokenendpoint.ReasonIssued) // which needs no secret
	fail = nil
	s.want(s.assert(token), tokenendpoint.ReasonIssued)
}
