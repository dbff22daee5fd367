package tokenendpoint_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"
	"strings"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// Users looks at the service's own users before any token is issued for one:
// whoever is gone loses the grant for good, and scopes give access to claims.
func ExampleConfig_users() {
	names := map[string]string{"alice": "Alice"} // the service's users

	endpoint, err := tokenendpoint.New(tokenendpoint.Config{
		Issuer: "https://shop.example",
		Clients: memory.NewClients(store.Client{
			Metadata: store.Metadata{
				ID: "app", GrantTypes: []string{"authorization_code", "refresh_token"}, Scope: "openid profile", RedirectURIs: []string{"https://app.example/callback"},
			},
			AuthMethods:   []store.AuthMethod{store.NoAuth},
			RefreshTokens: store.RefreshTokensAlways,
		}),
		Scopes:  memory.NewScopes(store.Scope{Name: "openid"}, store.Scope{Name: "profile", Identity: true, Claims: []string{"name"}}),
		Keys:    &tokenendpoint.RollingKeys{},
		Grants:  []tokenendpoint.GrantValidator{grants.AuthorizationCode{}, grants.RefreshToken{}},
		Records: new(memory.Grants),
		Users: func(_ context.Context, _ *tokenendpoint.Request, token *tokenendpoint.Token) error {
			name, ok := names[token.Grant.Subject]
			if !ok {
				return &tokenendpoint.Error{Code: tokenendpoint.InvalidGrant, Reason: tokenendpoint.ReasonUserRefused, Revoke: true}
			}
			token.UserClaims["name"] = name
			return nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}

	code, err := grants.AuthorizationCode{}.Issue(context.Background(), endpoint, grants.Code{
		Grant:         store.Grant{ClientID: "app", Subject: "alice", Scopes: []string{"openid", "profile"}},
		CodeChallenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", CodeChallengeMethod: "S256",
	})
	if err != nil {
		log.Fatal(err)
	}
	redeem := func() {
		form := "grant_type=authorization_code&client_id=app&code=" + code + "&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
		r := httptest.NewRequest("POST", "/connect/token", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		endpoint.ServeHTTP(w, r)
		fmt.Println(w.Code)
	}

	delete(names, "alice") // she closed her account before the application came
	redeem()
	names["alice"] = "Alice" // and opened it again, which brings no grant back
	redeem()
	// Output:
	// 400
	// 400
}
