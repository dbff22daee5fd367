package tokenendpoint

import (
	"net/netip"
	"net/url"
	"time"

	"github.com/grantor-go/grantor/store"
)

// Request is a token request on its way through the endpoint. A validator or a
// hook sees it once the client is known and what it asked for is well formed and
// not more than it may ever have. They do not alter it.
type Request struct {
	// Endpoint is where the request came to: the token endpoint, also for a request
	// to one of its companions.
	Endpoint *Endpoint

	// Issuer is the issuer that the request came to.
	Issuer string

	// Time is when the request arrived, by Config.Now.
	Time time.Time

	// Client is the client: authenticated or, if it is a public one, identified.
	Client *store.Client

	// Authenticated tells whether the client proved a secret. It is false for
	// AuthMethod none: then anyone may have sent the request.
	Authenticated bool

	// AuthMethod is the method that the client used.
	AuthMethod store.AuthMethod

	// Confirmation is the key that the caller proved to possess; tokens are bound to it.
	Confirmation store.Confirmation

	// GrantType is the grant type asked for.
	GrantType string

	// Scopes is what was asked for, without repetition; nil if nothing was.
	// Every one is known and allowed to the client.
	Scopes []string

	// Resources is what was asked for by resource parameters (RFC 8707), without
	// repetition; nil if nothing was. Every one belongs to a scope that the
	// client may have.
	Resources []string

	// ACRValues are the acr_values asked for, without tenant: and idp:.
	//
	// These three are the client's wish and prove nothing. Never copy one into a
	// token, a Grant or the key of a log line: a tenant that a token speaks of
	// must come from what you know about the user or the client.
	ACRValues []string
	Tenant    string // NAME of tenant:NAME in acr_values
	IdP       string // NAME of idp:NAME in acr_values, if it is one of the client's IdentityProviders

	// Form holds every parameter of the body that was not empty, but for the
	// client's secret or assertion. Values are UTF-8 and may hold tabs and line
	// breaks but no other ASCII control character. Parameters are there once,
	// except resource.
	Form url.Values

	// RemoteAddr is the caller's address, invalid if unknown. See
	// Config.RemoteAddr.
	RemoteAddr netip.Addr

	credentials credentials
	proven      store.Confirmation // what tokens are bound to, whatever became of Confirmation
	nonce       string             // for the DPoP-Nonce header of the answer
	certificate certificate
	assertion   *onceID       // jti of the client's assertion, if there is one
	proof       *onceID       // jti of the DPoP proof, if there is one
	allowed     []store.Scope // the client's scopes that the store knows
	found       []redeemable
	begun       string // the family that Defer began
}
