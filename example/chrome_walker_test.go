package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// walker is somebody at the shop, in a tab, with what else there is: an application
// that serves its own redirect URI, a television, a till.
type walker struct {
	*tab
	callback string
	oauth2.Config
	provider *oidc.Provider
	verifier string
}

const registered = `{
	"clients": [
		{"client_id": "app", "client_name": "Photo Album", "client_secrets": [{"value": "secret"}], "redirect_uris": [%q],
		 "grant_types": ["authorization_code", "refresh_token"], "scope": "openid profile photos offline_access"},
		{"client_id": "device", "client_name": "Living Room TV", "token_endpoint_auth_method": "none",
		 "grant_types": ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"], "scope": "openid photos offline_access"},
		{"client_id": "ciba", "client_name": "Till 3", "client_secrets": [{"value": "secret"}],
		 "grant_types": ["urn:openid:params:grant-type:ciba"], "scope": "openid photos"}
	],
	"scopes": [{"name": "profile", "identity": true}, {"name": "photos", "resources": ["https://photos.example"]}],
	"users": [{"sub": "2", "username": "bob", "password": "a password"}]
}`

func newWalker(t *testing.T, chrome context.Context, way way) *walker {
	t.Helper()
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, `<!doctype html><link rel="icon" href="data:,"><title>as it came</title><script>document.title = "changed"</script>Welcome back.`)
	}))
	t.Cleanup(app.Close)
	v := &walker{callback: app.URL + "/callback", verifier: oauth2.GenerateVerifier()}
	shop := start(t, "-store", "memory:", "-config", configFileWith(t, fmt.Sprintf(registered, v.callback)))
	var err error
	if v.provider, err = oidc.NewProvider(t.Context(), shop); err != nil {
		t.Fatal(err)
	}
	v.Config = oauth2.Config{ClientID: "app", ClientSecret: "secret", RedirectURL: v.callback, Endpoint: v.provider.Endpoint(),
		Scopes: []string{"openid", "photos", "offline_access"}}
	v.tab = newTab(t, chrome, way, shop, app.URL)
	v.open(app.URL)
	if title := eval[string](v.tab, "document.title"); (title == "changed") != way.scripts {
		t.Fatalf("a page's script runs: %v, and should: %v", title == "changed", way.scripts)
	}
	return v
}

// openTheApplication begins to sign in there.
func (v *walker) openTheApplication() {
	v.t.Helper()
	v.open(v.AuthCodeURL("the state", oauth2.S256ChallengeOption(v.verifier)))
}

// logIn uses the form of the page. With a keyboard people press Enter in its last
// field.
func (v *walker) logIn(password string) {
	v.t.Helper()
	v.fill("input[name=username]", "bob")
	v.fill("input[name=password]", password)
	if v.way.keyboard {
		v.enter()
		return
	}
	v.press("button[value=login]")
}

// redeem has the application make tokens of what the browser brought.
func (v *walker) redeem(answer url.Values) *oauth2.Token {
	v.t.Helper()
	if answer.Get("state") != "the state" || answer.Get("iss") != v.shop {
		v.t.Fatalf("state %q, iss %q, error %q", answer.Get("state"), answer.Get("iss"), answer.Get("error"))
	}
	token, err := v.Exchange(v.t.Context(), answer.Get("code"), oauth2.VerifierOption(v.verifier))
	if err != nil {
		v.t.Fatal(err)
	}
	v.isBob("app", token.Extra("id_token"))
	return token
}

func (v *walker) isBob(client string, idToken any) {
	v.t.Helper()
	raw, _ := idToken.(string)
	id, err := v.provider.Verifier(&oidc.Config{ClientID: client}).Verify(v.t.Context(), raw)
	if err != nil {
		v.t.Fatal(err)
	}
	if id.Subject != "2" {
		v.t.Errorf("the ID token's sub is %q, not bob's", id.Subject)
	}
}
