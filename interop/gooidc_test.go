package interop

import (
	"crypto/rand"
	"crypto/rsa"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// rsaBeside are keys of which the first signs access tokens, and the RSA key ID tokens.
func rsaBeside(t *testing.T) tokenendpoint.KeySource {
	t.Helper()
	first, err := rolling().Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return append(tokenendpoint.StaticKeys{first[0]}, tokenendpoint.Key{ID: "rsa", Alg: tokenendpoint.RS256, Signer: key})
}

func TestGoOIDC(t *testing.T) {
	for _, c := range []struct {
		name string
		keys tokenendpoint.KeySource
		alg  string // of ID tokens
	}{
		{"verifies ID tokens of the default keys", rolling(), oidc.ES256},
		{"verifies ID tokens of an RSA key beside others", rsaBeside(t), oidc.RS256},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, c.keys)
			s.clients.Put(store.Client{Secrets: []store.Secret{{Hash: store.HashSecret(secret)}}, Metadata: store.Metadata{
				ID: "web", GrantTypes: []string{"authorization_code", "refresh_token"}, Scope: "openid profile api offline_access",
				RedirectURIs: []string{"https://app.example/callback"}}})
			ctx := oidc.ClientContext(t.Context(), s.http)
			provider, err := oidc.NewProvider(ctx, s.issuer)
			if err != nil {
				t.Fatal(err)
			}
			config := s.oauth2("web", secret, oidc.ScopeOpenID, "profile", oidc.ScopeOfflineAccess)
			if found := provider.Endpoint(); found != config.Endpoint {
				t.Fatalf("endpoints %+v", found)
			}
			verifier, before := oauth2.GenerateVerifier(), time.Now().Add(-time.Second)
			answer := s.browse(config.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier), oidc.Nonce("n-0S6")))
			token, err := config.Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(verifier))
			if err != nil {
				t.Fatal(err)
			}
			check := func(token *oauth2.Token, nonce string) {
				t.Helper()
				raw, _ := token.Extra("id_token").(string)
				id, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: "web", SupportedSigningAlgs: []string{c.alg}}).Verify(ctx, raw)
				if err != nil {
					t.Fatal(err)
				}
				var claims struct {
					Name     string
					AuthTime int64 `json:"auth_time"`
				}
				if err := id.Claims(&claims); err != nil {
					t.Fatal(err)
				}
				if id.Subject != "alice" || id.Nonce != nonce || claims.Name != "Alice Smith" || claims.AuthTime < before.Unix() {
					t.Errorf("sub %q, nonce %q, name %q, auth_time %d", id.Subject, id.Nonce, claims.Name, claims.AuthTime)
				}
				if err := id.VerifyAccessToken(token.AccessToken); err != nil {
					t.Error(err)
				}
				if err := id.VerifyAccessToken(token.AccessToken + "x"); err == nil {
					t.Error("at_hash is that of any token")
				}
			}
			check(token, "n-0S6")
			token.Expiry = time.Now().Add(-time.Second)
			fresh, err := config.TokenSource(ctx, token).Token()
			if err != nil {
				t.Fatal(err)
			}
			check(fresh, "")
			raw, _ := token.Extra("id_token").(string)
			if _, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: "other"}).Verify(ctx, raw); err == nil {
				t.Error("the ID token is for any client")
			}
		})
	}
}
