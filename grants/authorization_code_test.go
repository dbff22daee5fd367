package grants_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// The vector of RFC 7636 appendix B.
const (
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	callback  = "https://app.example/callback"
)

// brokenClients is a ClientStore that is out of order for one client.
type brokenClients struct{ *memory.Clients }

func (c brokenClients) Client(ctx context.Context, id string) (*store.Client, error) {
	if id == "broken" {
		return nil, errors.New("the database is down")
	}
	return c.Clients.Client(ctx, id)
}

// newEndpoint is one of clients that differ in one thing each.
func newEndpoint(t testing.TB) *tokenendpoint.Endpoint {
	t.Helper()
	clients := brokenClients{memory.NewClients()}
	for id, alter := range map[string]func(*store.Client){
		"app":         func(c *store.Client) { c.Secrets, c.AuthMethods = nil, []store.AuthMethod{store.NoAuth} },
		"web":         func(*store.Client) {},
		"disabled":    func(c *store.Client) { c.Disabled = true },
		"two":         func(c *store.Client) { c.RedirectURIs = []string{callback, callback + "/two"} },
		"none":        func(c *store.Client) { c.RedirectURIs = nil },
		"native":      func(c *store.Client) { c.RedirectURIs = []string{"http://127.0.0.1/callback"} },
		"other-grant": func(c *store.Client) { c.GrantTypes = []string{"client_credentials"} },
		"no-scope":    func(c *store.Client) { c.Scope = "" },
		"people-only": func(c *store.Client) { c.Scope = "openid" },
		"old":         func(c *store.Client) { c.LegacyNoPKCE = true },
		"old-app": func(c *store.Client) {
			c.LegacyNoPKCE, c.AuthMethods = true, []store.AuthMethod{store.NoAuth, store.ClientSecretBasic}
		},
		"plain": func(c *store.Client) { c.LegacyPlainPKCE = true },
	} {
		client := store.Client{
			Metadata: store.Metadata{ID: id, GrantTypes: []string{"authorization_code"}, RedirectURIs: []string{callback}, Scope: "openid orders.read stock.read ghost"},
			Secrets:  []store.Secret{{Hash: store.HashSecret("secret")}},
		}
		alter(&client)
		clients.Put(client)
	}
	endpoint, err := tokenendpoint.New(tokenendpoint.Config{
		Issuer:  "https://shop.example",
		Clients: clients,
		Scopes: memory.NewScopes(store.Scope{Name: "openid"}, store.Scope{Name: "orders.read", Resources: []string{"https://orders.example"}},
			store.Scope{Name: "stock.read", Resources: []string{"https://stock.example"}}, store.Scope{Name: "secret.read"}),
		Keys:    &tokenendpoint.RollingKeys{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))},
		Grants:  []tokenendpoint.GrantValidator{grants.AuthorizationCode{}, grants.ClientCredentials{}},
		Records: new(memory.Grants),
		Logger:  slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return endpoint
}

// issuing is a code for alice at a client, with what a test changes.
func issuing(client string, alter ...func(*grants.Code)) grants.Code {
	code := grants.Code{
		Grant:         store.Grant{ClientID: client, Subject: "alice", Scopes: []string{"orders.read"}},
		CodeChallenge: challenge, CodeChallengeMethod: "S256",
	}
	for _, change := range alter {
		change(&code)
	}
	return code
}

func redirect(uri string) func(*grants.Code) {
	return func(c *grants.Code) { c.RedirectURI = uri }
}

func pkce(challenge, method string) func(*grants.Code) {
	return func(c *grants.Code) { c.CodeChallenge, c.CodeChallengeMethod = challenge, method }
}

func granting(alter func(*store.Grant)) func(*grants.Code) {
	return func(c *grants.Code) { alter(&c.Grant) }
}

// 6749-3.1.2.3-01, 6749-3.1.2.3-02, 6749-3.1.2.4-01, 7636-4.3-01, 7636-4.4.1-01,
// 7636-7.1-01, 7636-7.2-01, 2.1-4.1.1-01, 2.1-4.1.1-02, 8707-2-05, Commonly got
// wrong no. 20.
func TestIssueRefuses(t *testing.T) {
	const (
		request, client, grant   = tokenendpoint.InvalidRequest, tokenendpoint.InvalidClient, tokenendpoint.UnauthorizedClient
		scope, target            = tokenendpoint.InvalidScope, tokenendpoint.InvalidTarget
		wrongRedirect            = tokenendpoint.ReasonRedirectURI
		noChallenge, badGrammar  = tokenendpoint.ReasonVerifier, tokenendpoint.ReasonVerifierSyntax
		unavailable, serverError = tokenendpoint.TemporarilyUnavailable, tokenendpoint.ServerError
	)
	endpoint := newEndpoint(t)
	for name, test := range map[string]struct {
		code   grants.Code
		want   tokenendpoint.ErrorCode
		reason tokenendpoint.Reason
	}{
		"a client that is unknown":                  {issuing("stranger"), client, tokenendpoint.ReasonUnknownClient},
		"no client":                                 {issuing(""), client, tokenendpoint.ReasonUnknownClient},
		"a client that is disabled":                 {issuing("disabled"), client, tokenendpoint.ReasonClientDisabled},
		"a client that cannot be found":             {issuing("broken"), unavailable, tokenendpoint.ReasonStoreUnavailable},
		"a redirect URI that is not registered":     {issuing("web", redirect(callback+"/")), request, wrongRedirect},
		"none where two are registered":             {issuing("two"), request, wrongRedirect},
		"none where none is registered":             {issuing("none"), request, wrongRedirect},
		"any where none is registered":              {issuing("none", redirect(callback)), request, wrongRedirect},
		"localhost for a loopback address":          {issuing("native", redirect("http://localhost:80/callback")), request, wrongRedirect},
		"a port of an address that is no loopback":  {issuing("web", redirect("https://app.example:444/callback")), request, wrongRedirect},
		"a wrong redirect URI before all else":      {issuing("other-grant", redirect("https://evil.example"), pkce("", "")), request, wrongRedirect},
		"a client without the grant type":           {issuing("other-grant"), grant, tokenendpoint.ReasonGrantTypeNotAllowed},
		"no challenge":                              {issuing("web", pkce("", "")), request, noChallenge},
		"no challenge of a public client":           {issuing("app", pkce("", "")), request, noChallenge},
		"no challenge of a client that may be both": {issuing("old-app", pkce("", "")), request, noChallenge},
		"no challenge where plain is allowed":       {issuing("plain", pkce("", "")), request, noChallenge},
		"a method without a challenge":              {issuing("web", pkce("", "S256")), request, noChallenge},
		"a method without a challenge, legacy":      {issuing("old", pkce("", "plain")), request, noChallenge},
		"no method":                                 {issuing("web", pkce(challenge, "")), request, noChallenge},
		"no method where none is needed":            {issuing("old", pkce(challenge, "")), request, noChallenge},
		"the method plain":                          {issuing("web", pkce(verifier, "plain")), request, noChallenge},
		"a method in another case":                  {issuing("web", pkce(challenge, "s256")), request, noChallenge},
		"a method in another case, legacy":          {issuing("plain", pkce(challenge, "Plain")), request, noChallenge},
		"an unknown method":                         {issuing("plain", pkce(challenge, "S512")), request, noChallenge},
		"a short challenge":                         {issuing("web", pkce("abc", "S256")), request, badGrammar},
		"a challenge of 42 characters":              {issuing("web", pkce(challenge[1:], "S256")), request, badGrammar},
		"a challenge of 44 characters":              {issuing("web", pkce(challenge+"A", "S256")), request, badGrammar},
		"a challenge with padding":                  {issuing("web", pkce(challenge[:42]+"=", "S256")), request, badGrammar},
		"a plain challenge of one character":        {issuing("plain", pkce("a", "plain")), request, badGrammar},
		"a plain challenge of 129 characters":       {issuing("plain", pkce(strings.Repeat("a", 129), "plain")), request, badGrammar},
		"a plain challenge with a space":            {issuing("plain", pkce(challenge+" ", "")), request, badGrammar},
		"a scope that the client does not have":     {issuing("web", granting(func(g *store.Grant) { g.Scopes = []string{"secret.read"} })), scope, tokenendpoint.ReasonScopeNotAllowed},
		"a scope that nobody knows":                 {issuing("web", granting(func(g *store.Grant) { g.Scopes = []string{"ghost"} })), scope, tokenendpoint.ReasonUnknownScope},
		"a scope in another case":                   {issuing("web", granting(func(g *store.Grant) { g.Scopes = []string{"Orders.read"} })), scope, tokenendpoint.ReasonScopeNotAllowed},
		"a client without any scope":                {issuing("no-scope", granting(func(g *store.Grant) { g.Scopes = nil })), scope, tokenendpoint.ReasonNoScope},
		"no scope where all are about a user":       {issuing("people-only", granting(func(g *store.Grant) { g.Scopes = nil })), scope, tokenendpoint.ReasonNoScope},
		"a resource of another scope":               {issuing("web", granting(func(g *store.Grant) { g.Resources = []string{"https://stock.example"} })), target, tokenendpoint.ReasonResourceNotAllowed},
		"a resource of nobody's":                    {issuing("web", granting(func(g *store.Grant) { g.Resources = []string{"https://evil.example"} })), target, tokenendpoint.ReasonResourceNotAllowed},
		"no user":                                   {issuing("web", granting(func(g *store.Grant) { g.Subject = "" })), serverError, tokenendpoint.ReasonInternal},
	} {
		t.Run(name+" is "+string(test.want), func(t *testing.T) {
			code, err := grants.AuthorizationCode{}.Issue(t.Context(), endpoint, test.code)
			var refusal *tokenendpoint.Error
			if code != "" || !errors.As(err, &refusal) || refusal.Code != test.want || refusal.Reason != test.reason || refusal.Revoke {
				t.Fatalf("got %q, %+v", code, err)
			}
			for _, sent := range []string{test.code.RedirectURI, test.code.CodeChallenge} {
				if len(sent) > 5 && strings.Contains(refusal.Description, sent) {
					t.Errorf("the description repeats what was sent: %s", refusal.Description)
				}
			}
		})
	}
}

func TestIssueAllows(t *testing.T) {
	endpoint := newEndpoint(t)
	for name, test := range map[string]struct {
		code      grants.Code
		scope     string
		parameter []string // beside the code
	}{
		"the registered redirect URI":          {issuing("web", redirect(callback)), "orders.read", []string{"code_verifier", verifier, "redirect_uri", callback}},
		"the second redirect URI":              {issuing("two", redirect(callback+"/two")), "orders.read", []string{"code_verifier", verifier, "redirect_uri", callback + "/two"}},
		"no redirect URI where there is one":   {issuing("web"), "orders.read", []string{"code_verifier", verifier}},
		"the port of a native application":     {issuing("native", redirect("http://127.0.0.1:51004/callback")), "orders.read", []string{"code_verifier", verifier, "redirect_uri", "http://127.0.0.1:51004/callback"}},
		"no challenge of a legacy client":      {issuing("old", pkce("", "")), "orders.read", nil},
		"a plain challenge of a legacy client": {issuing("plain", pkce(verifier, "plain")), "orders.read", []string{"code_verifier", verifier}},
		"S256 of a client that may do plain":   {issuing("plain"), "orders.read", []string{"code_verifier", verifier}},
		"no scope, which is all of the APIs'":  {issuing("web", granting(func(g *store.Grant) { g.Scopes = nil })), "orders.read stock.read", []string{"code_verifier", verifier}},
		"a scope twice, which is once":         {issuing("web", granting(func(g *store.Grant) { g.Scopes = []string{"stock.read", "stock.read"} })), "stock.read", []string{"code_verifier", verifier}},
		"a resource of one of two scopes":      {issuing("web", granting(func(g *store.Grant) { g.Scopes, g.Resources = nil, []string{"https://stock.example"} })), "stock.read", []string{"code_verifier", verifier}},
		"another Issuer, which is filled in":   {issuing("web", granting(func(g *store.Grant) { g.Issuer = "https://other.example" })), "orders.read", []string{"code_verifier", verifier}},
	} {
		t.Run(name+" is allowed, and the code can be redeemed", func(t *testing.T) {
			scopes := slices.Clone(test.code.Grant.Scopes)
			code, err := grants.AuthorizationCode{}.Issue(t.Context(), endpoint, test.code)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(scopes, test.code.Grant.Scopes) {
				t.Errorf("the caller's grant was altered: %v", test.code.Grant.Scopes)
			}
			form := url.Values{"grant_type": {"authorization_code"}, "code": {code}}
			for i := 0; i < len(test.parameter); i += 2 {
				form.Set(test.parameter[i], test.parameter[i+1])
			}
			r := httptest.NewRequest(http.MethodPost, "/connect/token", strings.NewReader(form.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.SetBasicAuth(test.code.Grant.ClientID, "secret")
			w := httptest.NewRecorder()
			endpoint.ServeHTTP(w, r)
			if w.Code != 200 || !strings.Contains(w.Body.String(), `"scope":"`+test.scope+`"`) {
				t.Errorf("answered %d %s", w.Code, w.Body)
			}
		})
	}
	t.Run("clients that do without S256 are linted", func(t *testing.T) {
		lints := 0
		for _, lint := range endpoint.Lints() {
			if lint.Code == tokenendpoint.LintLegacyPKCE {
				lints++
			}
		}
		if lints != 2 { // old and plain
			t.Errorf("%d lints: %v", lints, endpoint.Lints())
		}
	})
}

// FuzzVerifier holds the grammar of RFC 7636 section 4.1 against a regular
// expression: 7636-4.1-01.
func FuzzVerifier(f *testing.F) {
	for _, seed := range []string{verifier, verifier[1:], strings.Repeat("~", 128), strings.Repeat("-", 129), verifier + "=", verifier + "\n", verifier + "\u00e9", " " + verifier, strings.Repeat("\x00", 43)} {
		f.Add(seed)
	}
	grammar := regexp.MustCompile(`\A[A-Za-z0-9._~-]{43,128}\z`)
	f.Fuzz(func(t *testing.T, verifier string) {
		_, err := grants.AuthorizationCode{}.Validate(t.Context(), &tokenendpoint.Request{
			Client: &store.Client{}, Form: url.Values{"code": {"c" + strings.Repeat("A", 64)}, "code_verifier": {verifier}},
		})
		var refusal *tokenendpoint.Error
		if !errors.As(err, &refusal) {
			t.Fatalf("got %v", err)
		}
		want := tokenendpoint.ReasonVerifierSyntax
		if verifier == "" || grammar.MatchString(verifier) {
			want = tokenendpoint.ReasonInternal // it went on to look for the code, without a store
		}
		if refusal.Reason != want {
			t.Errorf("%q: %v, want %s", verifier, err, want)
		}
	})
}
