package interop

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/zitadel/oidc/v3/pkg/client/rp"
	httphelper "github.com/zitadel/oidc/v3/pkg/http"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"golang.org/x/oauth2"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// webMetadata is that of applications whose users sign in, and stay.
var webMetadata = store.Metadata{GrantTypes: []string{"authorization_code", "refresh_token"}, Scope: "openid profile offline_access"}

// relyingParty finds the service by its metadata.
func (s *service) relyingParty(clientID, clientSecret, redirectURI string, scopes []string, options ...rp.Option) rp.RelyingParty {
	s.Helper()
	party, err := rp.NewRelyingPartyOIDC(s.Context(), s.issuer, clientID, clientSecret, redirectURI, scopes, append(options, rp.WithHTTPClient(s.http))...)
	if err != nil {
		s.Fatal(err)
	}
	return party
}

// zitadelApp is an application whose pages are the library's handlers: /login and
// /callback, which says who has come.
type zitadelApp struct {
	rp.RelyingParty
	url    string
	tokens *oidc.Tokens[*oidc.IDTokenClaims] // of the last who has come
}

// zitadelApp starts an application for a client, which it registers.
func (s *service) zitadelApp(client store.Client, clientSecret string, options ...rp.Option) *zitadelApp {
	s.Helper()
	mux := http.NewServeMux()
	server := httptest.NewTLSServer(mux)
	s.Cleanup(server.Close)
	client.RedirectURIs = []string{server.URL + "/callback"}
	s.clients.Put(client)
	cookies := httphelper.NewCookieHandler([]byte("0123456789abcdef0123456789abcdef"), nil)
	app := &zitadelApp{url: server.URL}
	app.RelyingParty = s.relyingParty(client.ID, clientSecret, client.RedirectURIs[0], []string{"openid", "profile", "offline_access"},
		append(options, rp.WithPKCEFromDiscovery(cookies))...)
	nonce := rp.WithURLParam("nonce", "n-0S6")
	mux.Handle("/login", rp.AuthURLHandler(func() string { return "a state & more" }, app, nonce))
	mux.Handle("/callback", rp.CodeExchangeHandler(func(w http.ResponseWriter, _ *http.Request, tokens *oidc.Tokens[*oidc.IDTokenClaims], state string, _ rp.RelyingParty) {
		app.tokens = tokens
		fmt.Fprintf(w, "%s, state %s", tokens.IDTokenClaims.Name, state)
	}, app))
	return app
}

// signIn signs alice in by a browser.
func (a *zitadelApp) signIn(s *service) {
	s.Helper()
	if status, page := a.visit(s); status != http.StatusOK || page != "Alice Smith, state a state & more" {
		s.Fatalf("status %d, reason %v, page %q", status, s.reason.Load(), page)
	}
}

// visit begins at /login, and returns the page that the browser ends at.
func (a *zitadelApp) visit(s *service) (status int, page string) {
	s.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.Fatal(err)
	}
	browser := *s.http
	browser.Jar = jar
	response, err := browser.Get(a.url + "/login")
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func TestZitadelCode(t *testing.T) {
	withNonce := rp.WithVerifierOpts(rp.WithNonce(func(context.Context) string { return "n-0S6" }))
	web := store.Client{Metadata: webMetadata, Secrets: []store.Secret{{Hash: store.HashSecret(secret)}}}
	web.ID = "web"
	app := store.Client{Metadata: webMetadata}
	app.ID, app.TokenEndpointAuthMethod = "app", store.NoAuth
	t.Run("signs a user in", func(t *testing.T) {
		s := start(t, rolling())
		s.zitadelApp(web, secret, withNonce).signIn(s)
	})
	t.Run("signs a user in by an algorithm that it finds in the metadata", func(t *testing.T) {
		s := start(t, &tokenendpoint.RollingKeys{Alg: tokenendpoint.ES384, Logger: slog.New(slog.DiscardHandler)})
		s.zitadelApp(web, secret, withNonce, rp.WithSigningAlgsFromDiscovery()).signIn(s)
	})
	t.Run("refreshes the tokens of an app without a secret", func(t *testing.T) {
		s := start(t, rolling())
		party := s.zitadelApp(app, "", rp.WithVerifierOpts(anyNonce))
		party.signIn(s)
		fresh, err := rp.RefreshTokens[*oidc.IDTokenClaims](t.Context(), party, party.tokens.RefreshToken, "", "")
		if err != nil {
			t.Fatal(err)
		}
		if !fresh.Valid() || fresh.IDTokenClaims.GetSubject() != "alice" || fresh.RefreshToken == "" || fresh.RefreshToken == party.tokens.RefreshToken {
			t.Errorf("valid %t, rotated %t, %+v", fresh.Valid(), fresh.RefreshToken != party.tokens.RefreshToken, fresh.IDTokenClaims)
		}
	})
	t.Run("refreshes the tokens of an application with a secret by golang.org/x/oauth2", func(t *testing.T) {
		s := start(t, rolling())
		party := s.zitadelApp(web, secret, rp.WithVerifierOpts(anyNonce))
		party.signIn(s)
		old := *party.tokens.Token
		old.Expiry = time.Now().Add(-time.Second)
		fresh, err := party.OAuthConfig().TokenSource(s.context(), &old).Token()
		if err != nil || !fresh.Valid() || fresh.AccessToken == old.AccessToken {
			t.Errorf("refreshed: %v", err)
		}
	})
}

// anyNonce is for applications that refresh, since refreshed ID tokens have none.
func anyNonce(v *rp.IDTokenVerifier) { v.Nonce = nil }

func TestZitadelDevice(t *testing.T) {
	t.Parallel() // it waits between its polls
	s := start(t, rolling())
	s.clients.Put(television())
	party := s.relyingParty("tv", "", "", nil)
	device, err := rp.DeviceAuthorization(t.Context(), []string{"openid", "offline_access"}, party, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.entered <- device.UserCode
	answer, err := rp.DeviceAccessToken(t.Context(), device.DeviceCode, time.Duration(device.Interval)*time.Second, party)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.entered) != 0 {
		t.Error("the device never waited for alice")
	}
	id, err := rp.VerifyTokens[*oidc.IDTokenClaims](t.Context(), answer.AccessToken, answer.IDToken, party.IDTokenVerifier())
	if err != nil {
		t.Fatal(err)
	}
	if id.GetSubject() != "alice" || id.GetAccessTokenHash() == "" || answer.RefreshToken == "" {
		t.Errorf("sub %q, at_hash %q, refresh token %t", id.GetSubject(), id.GetAccessTokenHash(), answer.RefreshToken != "")
	}
}

func TestZitadelClientCredentials(t *testing.T) {
	s := start(t, rolling())
	for _, method := range []store.AuthMethod{store.ClientSecretBasic, store.ClientSecretPost} {
		t.Run("gets a token by "+string(method), func(t *testing.T) {
			s.clients.Put(store.Client{Secrets: []store.Secret{{Hash: store.HashSecret(secret)}}, Metadata: store.Metadata{
				ID: "daemon", GrantTypes: []string{"client_credentials"}, Scope: "api", TokenEndpointAuthMethod: method}})
			style := map[store.AuthMethod]oauth2.AuthStyle{store.ClientSecretBasic: oauth2.AuthStyleInHeader, store.ClientSecretPost: oauth2.AuthStyleInParams}[method]
			token, err := rp.ClientCredentials(t.Context(), s.relyingParty("daemon", secret, "", []string{"api"}, rp.WithAuthStyle(style)), nil)
			if err != nil {
				t.Fatal(err)
			}
			if !token.Valid() || token.Extra("scope") != "api" {
				t.Errorf("valid %t, scope %q", token.Valid(), token.Extra("scope"))
			}
		})
	}
}
