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
	"github.com/grantor-go/grantor/store"
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
func newEndpoint(ctx context.Context, o options, records store.GrantStore, logger *slog.Logger) (*tokenendpoint.Endpoint, error) {
	keys := &tokenendpoint.RollingKeys{Dir: filepath.Join(o.data, "keys"), Logger: logger}
	if _, err := keys.Keys(ctx); err != nil {
		return nil, fmt.Errorf("-data %s: %w", o.data, err)
	}
	endpoint, err := tokenendpoint.New(tokenendpoint.Config{
		Issuer:           o.issuer,
		AuthorizationURL: strings.TrimSuffix(o.issuer, "/") + "/connect/authorize",
		Clients:          memory.NewClients(o.config.clients...),
		Scopes:           memory.NewScopes(o.config.scopes...),
		Keys:             keys,
		Records:          records,
		Users:            o.config.users.about,
		Grants: []tokenendpoint.GrantValidator{
			grants.ClientCredentials{}, grants.AuthorizationCode{}, grants.RefreshToken{}, customGrant{},
		},
		Logger: logger,
	})
	if err != nil { // all else is the shop's own and right
		return nil, fmt.Errorf("-issuer %s: %w", o.issuer, oneLine(err))
	}
	return endpoint, nil
}

// mountPages adds the shop's own pages for signing in.
func mountPages(ctx context.Context, mux *http.ServeMux, o options, endpoint *tokenendpoint.Endpoint, logger *slog.Logger) {
	u, _ := url.Parse(o.issuer) // New checked it
	pages := &authorization{
		endpoint: endpoint,
		issuer:   o.issuer,
		base:     strings.TrimSuffix(u.Path, "/"),
		scopes:   o.config.scopes,
		users:    o.config.users,
		sessions: &sessions{secure: u.Scheme == "https"},
		consents: new(consents),
		throttle: new(tokenendpoint.MemoryThrottle),
		demo:     o.demo,
		logger:   logger,
	}
	if o.demo {
		logger.WarnContext(ctx, "-demo: whoever reaches this address signs in as any user, without a password; never use it with real users")
	}
	mux.Handle(pages.base+"/connect/authorize", pages)
	mux.HandleFunc("GET "+pages.base+"/shop.css", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, pageFiles, "pages/shop.css")
	})
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
token     POST %[3]s/connect/token  (client_credentials, authorization_code, refresh_token, custom)
sign in   %[3]s/connect/authorize  (bob/bob, alice/alice)
keys      %[3]s/.well-known/openid-configuration/jwks
metadata  %[3]s/.well-known/openid-configuration

curl -s %[2]s%[4]s/connect/token -d grant_type=client_credentials -d client_id=%[5]s -d client_secret=%[6]s%[7]s
`, o.issuer, base, strings.TrimSuffix(o.issuer, "/"), strings.TrimSuffix(u.Path, "/"), client, secret, scope)
}
