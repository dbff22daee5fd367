package main

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// shop is the service as it was.
func shop() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, "<!doctype html><html lang=en><title>The shop</title><h1>The shop</h1><p>Open from nine to five.</p>\n")
	})
	return mux
}

// newEndpoint is what grantor adds to it.
func newEndpoint(o options, logger *slog.Logger) (*tokenendpoint.Endpoint, error) {
	return tokenendpoint.New(tokenendpoint.Config{
		Issuer:  o.issuer,
		Clients: memory.NewClients(o.config.clients...),
		Scopes:  memory.NewScopes(o.config.scopes...),
		Keys:    &tokenendpoint.RollingKeys{Dir: filepath.Join(o.data, "keys"), Logger: logger},
		Grants:  []tokenendpoint.GrantValidator{grants.ClientCredentials{}, customGrant{}},
		Logger:  logger,
	})
}

// greet says what is served and what to try.
func greet(w io.Writer, o options) {
	client, secret, scope := "CLIENT_ID", "CLIENT_SECRET", ""
	if o.seeded {
		client, secret, scope = "client1", "secret", " -d scope=scope1"
	}
	fmt.Fprintf(w, `issuer    %[1]s
token     POST %[1]s/connect/token  (client_credentials, custom)
keys      %[1]s/.well-known/openid-configuration/jwks
metadata  %[1]s/.well-known/openid-configuration

curl -s %[1]s/connect/token -d grant_type=client_credentials -d client_id=%[2]s -d client_secret=%[3]s%[4]s
`, o.issuer, client, secret, scope)
}
