package tokenendpoint_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// 7521-4.2.1-01, 7523-3.2-01: who is refused learns nothing of the client.
func TestRefusedAssertionsAreAnsweredAlike(t *testing.T) {
	a := assertionES256()
	forger := a
	forger.signer = assertionStranger()
	disable := func(c *store.Client) { c.Disabled = true }
	for _, c := range []struct {
		name     string
		alter    func(*store.Client)
		asserter asserter
		change   assertionChange
		reason   tokenendpoint.Reason
	}{
		{"a client that nobody knows", nil, asserter{id: "nobody", alg: "ES256", signer: a.signer}, nil, tokenendpoint.ReasonUnknownClient},
		{"a client that is disabled, with its key", disable, a, nil, tokenendpoint.ReasonClientDisabled},
		{"a client that is disabled, with another", disable, forger, nil, tokenendpoint.ReasonClientDisabled},
		{"a signature that is not the client's", nil, forger, nil, unsignedJWT},
		{"another audience", nil, a, withClaim("aud", assertionTokenURL), otherAudience},
		{"another time", nil, a, withClaim("exp", 1), untimelyJWT},
		{"a method that is not the client's", assertMethods(store.ClientSecretBasic), a, nil, tokenendpoint.ReasonAuthMethodNotAllowed},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newAssertionShop(t)
			s.register("reports", a.jwks(), func(client *store.Client) {
				if c.alter != nil {
					c.alter(client)
				}
			})
			answer := s.assert(c.asserter.token(c.change))
			s.want(answer, c.reason)
			if got, want := answer.header.Get("WWW-Authenticate"), `Basic realm="`+assertionIssuer+`"`; got != want {
				t.Errorf("the challenge is %s, want %s", got, want)
			}
			want := tokenendpoint.Attempt{Network: netip.MustParsePrefix("192.0.2.1/32")}
			if c.asserter.id == "reports" && !strings.Contains(c.name, "disabled") {
				want.ClientID = "reports"
			}
			if len(s.throttle.failures) != 1 || s.throttle.failures[0] != want {
				t.Errorf("the throttle counted %v, want %v once", s.throttle.failures, want)
			}
			if s.replays.used() != 0 {
				t.Error("a jti was used up")
			}
		})
	}
	t.Run("what is not read is not counted", func(t *testing.T) {
		s := newAssertionShop(t)
		s.want(s.assert("hello"), malformedJWT)
		if len(s.throttle.failures) != 0 {
			t.Errorf("the throttle counted %v", s.throttle.failures)
		}
	})
	t.Run("after too many failures a good one has to wait, and is not used up", func(t *testing.T) {
		s := newAssertionShop(t, func(c *tokenendpoint.Config) {
			c.Throttle = &tokenendpoint.MemoryThrottle{Limit: 3, Now: c.Now}
		})
		for range 3 {
			s.want(s.assert(forger.token()), unsignedJWT)
		}
		token := a.token()
		if answer := s.assert(token); answer.status != 429 || answer.event.Reason != tokenendpoint.ReasonThrottled || answer.header.Get("Retry-After") == "" {
			t.Errorf("answered %v for %q", answer, answer.event.Reason)
		}
		if s.replays.used() != 0 {
			t.Error("its jti was used up")
		}
	})
}

// No assertion, key or secret is anywhere but where it belongs.
func TestAssertionsAreNotRepeated(t *testing.T) {
	a, secret := assertionES256(), "canary-"+longSecret
	forger := a
	forger.signer = assertionStranger()
	till := hmacAsserter("HS256", secret)
	stamp := []assertionChange{withClaim("jti", "canary-jti"), withClaim("x", "canary-claim"), withHeader("x", "canary-header")}
	forKid := func(change assertionChange) []assertionChange {
		return append(slices.Clone(stamp), withHeader("kid", "canary-kid"), change)
	}
	tokens := map[string]string{
		"that is right": a.token(stamp...), "of a stranger": forger.token(stamp...), "of nobody": asserter{id: "canary-id", alg: "ES256", signer: a.signer}.token(stamp...),
		"by no key": a.token(forKid(nil)...), "for another": a.token(append(stamp, withClaim("aud", "https://canary.example"))...),
		"of another time": a.token(append(stamp, withClaim("exp", 1))...), "of another type": a.token(append(stamp, withHeader("typ", "canary+jwt"))...),
		"of another issuer": a.token(append(stamp, withClaim("iss", "canary"))...), "of another algorithm": a.token(append(stamp, withHeader("alg", "canary"))...),
		"by a secret": till.token(stamp...), "by another secret": hmacAsserter("HS256", "other-"+secret).token(stamp...),
		"that is none": "canary.canary.canary", "whose claims are none": a.sign(`{"alg":"ES256"}`, `{"sub":"reports","exp":"canary"}`),
	}
	for name, token := range tokens {
		t.Run("an assertion "+name, func(t *testing.T) {
			s := newAssertionShop(t, func(c *tokenendpoint.Config) { c.ClientSecrets = assertionSecrets(secret) })
			s.register("till", "", assertMethods(store.ClientSecretJWT), pin("HS256"))
			for range 2 { // the second time it is replayed
				answer := s.assert(token, "client_id", "")
				said := answer.String() + s.log.String() + assertionJSON(s.endpoint.Lints())
				if answer.event.Err != nil {
					said += answer.event.Err.Error()
				}
				event := answer.event
				event.Err = nil
				said += assertionJSON(event)
				parts := strings.Split(token, ".")
				for _, secret := range append(parts, "canary", longSecret, assertionJSON(a.jwk()["x"])) {
					if strings.Contains(said, secret) {
						t.Errorf("%q is in %s", secret, said)
					}
				}
			}
		})
	}
	t.Run("a request that was authenticated shows its validator none", func(t *testing.T) {
		s := newAssertionShop(t, func(c *tokenendpoint.Config) { c.Grants = append(c.Grants, assertionSpy{t}) })
		s.register("reports", a.jwks(), func(c *store.Client) { c.GrantTypes = []string{"urn:example:spy"} })
		s.want(s.assert(a.token(), "grant_type", "urn:example:spy"), tokenendpoint.ReasonIssued)
	})
}

func TestMetadataListsWhatIsSupported(t *testing.T) {
	three := []string{"client_secret_basic", "client_secret_post", "none"}
	public := []string{"ES256", "ES384", "EdDSA", "Ed25519", "PS256", "RS256"}
	for _, c := range []struct {
		name          string
		configure     func(*tokenendpoint.Config)
		methods, algs []string
	}{
		{"without a ReplayStore no assertions", func(c *tokenendpoint.Config) { c.Replays = nil }, three, nil},
		{"without a ReplayStore no assertions by secrets either", func(c *tokenendpoint.Config) { c.Replays, c.ClientSecrets = nil, assertionSecrets("x") }, three, nil},
		{"with one those by keys", func(*tokenendpoint.Config) {}, append(three, "private_key_jwt"), public},
		{"with secrets those by secrets too", func(c *tokenendpoint.Config) { c.ClientSecrets = assertionSecrets("x") },
			append(three, "private_key_jwt", "client_secret_jwt"), append(public, "HS256", "HS384", "HS512")},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newAssertionShop(t, c.configure)
			w := httptest.NewRecorder()
			s.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/.well-known/openid-configuration", nil))
			var document struct {
				Methods []string `json:"token_endpoint_auth_methods_supported"`
				Algs    []string `json:"token_endpoint_auth_signing_alg_values_supported"`
			}
			if err := json.Unmarshal(w.Body.Bytes(), &document); err != nil {
				t.Fatal(err, w.Body)
			}
			for _, list := range []*[]string{&document.Methods, &document.Algs} {
				slices.Sort(*list)
			}
			methods, algs := slices.Sorted(slices.Values(c.methods)), slices.Sorted(slices.Values(c.algs))
			methods2 := slices.DeleteFunc(document.Methods, func(m string) bool { return strings.Contains(m, "tls_client_auth") })
			if !reflect.DeepEqual(methods2, methods) || !reflect.DeepEqual(document.Algs, algs) {
				t.Errorf("methods %v and algorithms %v, want %v and %v", document.Methods, document.Algs, methods, algs)
			}
			if none := strings.Contains(w.Body.String(), "token_endpoint_auth_signing_alg_values_supported"); none != (c.algs != nil) {
				t.Errorf("the metadata are %s", w.Body)
			}
		})
	}
	t.Run("without a ReplayStore assertions are refused", func(t *testing.T) {
		s := newAssertionShop(t, func(c *tokenendpoint.Config) { c.Replays = nil })
		for _, a := range []asserter{assertionES256(), hmacAsserter("HS256", longSecret)} {
			s.want(s.assert(a.token()), tokenendpoint.ReasonUnsupportedAuthMethod)
		}
	})
	t.Run("without secrets those by secrets are", func(t *testing.T) {
		s := newAssertionShop(t)
		s.register("till", "", assertMethods(store.ClientSecretJWT))
		s.want(s.assert(hmacAsserter("HS256", longSecret).token()), tokenendpoint.ReasonAuthMethodNotAllowed)
	})
}
