package tokenendpoint_test

import (
	"encoding/base64"
	"net/url"
	"slices"
	"testing"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// credentialsOf are all the ways in which a request can say who its client is, each with
// what the client "reports" really has: fields and an Authorization header.
var credentialsOf = map[store.AuthMethod]func(form url.Values) (authorization string){
	store.ClientSecretBasic: func(url.Values) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte("reports:"+longSecret))
	},
	store.ClientSecretPost: func(form url.Values) string {
		form.Set("client_id", "reports")
		form.Set("client_secret", longSecret)
		return ""
	},
	store.PrivateKeyJWT: func(form url.Values) string {
		form.Set("client_assertion_type", assertionType)
		form.Set("client_assertion", assertionES256().token())
		return ""
	},
	store.ClientSecretJWT: func(form url.Values) string {
		form.Set("client_assertion_type", assertionType)
		form.Set("client_assertion", asserter{id: "reports", alg: "HS256", secret: longSecret}.token())
		return ""
	},
	store.NoAuth: func(form url.Values) string {
		form.Set("client_id", "reports")
		return ""
	},
}

// newMatrixShop has a grant type that public clients may use.
func newMatrixShop(t *testing.T) *assertionShop {
	return newAssertionShop(t, func(c *tokenendpoint.Config) {
		c.ClientSecrets = assertionSecrets(longSecret)
		c.Grants = append(c.Grants, mountCustom)
	})
}

func (s *assertionShop) present(methods ...store.AuthMethod) assertionAnswer {
	form := url.Values{"grant_type": {string(mountCustom)}}
	var headers []string
	for _, method := range methods {
		if authorization := credentialsOf[method](form); authorization != "" {
			headers = append(headers, "Authorization", authorization)
		}
	}
	return s.post("/connect/token", form, headers...)
}

var everyMethod = []store.AuthMethod{store.ClientSecretBasic, store.ClientSecretPost, store.PrivateKeyJWT, store.ClientSecretJWT, store.NoAuth}

// A client has a secret, a key and a public name, and authenticates by what it registered
// and by nothing else. Each line says what that is, and what is accepted.
func TestEveryMethodOfEveryKindOfClient(t *testing.T) {
	const basic, post, key, hmac, none = store.ClientSecretBasic, store.ClientSecretPost, store.PrivateKeyJWT, store.ClientSecretJWT, store.NoAuth
	type list []store.AuthMethod
	for _, c := range []struct {
		name     string
		one      store.AuthMethod // token_endpoint_auth_method
		several  list             // Client.AuthMethods
		secret   bool
		accepted list
	}{
		{"client_secret_basic", basic, nil, true, list{basic}},
		{"client_secret_post", post, nil, true, list{post}},
		{"private_key_jwt", key, nil, true, list{key}},
		{"client_secret_jwt", hmac, nil, true, list{hmac}},
		{"none", none, nil, true, list{none}},
		{"nothing, and has a secret", "", nil, true, list{basic, post}},
		{"nothing, and has no secret", "", nil, false, nil},
		{"a method that nobody knows", "private_key_jwt2", nil, true, nil},
		{"a method in capitals", "PRIVATE_KEY_JWT", nil, true, nil},
		{"tls_client_auth", "tls_client_auth", nil, true, nil},
		{"client_secret_basic and client_secret_post", "", list{basic, post}, true, list{basic, post}},
		{"private_key_jwt and client_secret_jwt", "", list{key, hmac}, true, list{key, hmac}},
		{"private_key_jwt and client_secret_basic", "", list{key, basic}, true, list{key, basic}},
		{"none and client_secret_basic", "", list{none, basic}, true, list{none, basic}},
		{"a list beside another method, which counts for nothing", none, list{key}, true, list{key}},
		{"a list of what nobody knows, beside a method", basic, list{"other"}, true, nil},
		{"client_secret_basic without a secret", basic, nil, false, nil},
		{"private_key_jwt without a secret", key, nil, false, list{key}},
	} {
		t.Run("a client that registered "+c.name, func(t *testing.T) {
			for _, presented := range everyMethod {
				s := newMatrixShop(t)
				s.register("reports", assertionES256().jwks(), func(client *store.Client) {
					client.GrantTypes = []string{string(mountCustom)}
					client.TokenEndpointAuthMethod, client.AuthMethods = c.one, c.several
					if c.secret {
						client.Secrets = []store.Secret{{Hash: store.HashSecret(longSecret)}}
					}
				})
				answer := s.present(presented)
				event := answer.event
				if slices.Contains(c.accepted, presented) {
					if answer.status != 200 || event.Authenticated != (presented != none) || event.AuthMethod != presented {
						t.Errorf("%s is answered %v, %+v", presented, answer, event)
					}
					continue
				}
				reason := tokenendpoint.ReasonAuthMethodNotAllowed
				if c.one == basic && presented == basic && c.several == nil {
					reason = tokenendpoint.ReasonSecretMismatch // which it has not
				}
				s.want(answer, reason)
				if len(s.throttle.failures) != 1 || s.replays.used() != 0 {
					t.Errorf("%s: failures %v, %d ids used up", presented, s.throttle.failures, s.replays.used())
				}
			}
		})
	}
}

// RFC 6749 section 2.3, 2.3.1: whatever the client may use, and however right they are.
func TestTwoMethodsInOneRequest(t *testing.T) {
	all := func(client *store.Client) {
		client.GrantTypes, client.AuthMethods = []string{string(mountCustom)}, everyMethod
		client.Secrets = []store.Secret{{Hash: store.HashSecret(longSecret)}}
	}
	for i, first := range everyMethod {
		for _, second := range everyMethod[i+1:] {
			if first == store.PrivateKeyJWT && second == store.ClientSecretJWT {
				continue // a form has one client_assertion
			}
			t.Run(string(first)+" and "+string(second), func(t *testing.T) {
				s := newMatrixShop(t)
				s.register("reports", assertionES256().jwks(), all)
				answer := s.present(first, second)
				if second == store.NoAuth { // a client_id beside credentials is none of its own
					if answer.status != 200 || answer.event.AuthMethod != first || !answer.event.Authenticated {
						t.Errorf("answered %v, %+v", answer, answer.event)
					}
					return
				}
				s.want(answer, tokenendpoint.ReasonSeveralMethods)
				if s.replays.used() != 0 || len(s.throttle.failures) != 0 {
					t.Errorf("%d ids used up, failures %v", s.replays.used(), s.throttle.failures)
				}
			})
		}
	}
	t.Run("an assertion beside a Basic header without a secret", func(t *testing.T) {
		s := newMatrixShop(t)
		s.register("reports", assertionES256().jwks(), all)
		form := url.Values{"grant_type": {string(mountCustom)}}
		credentialsOf[store.PrivateKeyJWT](form)
		s.want(s.post("/connect/token", form, "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("reports:"))), tokenendpoint.ReasonSeveralMethods)
	})
	t.Run("an assertion beside a bearer token", func(t *testing.T) {
		s := newMatrixShop(t)
		s.register("reports", assertionES256().jwks(), all)
		form := url.Values{"grant_type": {string(mountCustom)}}
		credentialsOf[store.PrivateKeyJWT](form)
		s.want(s.post("/connect/token", form, "Authorization", "Bearer x"), tokenendpoint.ReasonSeveralMethods)
	})
	for _, field := range []string{"client_assertion", "client_assertion_type"} {
		t.Run("a secret beside "+field+" alone", func(t *testing.T) {
			s := newMatrixShop(t)
			s.register("reports", assertionES256().jwks(), all)
			form := url.Values{"grant_type": {string(mountCustom)}, field: {"x"}}
			credentialsOf[store.ClientSecretPost](form)
			s.want(s.post("/connect/token", form), tokenendpoint.ReasonSeveralMethods)
		})
	}
}
