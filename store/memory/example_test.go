package memory_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
)

func Example() {
	secret, stored := store.NewSecret() // the secret goes to the client, and nowhere else
	fmt.Println("characters:", len(secret))

	clients := memory.NewClients(store.Client{
		Metadata: store.Metadata{
			ID:         "reports",
			GrantTypes: []string{"client_credentials"},
			Scope:      "invoices.read",
		},
		Secrets: []store.Secret{stored},
	})
	scopes := memory.NewScopes(store.Scope{
		Name:      "invoices.read",
		Resources: []string{"https://invoices.example.com"},
	})

	ctx := context.Background()
	client, err := clients.Client(ctx, "reports")
	fmt.Println(client.ID, client.Scope, err)

	_, err = clients.Client(ctx, "Reports")
	fmt.Println(errors.Is(err, store.ErrNotFound))

	known, err := scopes.Scopes(ctx, []string{"invoices.read", "invoices.write"})
	fmt.Println(known, err)
	// Output:
	// characters: 43
	// reports invoices.read <nil>
	// true
	// [{invoices.read [https://invoices.example.com] [] false}] <nil>
}
