package store_test

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
)

func TestAllows(t *testing.T) {
	const (
		basic = store.ClientSecretBasic
		post  = store.ClientSecretPost
		none  = store.NoAuth
		other = store.AuthMethod("private_key_jwt")
	)
	secret := []store.Secret{{Hash: store.HashSecret("s")}}
	set := func(m ...store.AuthMethod) []store.AuthMethod { return m }

	for _, test := range []struct {
		name    string
		methods []store.AuthMethod
		single  store.AuthMethod
		secrets []store.Secret
		allowed []store.AuthMethod
	}{
		{"unset with a secret is basic and post", nil, "", secret, set(basic, post)},
		{"an empty set is unset", set(), "", secret, set(basic, post)},
		{"unset without a secret is nothing, and never public", nil, "", nil, nil},
		{"an expired secret is still a secret", nil, "", []store.Secret{{ExpiresAt: time.Unix(1, 0)}}, set(basic, post)},
		{"a single basic is exactly basic", nil, basic, secret, set(basic)},
		{"a single post is exactly post", nil, post, secret, set(post)},
		{"a single none is exactly none", nil, none, nil, set(none)},
		{"a single none is exactly none in spite of a secret", nil, none, secret, set(none)},
		{"a single method the endpoint does not know excludes those it knows", nil, other, secret, set(other)},
		{"a set is exactly the set", set(basic, post), "", secret, set(basic, post)},
		{"a set of one is exactly the one", set(post), "", secret, set(post)},
		{"a set takes precedence over the single value", set(basic), post, secret, set(basic)},
		{"a set takes precedence over none", set(basic), none, secret, set(basic)},
		{"a set may hold none beside a method with a secret", set(none, basic), "", secret, set(none, basic)},
		{"a set counts without a secret", set(post), "", nil, set(post)},
		{"a set of the empty string allows no method", set(""), "", secret, set("")},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := &store.Client{AuthMethods: test.methods, Secrets: test.secrets}
			c.TokenEndpointAuthMethod = test.single
			for _, m := range set(basic, post, none, other, "", "CLIENT_SECRET_BASIC") {
				if got, want := c.Allows(m), slices.Contains(test.allowed, m); got != want {
					t.Errorf("Allows(%q) = %v, want %v", m, got, want)
				}
			}
		})
	}
}

func TestHashSecretIsTheSHA256InUnpaddedBase64(t *testing.T) {
	for secret, want := range map[string]string{ // printf %s SECRET | openssl dgst -sha256 -binary | base64
		"":    "$sha256$47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
		"abc": "$sha256$ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0",
		"s2":  "$sha256$rTKIRqoYsyozWBY3RRHKwQY8cEuMV5meUdqfkIKQp6Q",
	} {
		if got := store.HashSecret(secret); got != want {
			t.Errorf("HashSecret(%q) = %s, want %s", secret, got, want)
		}
	}
}

func TestNewSecret(t *testing.T) {
	seen := make(map[string]bool)
	for range 100 {
		secret, stored := store.NewSecret()
		if seen[secret] {
			t.Fatal("the same secret was made twice")
		}
		seen[secret] = true

		raw, err := base64.RawURLEncoding.DecodeString(secret)
		if err != nil || len(raw) != 32 || len(secret) != 43 {
			t.Fatalf("%q is not 43 characters of base64url for 256 bits: %d bytes, %v", secret, len(raw), err)
		}
		if want := (store.Secret{Hash: store.HashSecret(secret)}); stored != want {
			t.Fatalf("stored as %+v, want %+v", stored, want)
		}
		if strings.Contains(stored.Hash, secret) {
			t.Fatalf("the stored form %q holds the secret", stored.Hash)
		}
	}
}

func TestTheJSONOfAClientIsItsMetadata(t *testing.T) {
	c := store.Client{
		Metadata: store.Metadata{
			ID:                      "a",
			Name:                    "A",
			RedirectURIs:            []string{"https://a.example.com/cb"},
			GrantTypes:              []string{"client_credentials"},
			Scope:                   "read write",
			TokenEndpointAuthMethod: store.ClientSecretPost,
			DeliveryMode:            store.DeliveryPing,
			NotificationEndpoint:    "https://a.example.com/ciba",
			UserCodeParameter:       true,
		},
		Secrets:             []store.Secret{{Hash: "HIDDEN", Label: "HIDDEN"}},
		AuthMethods:         []store.AuthMethod{"HIDDEN"},
		AccessTokenLifetime: time.Hour,
		Claims:              map[string]any{"HIDDEN": "HIDDEN"},
		DeviceCodeLifetime:  time.Hour,
		BackchannelLifetime: time.Hour,
		PollInterval:        time.Hour,
		IdentityProviders:   []string{"HIDDEN"},
		Disabled:            true,
	}
	const want = `{"client_id":"a","client_name":"A","redirect_uris":["https://a.example.com/cb"],` +
		`"grant_types":["client_credentials"],"scope":"read write","token_endpoint_auth_method":"client_secret_post",` +
		`"backchannel_token_delivery_mode":"ping","backchannel_client_notification_endpoint":"https://a.example.com/ciba",` +
		`"backchannel_user_code_parameter":true}`
	got, err := json.Marshal(c)
	if err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}

	// Nor can whoever sends metadata set the rest.
	var read store.Client
	err = json.Unmarshal([]byte(`{"client_id":"a","Disabled":true,"disabled":true,"Secrets":[{"Hash":"x"}],`+
		`"AuthMethods":["none"],"Claims":{"a":1},"AccessTokenLifetime":1,"PollInterval":1,"IdentityProviders":["a"]}`), &read)
	if err != nil || read.Disabled || read.Secrets != nil || read.AuthMethods != nil || read.Claims != nil || read.AccessTokenLifetime != 0 ||
		read.PollInterval != 0 || read.IdentityProviders != nil {
		t.Errorf("read %+v, %v", read, err)
	}
}
