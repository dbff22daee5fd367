package tokenendpoint_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// Policy has the last word on every token: it may take away, add claims and
// members of the response, shorten, or refuse. It cannot grant more.
func ExampleConfig_policy() {
	stockTaking := true
	policy := func(_ context.Context, _ *tokenendpoint.Request, token *tokenendpoint.Token) error {
		if stockTaking {
			token.Scopes = slices.DeleteFunc(token.Scopes, func(scope string) bool { return scope == "orders.write" })
			token.Lifetime = min(token.Lifetime, 5*time.Minute)
			token.Members["note"] = "stock-taking: no orders"
		}
		if len(token.Scopes) == 0 {
			return tokenendpoint.AccessDenied
		}
		token.Claims["branch"] = "north"
		return nil
	}

	endpoint, err := tokenendpoint.New(tokenendpoint.Config{
		Issuer: "https://shop.example",
		Clients: memory.NewClients(store.Client{
			Metadata: store.Metadata{ID: "till", GrantTypes: []string{"client_credentials"}, Scope: "orders.read orders.write"},
			Secrets:  []store.Secret{{Hash: store.HashSecret("secret")}},
		}),
		Scopes: memory.NewScopes(store.Scope{Name: "orders.read"}, store.Scope{Name: "orders.write"}),
		Keys:   &tokenendpoint.RollingKeys{},
		Grants: []tokenendpoint.GrantValidator{grants.ClientCredentials{}},
		Policy: policy,
	})
	if err != nil {
		log.Fatal(err)
	}

	form := "grant_type=client_credentials&client_id=till&client_secret=secret"
	r := httptest.NewRequest("POST", "/connect/token", strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	endpoint.ServeHTTP(w, r)

	var answer struct {
		Scope, Note string
		ExpiresIn   int `json:"expires_in"`
	}
	err = json.Unmarshal(w.Body.Bytes(), &answer)
	fmt.Println(answer.Scope, answer.ExpiresIn, answer.Note, err)
	// Output:
	// orders.read 300 stock-taking: no orders <nil>
}
