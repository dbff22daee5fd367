package tokenendpoint_test

import (
	"log"
	"net/http"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

func Example() {
	clients := memory.NewClients(store.Client{ // or your own store: one method
		Metadata: store.Metadata{ID: "client1", GrantTypes: []string{"client_credentials"}, Scope: "scope1"},
		Secrets:  []store.Secret{{Hash: store.HashSecret("secret")}},
	})
	scopes := memory.NewScopes(store.Scope{Name: "scope1", Resources: []string{"https://api.example"}}) // the same

	endpoint, err := tokenendpoint.New(tokenendpoint.Config{
		Issuer:  "http://localhost:5001",
		Clients: clients,
		Scopes:  scopes,
		Keys:    &tokenendpoint.RollingKeys{}, // in memory; with a Dir they outlive the process
		Grants:  []tokenendpoint.GrantValidator{grants.ClientCredentials{}},
	})
	if err != nil {
		log.Fatal(err)
	}
	endpoint.Mount(http.DefaultServeMux) // POST /connect/token, the JWKS and the metadata
	log.Fatal(http.ListenAndServe("localhost:5001", nil))
}
