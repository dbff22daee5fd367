package middleware_test

import (
	"encoding/json"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/middleware"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// An API in front of which a guard stands, here in the process of the token endpoint.
// Elsewhere leave JWKS nil: the issuer's keys are then fetched.
func ExampleRequireToken() {
	endpoint, err := tokenendpoint.New(tokenendpoint.Config{
		Issuer: "https://shop.example",
		Clients: memory.NewClients(store.Client{
			Metadata: store.Metadata{ID: "billing", GrantTypes: []string{"client_credentials"}, Scope: "orders.read"},
			Secrets:  []store.Secret{{Hash: store.HashSecret("correct horse battery staple")}},
		}),
		Scopes: memory.NewScopes(store.Scope{Name: "orders.read", Resources: []string{"https://api.example"}}),
		Keys:   &tokenendpoint.RollingKeys{Logger: slog.New(slog.DiscardHandler)},
		Grants: []tokenendpoint.GrantValidator{grants.ClientCredentials{}},
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}

	guard := &middleware.RequireToken{
		Issuer:          "https://shop.example",
		Resource:        "https://api.example",
		JWKS:            endpoint.JWKS,
		ScopesSupported: []string{"orders.read", "orders.write"},
		Logger:          slog.New(slog.DiscardHandler),
	}
	if err := guard.Check(); err != nil {
		log.Fatal(err)
	}
	orders := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, _ := middleware.TokenFrom(r.Context())
		fmt.Fprintf(w, "orders for %s", token.ClientID)
	})
	routes := http.NewServeMux()
	routes.Handle("GET /orders", middleware.RequireScopes("orders.read")(orders))
	routes.Handle("POST /orders", middleware.RequireScopes("orders.write")(orders))
	api := http.NewServeMux()
	api.Handle("/", guard.Handler(routes))
	guard.Mount(api) // the metadata, for everybody

	call := func(method, path, token string) {
		r := httptest.NewRequest(method, "https://api.example"+path, nil)
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		fmt.Println(method, path, w.Code)
	}
	token := exampleToken(endpoint, "billing", "correct horse battery staple")
	call("GET", "/orders", "")
	call("GET", "/orders", token)
	call("POST", "/orders", token)
	call("GET", "/.well-known/oauth-protected-resource", "")
	// Output:
	// GET /orders 401
	// GET /orders 200
	// POST /orders 403
	// GET /.well-known/oauth-protected-resource 200
}

// exampleToken is what a client does to get a token.
func exampleToken(endpoint http.Handler, client, secret string) string {
	r := httptest.NewRequest("POST", "https://shop.example/connect/token", strings.NewReader(url.Values{"grant_type": {"client_credentials"}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(client, url.QueryEscape(secret))
	w := httptest.NewRecorder()
	endpoint.ServeHTTP(w, r)
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer.AccessToken == "" {
		log.Fatal(w.Code, err)
	}
	return answer.AccessToken
}
