package main

import "github.com/grantor-go/grantor/store"

// seeds are the clients that the documentation of the .NET clients uses, so that
// its requests can be sent here as printed.
func seeds() registry {
	machine := func(id, secret, scope string, more ...string) store.Client {
		return store.Client{
			Metadata: store.Metadata{ID: id, GrantTypes: append([]string{"client_credentials"}, more...), Scope: scope},
			Secrets:  []store.Secret{{Hash: store.HashSecret(secret), Label: "seed"}},
		}
	}
	return registry{
		clients: []store.Client{
			machine("client1", "secret", "scope1"),
			machine("m2m", "secret", "api"),
			machine("client", "secret", "api1", "custom"),
			machine("app.client", "PasswordInPlainText", "app.scope1 app.scope2"),
		},
		scopes: []store.Scope{
			{Name: "scope1", Resources: []string{"urn:example:api"}},
			{Name: "api", Resources: []string{"urn:example:api"}},
			{Name: "api1", Resources: []string{"urn:example:api"}},
			{Name: "app.scope1", Resources: []string{"urn:example:app"}},
			{Name: "app.scope2", Resources: []string{"urn:example:app"}},
		},
	}
}
