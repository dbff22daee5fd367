package main

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const callback = "https://myapp/callback"

// Most Go applications sign their users in by these two libraries.
func TestAnApplicationSignsBobIn(t *testing.T) {
	issuer := start(t)
	ctx := t.Context()
	provider, err := oidc.NewProvider(ctx, issuer)
	if err != nil {
		t.Fatal(err)
	}
	app := oauth2.Config{ClientID: "interactive.confidential", ClientSecret: "secret", Endpoint: provider.Endpoint(),
		RedirectURL: callback, Scopes: []string{"openid", "profile", "api", "offline_access"}}
	verifier, state := oauth2.GenerateVerifier(), "a state & more"
	b := newBrowser(t)
	b.open(app.AuthCodeURL(state, oauth2.S256ChallengeOption(verifier), oidc.Nonce("n-0S6")))
	b.shows(http.StatusOK, "Sign in")
	b.submit("action", "login", "username", "bob", "password", "wrong")
	b.shows(http.StatusUnauthorized, "not right")
	b.submit("action", "login", "username", "bob", "password", "bob")
	b.shows(http.StatusOK, "offline_access")
	b.submit("action", "allow")
	answer := b.came(callback)
	if answer.Get("state") != state || answer.Get("iss") != issuer || answer.Get("scope") != "openid profile api offline_access" {
		t.Fatalf("state %q, iss %q, scope %q", answer.Get("state"), answer.Get("iss"), answer.Get("scope"))
	}
	token, err := app.Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	checkID(t, provider, token, "n-0S6")
	verify(t, issuer, token.AccessToken)

	token.Expiry = time.Now().Add(-time.Hour)
	fresh, err := app.TokenSource(ctx, token).Token()
	if err != nil || fresh.AccessToken == token.AccessToken || fresh.RefreshToken == "" {
		t.Fatalf("refreshed: %v", err)
	}
	checkID(t, provider, fresh, "")
	if _, err := app.Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(verifier)); err == nil || !strings.Contains(err.Error(), "invalid_grant") {
		t.Errorf("the code was redeemed twice: %v", err)
	}

	b.open(app.AuthCodeURL("again", oauth2.S256ChallengeOption(verifier)))
	if code := b.came(callback).Get("code"); code == "" {
		t.Error("bob is signed in and has agreed, and is asked again")
	}
	b.open(app.AuthCodeURL("fresh", oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("prompt", "login")))
	b.shows(http.StatusOK, "Sign in")
	b.submit("action", "login", "username", "alice", "password", "alice")
	b.shows(http.StatusOK, "alice")
	b.submit("action", "deny")
	if problem := b.came(callback).Get("error"); problem != "access_denied" {
		t.Errorf("error %q", problem)
	}
}

func checkID(t *testing.T, provider *oidc.Provider, token *oauth2.Token, nonce string) {
	t.Helper()
	raw, _ := token.Extra("id_token").(string)
	id, err := provider.Verifier(&oidc.Config{ClientID: "interactive.confidential"}).Verify(context.Background(), raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := id.VerifyAccessToken(token.AccessToken); err != nil {
		t.Error(err)
	}
	var claims struct{ Name, Email string }
	if err := id.Claims(&claims); err != nil || claims.Name != "Bob Smith" || id.Subject != "2" || id.Nonce != nonce {
		t.Errorf("name %q, sub %q, nonce %q, %v", claims.Name, id.Subject, id.Nonce, err)
	}
}

func TestWhatTheAuthorizationEndpointRefuses(t *testing.T) {
	issuer := start(t)
	const good = "client_id=client1&response_type=code&redirect_uri=https://myapp/callback&scope=openid&state=s"
	for name, c := range map[string]struct {
		query string
		error string // sent to the application; empty: a page, and no redirect
	}{
		"an unknown client":                {"client_id=nobody&response_type=code&redirect_uri=https://myapp/callback", ""},
		"no client":                        {"response_type=code", ""},
		"another redirect URI":             {strings.Replace(good, "myapp/callback", "evil.example/callback", 1), ""},
		"a redirect URI with more":         {strings.Replace(good, "/callback", "/callback/", 1), ""},
		"a redirect URI in capitals":       {strings.Replace(good, "https:", "HTTPS:", 1), ""},
		"no redirect URI of three":         {strings.Replace(good, "redirect_uri=https://myapp/callback", "", 1), ""},
		"a parameter twice":                {good + "&state=t", ""},
		"a bad escape":                     {good + "&x=%zz", ""},
		"no response type":                 {strings.Replace(good, "response_type=code", "", 1), "invalid_request"},
		"another response type":            {strings.Replace(good, "=code", "=token", 1), "unsupported_response_type"},
		"a request object":                 {good + "&request=x", "request_not_supported"},
		"a request_uri":                    {good + "&request_uri=x", "request_uri_not_supported"},
		"a scope that is not the client's": {strings.Replace(good, "=openid", "=openid+admin", 1), "invalid_scope"},
		"prompt=none and nobody there":     {good + "&prompt=none", "login_required"},
		"prompt=none and another":          {good + "&prompt=none+login", "invalid_request"},
		"demo_user without -demo":          {good + "&prompt=none&demo_user=bob", "login_required"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBrowser(t)
			b.open(issuer + "/connect/authorize?" + c.query)
			if c.error == "" {
				if b.shows(http.StatusBadRequest, "That did not work"); b.left != nil {
					t.Errorf("the browser is sent to %s", b.left)
				}
				return
			}
			if answer := b.came(callback); answer.Get("error") != c.error || answer.Get("state") != "s" || answer.Get("iss") != issuer || answer.Has("code") {
				t.Errorf("the answer is %v", answer)
			}
		})
	}
}

// 6749-10.12-01, 6749-10.13-01, 9700-4.12-01, 2.1-3.1-01: forms are of this
// browser, pages are framed by nobody, and no password is sent on.
func TestPagesAreSafe(t *testing.T) {
	issuer := start(t)
	address := issuer + "/connect/authorize?client_id=client1&response_type=code&scope=openid&redirect_uri=" + url.QueryEscape(callback) +
		"&state=" + url.QueryEscape(`"><script>alert(1)</script>`)
	b := newBrowser(t)
	b.open(address)
	b.shows(http.StatusOK, "Sign in")
	if strings.Contains(b.page, "<script") {
		t.Error("the state is in the page as it came")
	}
	response, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	for name, want := range map[string]string{
		"X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "Access-Control-Allow-Origin": "",
	} {
		if got := response.Header.Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	if policy := response.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "frame-ancestors 'none'") || !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("Content-Security-Policy is %q", policy)
	}
	for _, csrf := range []string{"", "AAAAAAAAAAAAAAAAAAAAAAAAAA"} {
		b.submit("csrf", csrf, "action", "login", "username", "bob", "password", "bob")
		b.shows(http.StatusForbidden, "did not come from a page of ours")
	}
	stranger := newBrowser(t)
	stranger.at, stranger.page = address, b.page // without the cookie
	stranger.submit("csrf", "", "action", "login", "username", "bob", "password", "bob")
	stranger.shows(http.StatusForbidden, "did not come from a page of ours")

	b.open(address)
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	b.submit("action", "login", "username", "bob", "password", "bob")
	if b.status != http.StatusSeeOther {
		t.Errorf("after the password comes a redirect with status %d, want 303", b.status)
	}
}

// A neighbour, such as another port of this host, can set cookies and post forms.
func TestANeighbourCannotAllowInSomebodysPlace(t *testing.T) {
	b := newBrowser(t)
	address := start(t) + "/connect/authorize?client_id=client1&response_type=code&scope=openid&redirect_uri=" + url.QueryEscape(callback)
	b.open(address)
	b.submit("action", "login", "username", "bob", "password", "bob")
	b.shows(http.StatusOK, "Allow access?")
	here, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	b.client.Jar.SetCookies(here, []*http.Cookie{{Name: csrfCookie, Value: strings.Repeat("A", 26), Path: "/"}})
	consent := b.page
	for _, action := range []string{"allow", "deny"} {
		b.submit("action", action, "csrf", strings.Repeat("A", 26))
		b.shows(http.StatusForbidden, "did not come from a page of ours")
	}
	r, err := http.NewRequest(http.MethodPost, address, strings.NewReader("action=allow&csrf="+regexp.MustCompile(`name="csrf" value="(\w+)"`).FindStringSubmatch(consent)[1]))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	b.read(b.client.Do(r))
	b.shows(http.StatusForbidden, "did not come from a page of ours")

	b.open(address + "&prompt=login")
	b.submit("action", "cancel")
	if problem := b.came(callback).Get("error"); problem != "access_denied" {
		t.Errorf("error %q", problem)
	}
}

// NATIVE-8.6-01: any program can claim to be a public client, so nobody gets a code
// for one without a click.
func TestAPublicClientIsAskedAboutEachTime(t *testing.T) {
	b := newBrowser(t)
	address := start(t, "-config", configFileWith(t, `{"clients": [{"client_id": "app", "grant_types": ["authorization_code"], "scope": "openid",
		"token_endpoint_auth_method": "none", "redirect_uris": ["http://127.0.0.1/callback"]}],
		"users": [{"sub": "1", "username": "bob", "password": "bob"}]}`)) +
		"/connect/authorize?client_id=app&response_type=code&scope=openid&redirect_uri=" + url.QueryEscape("http://127.0.0.1:1/callback") +
		"&code_challenge_method=S256&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	b.client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Port() == "1" {
			return http.ErrUseLastResponse
		}
		return nil
	}
	b.open(address)
	b.submit("action", "login", "username", "bob", "password", "bob")
	for range 2 {
		b.shows(http.StatusOK, "Allow access?")
		b.submit("action", "allow")
		if !b.came("http://127.0.0.1:1/callback").Has("code") {
			t.Fatalf("the answer is %v", b.left)
		}
		b.open(address)
	}
	b.open(address + "&prompt=none")
	if problem := b.came("http://127.0.0.1:1/callback").Get("error"); problem != "consent_required" {
		t.Errorf("error %q", problem)
	}
}

func TestThrottlingDoesNotTellWhoIsAUser(t *testing.T) {
	b := newBrowser(t)
	b.open(start(t) + "/connect/authorize?client_id=client1&response_type=code&scope=openid&redirect_uri=" + url.QueryEscape(callback))
	for range 10 {
		b.submit("action", "login", "username", "nobody", "password", "guess")
		b.shows(http.StatusUnauthorized, "not right")
	}
	b.submit("action", "login", "username", "nobody", "password", "guess")
	b.shows(http.StatusTooManyRequests, "Too many attempts")
	b.submit("action", "login", "username", "bob", "password", "guess")
	b.shows(http.StatusUnauthorized, "not right")
	b.submit("action", "login", "username", "bob", "password", "bob")
	b.shows(http.StatusOK, "Allow access?")
}

func TestGuessingAPasswordIsThrottled(t *testing.T) {
	b := newBrowser(t)
	b.open(start(t) + "/connect/authorize?client_id=client1&response_type=code&scope=openid&redirect_uri=" + url.QueryEscape(callback))
	for range 10 {
		b.submit("action", "login", "username", "bob", "password", "guess")
		b.shows(http.StatusUnauthorized, "not right")
	}
	b.submit("action", "login", "username", "bob", "password", "bob")
	b.shows(http.StatusTooManyRequests, "Too many attempts")
}

// The requests of the documentation, with a code and a refresh token put in, and a
// script in the person's place.
func TestTheCodeRequestsOfTheDocumentationWorkAsPrinted(t *testing.T) {
	data := t.TempDir()
	for _, redirect := range []string{"https://myapp/callback", "https://myapp.com/callback", "https://app.com/callback"} {
		t.Run(redirect, func(t *testing.T) {
			issuer := start(t, "-demo", "-data", data)
			b := newBrowser(t)
			b.open(issuer + "/connect/authorize?client_id=client1&scope=openid%20api1&response_type=code&redirect_uri=" + redirect + "&demo_user=bob&")
			answer := b.came(redirect)
			if answer.Get("scope") != "openid api1" {
				t.Errorf("scope is %q", answer.Get("scope"))
			}
			status, members := post(t, issuer+"/connect/token", url.Values{"client_id": {"client1"}, "client_secret": {"secret"},
				"grant_type": {"authorization_code"}, "code": {answer.Get("code")}, "redirect_uri": {redirect}})
			if status != http.StatusOK || members["id_token"] == nil || members["refresh_token"] == nil {
				t.Fatalf("status %d, error %v", status, members["error"])
			}
			again := start(t, "-demo", "-data", data, "-issuer", issuer) // what was granted outlives the process
			status, members = post(t, again+"/connect/token", url.Values{"client_id": {"client1"}, "client_secret": {"secret"},
				"grant_type": {"refresh_token"}, "refresh_token": {members["refresh_token"].(string)}})
			if status != http.StatusOK || members["scope"] != "openid api1" {
				t.Fatalf("after a restart: status %d, error %v", status, members["error"])
			}
		})
	}
}
