package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/middleware"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// site is the shop: its users, its pages, and the endpoint that grantor adds.
type site struct {
	endpoint *tokenendpoint.Endpoint
	codes    grants.AuthorizationCode
	device   grants.DeviceCode
	ciba     *grants.CIBA
	requests *requests
	api      *middleware.RequireToken

	issuer   string
	base     string // the issuer's path
	scopes   []store.Scope
	users    users
	sessions *sessions
	consents *consents
	demo     bool // -demo
	logger   *slog.Logger
}

func newSite(ctx context.Context, o options, records store.GrantStore, logger *slog.Logger) (*site, error) {
	u, err := url.Parse(o.issuer)
	if err != nil {
		return nil, fmt.Errorf("-issuer %q is not a URL", o.issuer)
	}
	asked := &requests{users: o.config.users}
	s := &site{
		device:   grants.DeviceCode{VerificationURL: strings.TrimSuffix(o.issuer, "/") + "/device"},
		ciba:     &grants.CIBA{Resolve: asked.resolve, Ask: asked.ask, InsecureNetworks: o.insecureNetworks(), Logger: logger},
		requests: asked,
		issuer:   o.issuer,
		base:     strings.TrimSuffix(u.Path, "/"),
		scopes:   o.config.scopes,
		users:    o.config.users,
		sessions: &sessions{secure: u.Scheme == "https"},
		consents: new(consents),
		demo:     o.demo,
		logger:   logger,
	}
	if s.endpoint, err = s.newEndpoint(ctx, o, records); err != nil {
		return nil, err
	}
	if s.api, err = s.newAPI(o, records); err != nil {
		return nil, fmt.Errorf("-issuer %s: %w", o.issuer, oneLine(err))
	}
	return s, nil
}

// newEndpoint is what grantor adds to the shop.
func (s *site) newEndpoint(ctx context.Context, o options, records store.GrantStore) (*tokenendpoint.Endpoint, error) {
	keys := &tokenendpoint.RollingKeys{Dir: filepath.Join(o.data, "keys"), Logger: s.logger}
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
		Replays:          replaysOf(records),
		ClientSecrets:    o.config.secretsOf,
		InsecureNetworks: o.insecureNetworks(),

		ClientCertificate: o.clientCertificate(),

		Users: s.users.about,
		Grants: []tokenendpoint.GrantValidator{
			grants.ClientCredentials{}, s.codes, grants.RefreshToken{}, s.device, s.ciba,
			grants.Password{Verify: s.users.verify}, customGrant{},
		},
		Logger: s.logger,
	})
	if err != nil { // all else is the shop's own and right
		return nil, fmt.Errorf("-issuer %s: %w", o.issuer, oneLine(err))
	}
	return endpoint, nil
}

// replaysOf is the store itself if it remembers what was used once, else the memory of
// this process.
func replaysOf(records store.GrantStore) store.ReplayStore {
	if replays, ok := records.(store.ReplayStore); ok {
		return replays
	}
	return new(memory.Replays)
}

// mux has all that is served.
func (s *site) mux(ctx context.Context) *http.ServeMux {
	mux := http.NewServeMux()
	s.endpoint.Mount(mux)
	s.mountAPI(mux)
	mux.HandleFunc("GET /{$}", s.front)
	mux.Handle(s.base+"/connect/authorize", &authorization{s})
	s.mountPage(mux, "/device", "to connect a device", s.showDevice, s.submitDevice)
	s.mountPage(mux, "/requests", "to see who asks to sign you in", s.showRequests, s.submitRequests)
	s.mountPage(mux, "/apps", "to see which applications have access", s.showApps, s.submitApps)
	mux.HandleFunc("GET "+s.base+"/signout", s.showSignOut)
	mux.HandleFunc("POST "+s.base+"/signout", s.signOut)
	mux.HandleFunc("GET "+s.base+"/shop.css", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, pageFiles, "pages/shop.css")
	})
	if s.demo {
		s.logger.WarnContext(ctx, "-demo: whoever reaches this address signs in as any user, without a password; never use it with real users")
		mux.Handle("POST "+s.base+"/demo/decide", http.NewCrossOriginProtection().Handler(http.HandlerFunc(s.demoDecide)))
	}
	return mux
}

// shutdown waits a little for the clients that are told of a decision; the others
// poll.
func (s *site) shutdown(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := s.ciba.Shutdown(ctx); err != nil {
		s.logger.WarnContext(ctx, "not every client was told of a decision", "error", err.Error())
	}
}
