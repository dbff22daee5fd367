package interop

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// secret has what form encoding changes (RFC 6749 section 2.3.1, appendix B).
const secret = "a secret: 100% + & = / ?"

// context has golang.org/x/oauth2 and go-oidc trust the service.
func (s *service) context() context.Context {
	return context.WithValue(s.Context(), oauth2.HTTPClient, s.http)
}

func (s *service) oauth2(clientID, clientSecret string, scopes ...string) *oauth2.Config {
	return &oauth2.Config{ClientID: clientID, ClientSecret: clientSecret, Scopes: scopes, RedirectURL: "https://app.example/callback",
		Endpoint: oauth2.Endpoint{AuthURL: s.issuer + "/authorize", DeviceAuthURL: s.issuer + "/connect/deviceauthorization", TokenURL: s.issuer + "/connect/token"}}
}

func TestOAuth2ClientCredentials(t *testing.T) {
	s := start(t, rolling())
	for _, c := range []struct {
		name   string
		method store.AuthMethod
		style  oauth2.AuthStyle
	}{
		{"sends the secret in the header", store.ClientSecretBasic, oauth2.AuthStyleInHeader},
		{"sends the secret in the body", store.ClientSecretPost, oauth2.AuthStyleInParams},
		{"finds out that the header will do", store.ClientSecretBasic, oauth2.AuthStyleAutoDetect},
		{"finds out that it must be the body", store.ClientSecretPost, oauth2.AuthStyleAutoDetect},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.clients.Put(store.Client{Secrets: []store.Secret{{Hash: store.HashSecret(secret)}}, Metadata: store.Metadata{
				ID: "https://daemon.example/?a b", GrantTypes: []string{"client_credentials"}, Scope: "api", TokenEndpointAuthMethod: c.method}})
			config := clientcredentials.Config{ClientID: "https://daemon.example/?a b", ClientSecret: secret, TokenURL: s.issuer + "/connect/token", AuthStyle: c.style}
			token, err := config.Token(s.context())
			if err != nil {
				t.Fatal(err)
			}
			if !token.Valid() || token.Type() != "Bearer" || token.Extra("scope") != "api" {
				t.Errorf("type %q, scope %q, until %v", token.Type(), token.Extra("scope"), token.Expiry)
			}
			config.ClientSecret = "another"
			if _, err := config.Token(s.context()); !isRefused(err, tokenendpoint.InvalidClient) {
				t.Errorf("with another secret: %v", err)
			}
		})
	}
}

func TestOAuth2Code(t *testing.T) {
	metadata := store.Metadata{RedirectURIs: []string{"https://app.example/callback"},
		GrantTypes: []string{"authorization_code", "refresh_token"}, Scope: "openid api offline_access"}
	web := store.Client{Metadata: metadata, Secrets: []store.Secret{{Hash: store.HashSecret(secret)}}}
	web.ID = "web"
	app := store.Client{Metadata: metadata}
	app.ID, app.TokenEndpointAuthMethod = "app", store.NoAuth
	for _, c := range []struct {
		name    string
		client  store.Client
		secret  string
		rotates bool
	}{
		{"signs a user of a web application in, who stays", web, secret, false},
		{"signs a user of an app without a secret in, who stays", app, "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, rolling())
			s.clients.Put(c.client)
			config, verifier := s.oauth2(c.client.ID, c.secret, "api", "offline_access"), oauth2.GenerateVerifier()
			answer := s.browse(config.AuthCodeURL("a state & more", oauth2.S256ChallengeOption(verifier)))
			if answer.Get("state") != "a state & more" || answer.Get("iss") != s.issuer {
				t.Fatalf("state %q, iss %q", answer.Get("state"), answer.Get("iss"))
			}
			if _, err := config.Exchange(s.context(), answer.Get("code"), oauth2.VerifierOption(oauth2.GenerateVerifier())); !isRefused(err, tokenendpoint.InvalidGrant) {
				t.Errorf("with another verifier: %v", err)
			}
			token, err := config.Exchange(s.context(), answer.Get("code"), oauth2.VerifierOption(verifier))
			if err != nil {
				t.Fatal(err)
			}
			token.Expiry = time.Now().Add(-time.Second)
			fresh, err := config.TokenSource(s.context(), token).Token()
			if err != nil {
				t.Fatal(err)
			}
			if !fresh.Valid() || fresh.AccessToken == token.AccessToken || fresh.RefreshToken == "" || (fresh.RefreshToken != token.RefreshToken) != c.rotates {
				t.Errorf("valid %t, the same token %t, rotated %t", fresh.Valid(), fresh.AccessToken == token.AccessToken, fresh.RefreshToken != token.RefreshToken)
			}
			scopes, _ := fresh.Extra("scope").(string)
			if got := strings.Fields(scopes); !slices.Equal(got, config.Scopes) {
				t.Errorf("scope %q", got)
			}
		})
	}
}

func TestOAuth2Device(t *testing.T) {
	t.Parallel() // it waits between its polls
	s := start(t, rolling())
	s.clients.Put(television())
	config := s.oauth2("tv", "", "openid", "offline_access")
	config.Endpoint.AuthStyle = oauth2.AuthStyleInParams // else it tries two, and each poll is two: the second is too early
	device, err := config.DeviceAuth(s.context())
	if err != nil {
		t.Fatal(err)
	}
	if device.Interval != 2 || device.VerificationURI != s.issuer+"/device" || device.VerificationURIComplete != s.issuer+"/device?user_code="+device.UserCode {
		t.Errorf("interval %d, addresses %q, %q", device.Interval, device.VerificationURI, device.VerificationURIComplete)
	}
	s.entered <- device.UserCode
	token, err := config.DeviceAccessToken(s.context(), device)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.entered) != 0 {
		t.Error("the device never waited for alice")
	}
	if raw, _ := token.Extra("id_token").(string); raw == "" || token.RefreshToken == "" {
		t.Errorf("id_token %t, refresh_token %t", raw != "", token.RefreshToken != "")
	}
	if _, err := config.DeviceAccessToken(s.context(), &oauth2.DeviceAuthResponse{DeviceCode: device.DeviceCode, Interval: 1}); !isRefused(err, tokenendpoint.InvalidGrant) {
		t.Errorf("redeemed again: %v", err)
	}
}

// television is a device. Two seconds, because some clients give up a poll that takes
// longer than the interval.
func television() store.Client {
	return store.Client{PollInterval: 2 * time.Second, Metadata: store.Metadata{ID: "tv", TokenEndpointAuthMethod: store.NoAuth, Scope: "openid offline_access",
		GrantTypes: []string{"urn:ietf:params:oauth:grant-type:device_code", "refresh_token"}}}
}

// isRefused reports whether golang.org/x/oauth2 understood that the answer was code.
func isRefused(err error, code tokenendpoint.ErrorCode) bool {
	var refusal *oauth2.RetrieveError
	return errors.As(err, &refusal) && refusal.ErrorCode == string(code)
}
