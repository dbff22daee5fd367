package tokenendpoint

import (
	"net/http"
	"net/url"
	"strings"
)

// Mux is what Mount needs of a router. *http.ServeMux has it.
type Mux interface {
	Handle(pattern string, handler http.Handler)
}

// The names of the endpoints in the metadata (RFC 8414 section 2), and of Event.Endpoint.
const (
	introspectionName = "introspection_endpoint"
	revocationName    = "revocation_endpoint"
)

// Mount adds to mux the token endpoint, introspection, revocation, the companions, the
// JWKS and the metadata of both kinds (RFC 8414, OpenID Connect Discovery). The paths
// begin with the path of the issuer, if it has one: the mux is to see requests as clients
// send them. Like Handle of http.ServeMux it panics if the mux has a pattern that
// conflicts, such as "GET /": use "/" or "GET /{$}".
func (e *Endpoint) Mount(mux Mux) {
	base := e.issuerPath()
	mux.Handle(base+e.config.Paths.Token, e)
	mux.Handle(base+e.config.Paths.JWKS, public(jwksMaxAge, e.jwks))
	mux.Handle(base+e.config.Paths.Introspection, e.form(introspectionName, "", e.introspect))
	if e.config.Records != nil { // without them nothing can be taken back
		mux.Handle(base+e.config.Paths.Revocation, e.form(revocationName, "", e.revoke))
	}
	for _, c := range e.companions {
		mux.Handle(base+c.Path, e.handler(c))
	}
	metadata := e.metadata()
	serve := public(metadataMaxAge, func(*http.Request) ([]byte, error) { return metadata, nil })
	mux.Handle(serverPath+base, serve)
	mux.Handle(base+discoveryPath, serve)
}

// issuerPath is the issuer's path without its trailing slash.
func (e *Endpoint) issuerPath() string {
	u, _ := url.Parse(e.config.Issuer) // New checked it
	return strings.TrimSuffix(u.Path, "/")
}
