package tokenendpoint_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"
	"strings"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// partners is what the service had before it had tokens: who may call it, and
// for what. In earnest it is a table.
type partners map[string]struct{ secretHash, permissions string }

// Client tells a partner that does not exist from a database that cannot be
// asked: the first is ErrNotFound, the second any other error.
func (p partners) Client(_ context.Context, id string) (*store.Client, error) {
	partner, ok := p[id]
	if !ok {
		return nil, store.ErrNotFound
	}
	return &store.Client{
		Metadata: store.Metadata{ID: id, GrantTypes: []string{"client_credentials"}, Scope: partner.permissions},
		Secrets:  []store.Secret{{Hash: partner.secretHash}},
	}, nil
}

// permissions are the scopes.
type permissions []store.Scope

func (p permissions) Scopes(_ context.Context, names []string) ([]store.Scope, error) {
	var found []store.Scope
	for _, name := range names {
		for _, scope := range p {
			if scope.Name == name {
				found = append(found, scope)
			}
		}
	}
	return found, nil
}

// Two methods are all that the endpoint needs of a database. Package storetest
// checks them.
func ExampleNew_storeOfOnesOwn() {
	endpoint, err := tokenendpoint.New(tokenendpoint.Config{
		Issuer:  "https://shop.example",
		Clients: partners{"acme": {secretHash: store.HashSecret("secret"), permissions: "orders.read"}},
		Scopes:  permissions{{Name: "orders.read", Resources: []string{"https://orders.example"}}},
		Keys:    &tokenendpoint.RollingKeys{},
		Grants:  []tokenendpoint.GrantValidator{grants.ClientCredentials{}},
	})
	if err != nil {
		log.Fatal(err)
	}

	for _, scope := range []string{"orders.read", "orders.write"} {
		form := "grant_type=client_credentials&client_id=acme&client_secret=secret&scope=" + scope
		r := httptest.NewRequest("POST", "/connect/token", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		endpoint.ServeHTTP(w, r)
		fmt.Println(scope, w.Code)
	}
	// Output:
	// orders.read 200
	// orders.write 400
}
