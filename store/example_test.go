package store_test

import (
	"context"
	"fmt"

	"github.com/grantor-go/grantor/store"
)

// partners is what a service may already have: the ids of its partners, and the
// hashes of their secrets.
type partners map[string]string

// Client makes partners a ClientStore.
func (p partners) Client(_ context.Context, id string) (*store.Client, error) {
	hash, ok := p[id]
	if !ok {
		return nil, store.ErrNotFound
	}
	return &store.Client{
		Metadata: store.Metadata{ID: id, GrantTypes: []string{"client_credentials"}, Scope: "orders.read"},
		Secrets:  []store.Secret{{Hash: hash}},
	}, nil
}

// A store of one's own is one method.
func ExampleClientStore() {
	secret, stored := store.NewSecret()
	fmt.Println("the partner is given a secret of", len(secret), "characters")

	var clients store.ClientStore = partners{"bakery": stored.Hash}

	c, err := clients.Client(context.Background(), "bakery")
	fmt.Println(c.ID, c.Scope, err)
	_, err = clients.Client(context.Background(), "Bakery")
	fmt.Println(err)
	// Output:
	// the partner is given a secret of 43 characters
	// bakery orders.read <nil>
	// store: not found
}
