package main

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/grantor-go/grantor/middleware"
	"github.com/grantor-go/grantor/store"
)

// newAPI guards the shop's own API. Its audience is the issuer, as for every scope
// without a resource. The endpoint is asked about each token, so that what is revoked is
// refused at once; without IntrospectJWT a JWT would be good until it expires, and no
// store be asked.
func (s *site) newAPI(o options, records store.GrantStore) (*middleware.RequireToken, error) {
	api := &middleware.RequireToken{
		Issuer:            o.issuer,
		Resource:          o.issuer,
		JWKS:              s.endpoint.JWKS,
		Introspect:        s.endpoint.Introspect,
		IntrospectJWT:     true,
		Scopes:            []string{"api1"},
		ScopesSupported:   []string{"api1", "admin"},
		Replays:           replaysOf(records),
		ClientCertificate: o.clientCertificate(),
		Logger:            s.logger,
	}
	return api, api.Check()
}

// mountAPI adds the routes of the API and its metadata (RFC 9728).
func (s *site) mountAPI(mux *http.ServeMux) {
	s.api.Mount(mux)
	answer := http.HandlerFunc(answerCaller)
	mux.Handle("GET "+s.base+"/resource", s.api.Handler(answer))
	mux.Handle("GET "+s.base+"/admin", s.api.Handler(middleware.RequireScopes("admin")(answer)))
}

// answerCaller tells the caller who it is.
func answerCaller(w http.ResponseWriter, r *http.Request) {
	token, _ := middleware.TokenFrom(r.Context()) // there is one: the guard is in front
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	json.NewEncoder(w).Encode(map[string]any{
		"path": r.URL.Path, "sub": token.Subject, "client_id": token.ClientID, "scope": strings.Join(token.Scopes, " "), "bound": token.Bound,
	})
}
