package tokenendpoint_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// A service has a form of its own that clients send as they send a token request:
// here they give notice of a delivery. The client is known when it is called, the
// answer and the event are those of the token endpoint.
func ExampleEndpoint_Form() {
	endpoint, err := tokenendpoint.New(tokenendpoint.Config{
		Issuer: "https://shop.example",
		Clients: memory.NewClients(store.Client{
			Metadata: store.Metadata{ID: "courier", GrantTypes: []string{"client_credentials"}, Scope: "orders.read"},
			Secrets:  []store.Secret{{Hash: store.HashSecret("secret")}},
		}),
		Scopes: memory.NewScopes(store.Scope{Name: "orders.read"}),
		Keys:   &tokenendpoint.RollingKeys{},
		Grants: []tokenendpoint.GrantValidator{grants.ClientCredentials{}},
	})
	if err != nil {
		log.Fatal(err)
	}

	mux := http.NewServeMux()
	endpoint.Mount(mux)
	mux.Handle("/deliveries", endpoint.Form("deliveries", func(_ context.Context, req *tokenendpoint.Request) (tokenendpoint.Members, error) {
		order := req.Form.Get("order")
		switch {
		case !req.Authenticated:
			return nil, tokenendpoint.UnauthorizedClient
		case order == "":
			return nil, &tokenendpoint.Error{Code: tokenendpoint.InvalidRequest, Description: "order is missing"}
		}
		return tokenendpoint.Members{"order": order, "courier": req.Client.ID}, nil
	}))

	for _, form := range []string{"order=4711", ""} {
		r := httptest.NewRequest("POST", "/deliveries", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth("courier", "secret")
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 {"courier":"courier","order":"4711"}
	// 400 {"error":"invalid_request","error_description":"order is missing"}
}
