package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"

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
func newEndpoint(ctx context.Context, o options, logger *slog.Logger) (*tokenendpoint.Endpoint, error) {
	keys := &tokenendpoint.RollingKeys{Dir: filepath.Join(o.data, "keys"), Logger: logger}
	if _, err := keys.Keys(ctx); err != nil {
		return nil, fmt.Errorf("-data %s: %w", o.data, err)
	}
	endpoint, err := tokenendpoint.New(tokenendpoint.Config{
		Issuer:  o.issuer,
		Clients: memory.NewClients(o.config.clients...),
		Scopes:  memory.NewScopes(o.config.scopes...),
		Keys:    keys,
		Grants:  []tokenendpoint.GrantValidator{grants.ClientCredentials{}, customGrant{}},
		Logger:  logger,
	})
	if err != nil { // all else is the shop's own and right
		return nil, fmt.Errorf("-issuer %s: %w", o.issuer, oneLine(err))
	}
	return endpoint, nil
}

// greet says what is served and what to try from this machine, where base leads.
func greet(w io.Writer, o options, base string) {
	client, secret, scope := "CLIENT_ID", "CLIENT_SECRET", ""
	if o.seeded {
		client, secret, scope = "client1", "secret", " -d scope=scope1"
	}
	u, _ := url.Parse(o.issuer) // New checked it
	fmt.Fprintf(w, `issuer    %[1]s
listening %[2]s
token     POST %[3]s/connect/token  (client_credentials, custom)
keys      %[3]s/.well-known/openid-configuration/jwks
metadata  %[3]s/.well-known/openid-configuration

curl -s %[2]s%[4]s/connect/token -d grant_type=client_credentials -d client_id=%[5]s -d client_secret=%[6]s%[7]s
`, o.issuer, base, strings.TrimSuffix(o.issuer, "/"), strings.TrimSuffix(u.Path, "/"), client, secret, scope)
}
