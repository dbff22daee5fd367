package grants_test

import (
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// authorize is the service's own page, once its user has signed in and agreed. It
// keeps the parameters of the authorization request in its form.
func authorize(endpoint *tokenendpoint.Endpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		code, err := grants.AuthorizationCode{}.Issue(r.Context(), endpoint, grants.Code{
			Grant: store.Grant{
				ClientID: r.FormValue("client_id"),
				Subject:  "alice",    // from the service's session
				AuthTime: time.Now(), // when that began
				Scopes:   strings.Fields(r.FormValue("scope")),
				Nonce:    r.FormValue("nonce"),
			},
			RedirectURI:         r.FormValue("redirect_uri"),
			CodeChallenge:       r.FormValue("code_challenge"),
			CodeChallengeMethod: r.FormValue("code_challenge_method"),
		})
		answer := url.Values{"state": {r.FormValue("state")}, "iss": {"https://shop.example"}}
		var refusal *tokenendpoint.Error
		switch {
		case err == nil:
			answer.Set("code", code)
		case !errors.As(err, &refusal), refusal.Code == tokenendpoint.InvalidClient, refusal.Reason == tokenendpoint.ReasonRedirectURI:
			http.Error(w, "This application is not known here.", http.StatusBadRequest) // nobody knows whose address it is
			return
		case refusal.Code == tokenendpoint.TemporarilyUnavailable, refusal.Code == tokenendpoint.ServerError: // nor here
			http.Error(w, "This does not work at the moment.", http.StatusServiceUnavailable)
			return
		default:
			answer.Set("error", string(refusal.Code))
		}
		http.Redirect(w, r, r.FormValue("redirect_uri")+"?"+answer.Encode(), http.StatusSeeOther)
	}
}

// A service signs its users in by itself, and issues a code when they agree.
func ExampleAuthorizationCode_Issue() {
	endpoint, err := tokenendpoint.New(tokenendpoint.Config{
		Issuer: "https://shop.example",
		Clients: memory.NewClients(store.Client{
			Metadata: store.Metadata{
				ID: "app", GrantTypes: []string{"authorization_code"}, Scope: "openid orders.read", RedirectURIs: []string{"https://app.example/callback"},
			},
			AuthMethods: []store.AuthMethod{store.NoAuth},
		}),
		Scopes:  memory.NewScopes(store.Scope{Name: "openid"}, store.Scope{Name: "orders.read"}),
		Keys:    &tokenendpoint.RollingKeys{},
		Grants:  []tokenendpoint.GrantValidator{grants.AuthorizationCode{}},
		Records: new(memory.Grants),
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("POST /connect/agree", authorize(endpoint))
	endpoint.Mount(mux)

	send := func(path string, form url.Values) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		return w
	}
	request := url.Values{
		"client_id": {"app"}, "redirect_uri": {"https://app.example/callback"}, "scope": {"openid orders.read"}, "state": {"s1"},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
	}
	w := send("/connect/agree", request)
	location, err := w.Result().Location()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(w.Code, location.Host, location.Query().Get("state"))

	w = send("/connect/token", url.Values{
		"grant_type": {"authorization_code"}, "client_id": {"app"}, "code": {location.Query().Get("code")},
		"redirect_uri": {"https://app.example/callback"}, "code_verifier": {"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"},
	})
	fmt.Println(w.Code, strings.Contains(w.Body.String(), "id_token"))

	request.Set("code_challenge_method", "plain")
	location, err = send("/connect/agree", request).Result().Location()
	fmt.Println(location.Query().Get("error"), err)

	request.Set("redirect_uri", "https://evil.example")
	fmt.Println(send("/connect/agree", request).Code)
	// Output:
	// 303 app.example s1
	// 200 true
	// invalid_request <nil>
	// 400
}
