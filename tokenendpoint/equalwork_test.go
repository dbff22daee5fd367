package tokenendpoint

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"

	"github.com/grantor-go/grantor/internal/secret"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
)

const workSecret = "sesame"

// workHash is the stored form of a secret, at the lowest cost that there is.
func workHash(algorithm, plain string) string {
	switch algorithm {
	case "argon2id":
		sum := argon2.IDKey([]byte(plain), []byte("salt salt"), 1, 8, 1, 16)
		return fmt.Sprintf("$argon2id$v=19$m=8,t=1,p=1$%s$%s", base64.RawStdEncoding.EncodeToString([]byte("salt salt")),
			base64.RawStdEncoding.EncodeToString(sum))
	case "bcrypt":
		hash, err := bcrypt.GenerateFromPassword([]byte(plain), bcrypt.MinCost)
		if err != nil {
			panic(err)
		}
		return string(hash)
	default:
		return store.HashSecret(plain)
	}
}

// workEndpoint is an endpoint that reports each hash that is computed.
func workEndpoint(t *testing.T, reference string, computed func(algorithm string), clients ...store.Client) *Endpoint {
	t.Helper()
	e, err := New(Config{
		Issuer: "https://shop.example", Clients: memory.NewClients(clients...), Scopes: memory.NewScopes(store.Scope{Name: "a"}),
		Keys:   StaticKeys{{ID: "1", Alg: EdDSA, Signer: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))}},
		Grants: []GrantValidator{workGrant{}}, ReferenceHash: reference, Throttle: &MemoryThrottle{Limit: 1 << 20},
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	e.secrets = secret.NewVerifier(computed)
	return e
}

type workGrant struct{}

func (workGrant) GrantType() string { return "urn:example:work" }

func (workGrant) Validate(context.Context, *Request) (*Result, error) { return &Result{}, nil }

// workAnswer sends a request with a secret in the body, none if it is empty.
func workAnswer(e *Endpoint, client, secret string) *httptest.ResponseRecorder {
	body := "grant_type=urn:example:work&client_id=" + client
	if secret != "" {
		body += "&client_secret=" + secret
	}
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w
}

func workClient(id string, hashes ...string) store.Client {
	c := store.Client{Metadata: store.Metadata{ID: id, GrantTypes: []string{"urn:example:work"}, Scope: "a"}}
	for i, hash := range hashes {
		c.Secrets = append(c.Secrets, store.Secret{Hash: hash, Label: fmt.Sprint(i)})
	}
	return c
}

// X-CT-02: counted, because a duration can be measured but not tested.
func TestEveryFailedAuthenticationCostsTheSame(t *testing.T) {
	for _, kind := range []string{"sha256", "bcrypt", "argon2id"} {
		disabled := workClient("disabled", workHash(kind, workSecret))
		disabled.Disabled = true
		basicOnly := workClient("basic_only", workHash(kind, workSecret))
		basicOnly.TokenEndpointAuthMethod = store.ClientSecretBasic
		public := workClient("public")
		public.TokenEndpointAuthMethod = store.NoAuth
		noSecret := workClient("no_secret")
		noSecret.TokenEndpointAuthMethod = store.ClientSecretPost
		clients := []store.Client{
			workClient("confidential", workHash(kind, workSecret)), disabled, basicOnly, public, noSecret,
			workClient("unreadable", "$md5$x", "plain"),
		}
		reference := workHash(kind, "reference")
		if kind == "sha256" {
			reference = "" // the default
		}
		var computed []string
		e := workEndpoint(t, reference, func(algorithm string) { computed = append(computed, algorithm) }, clients...)

		var first string
		for _, id := range []string{"confidential", "unknown", "disabled", "basic_only", "public", "no_secret", "unreadable"} {
			for presented, want := range map[string][]string{"wrong": {kind}, "reference": {kind}, "": nil} {
				if id == "public" && presented == "" {
					continue // is right
				}
				t.Run(fmt.Sprintf("the client %s with the secret %q costs %v and is answered as all others", id, presented, want), func(t *testing.T) {
					computed = nil
					w := workAnswer(e, id, presented)
					if !reflect.DeepEqual(computed, want) {
						t.Errorf("computed %v, want %v", computed, want)
					}
					answer := fmt.Sprint(w.Code, w.Result().Header, w.Body)
					if first == "" {
						first = answer
					}
					if answer != first || w.Code != http.StatusUnauthorized {
						t.Errorf("answered %s\nunlike the first %s", answer, first)
					}
				})
			}
		}
		// A right secret costs no more than a wrong one.
		for id, want := range map[string]int{"confidential": 200, "disabled": 401, "basic_only": 401} {
			t.Run(fmt.Sprintf("the right %s secret of the client %s costs one hash and is answered %d", kind, id, want), func(t *testing.T) {
				computed = nil
				if w := workAnswer(e, id, workSecret); w.Code != want {
					t.Errorf("answered %d %s", w.Code, w.Body)
				}
				if !reflect.DeepEqual(computed, []string{kind}) {
					t.Errorf("computed %v", computed)
				}
			})
		}
	}
}

func TestSecretsAreComparedInOrder(t *testing.T) {
	right, wrong := workHash("sha256", workSecret), workHash("sha256", "other")
	slowRight, slowWrong := workHash("bcrypt", workSecret), workHash("bcrypt", "other")
	argonWrong := workHash("argon2id", "other")
	past := time.Unix(1, 0)
	expired := func(c store.Client, i int) store.Client { c.Secrets[i].ExpiresAt = past; return c }
	tests := []struct {
		name   string
		client store.Client
		status int
		want   []string
	}{
		{"a right secret after two wrong ones costs three", workClient("c", wrong, wrong, right), 200, []string{"sha256", "sha256", "sha256"}},
		{"nothing is compared after the right one", workClient("c", right, wrong, slowWrong), 200, []string{"sha256"}},
		{"one that cannot be read costs nothing", workClient("c", "x", right), 200, []string{"sha256"}},
		{"an expired one is compared last, and refuses", expired(workClient("c", right, wrong), 0), 401, []string{"sha256", "sha256"}},
		{"an expired one is no hindrance", expired(workClient("c", wrong, right), 0), 200, []string{"sha256"}},
		{"three slow secrets are compared", workClient("c", slowWrong, argonWrong, slowRight), 200, []string{"bcrypt", "argon2id", "bcrypt"}},
		{"a fourth slow secret is not, even if it is right", workClient("c", slowWrong, argonWrong, slowWrong, slowRight), 401,
			[]string{"bcrypt", "argon2id", "bcrypt"}},
		{"a fast one behind them is", workClient("c", slowWrong, slowWrong, slowWrong, slowWrong, right), 200,
			[]string{"bcrypt", "bcrypt", "bcrypt", "sha256"}},
		{"expired slow ones are among the three", expired(expired(workClient("c", slowWrong, slowRight, slowWrong, slowWrong), 0), 1), 401,
			[]string{"bcrypt", "bcrypt", "bcrypt"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var computed []string
			e := workEndpoint(t, "", func(algorithm string) { computed = append(computed, algorithm) }, test.client)
			if w := workAnswer(e, "c", workSecret); w.Code != test.status {
				t.Errorf("answered %d %s", w.Code, w.Body)
			}
			if !reflect.DeepEqual(computed, test.want) {
				t.Errorf("computed %v, want %v", computed, test.want)
			}
		})
	}
}
