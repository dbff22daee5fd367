package main

import (
	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store"
)

// seeds are the clients that the documentation of the .NET clients uses, so that
// its requests can be sent here as printed.
func seeds() registry {
	machine := func(id, secret, scope string, more ...string) store.Client {
		return store.Client{
			Metadata: store.Metadata{ID: id, GrantTypes: append([]string{"client_credentials"}, more...), Scope: scope},
			Secrets:  []store.Secret{{Hash: store.HashSecret(secret), Label: "seed"}},
		}
	}
	app := func(id, scope string, more ...string) store.Client {
		client := machine(id, "secret", scope, append(more, "authorization_code", "refresh_token")...)
		client.RedirectURIs = []string{"https://myapp/callback", "https://myapp.com/callback", "https://app.com/callback"}
		return client
	}
	client1 := app("client1", "scope1 openid api1")
	client1.RefreshTokens, client1.LegacyNoPKCE = store.RefreshTokensAlways, true // as its documentation prints it
	client := app("client", "api1 openid profile offline_access", "custom", "password")
	client.RefreshTokens = store.RefreshTokensAlways
	opaque := machine("opaque", "secret", "api1")
	opaque.AccessTokenFormat = store.AccessTokenOpaque
	const withoutBrowser = "openid profile api1 offline_access"
	device := store.Client{Metadata: store.Metadata{ID: "device", GrantTypes: []string{grants.DeviceCode{}.GrantType(), "refresh_token"},
		Scope: withoutBrowser, TokenEndpointAuthMethod: store.NoAuth}}
	ciba := store.Client{Metadata: store.Metadata{ID: "ciba", GrantTypes: []string{new(grants.CIBA).GrantType(), "refresh_token"}, Scope: withoutBrowser},
		Secrets: []store.Secret{{Hash: store.HashSecret("secret"), Label: "seed"}}}
	return registry{
		secrets: make(map[string][]configSecret),
		clients: []store.Client{
			client1,
			client,
			app("interactive.confidential", "openid profile api offline_access"),
			machine("m2m", "secret", "api"),
			machine("admin", "secret", "api1 admin"),
			opaque,
			machine("app.client", "PasswordInPlainText", "app.scope1 app.scope2"),
			device,
			ciba,
		},
		scopes: []store.Scope{
			{Name: "scope1"}, // of the shop's own API, as the next three
			{Name: "api"},
			{Name: "api1"},
			{Name: "admin"},
			{Name: "app.scope1", Resources: []string{"urn:example:app"}},
			{Name: "app.scope2", Resources: []string{"urn:example:app"}},
			{Name: "openid", Identity: true},
			{Name: "profile", Identity: true, Claims: []string{"name", "email"}},
			{Name: "offline_access", Identity: true},
		},
		users: users{
			{Sub: "1", Username: "alice", Password: "alice", Claims: map[string]any{"name": "Alice Smith", "email": "alice@shop.example"}},
			{Sub: "2", Username: "bob", Password: "bob", Claims: map[string]any{"name": "Bob Smith", "email": "bob@shop.example"}},
		},
	}
}
