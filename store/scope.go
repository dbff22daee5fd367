package store

import "context"

// ScopeStore finds scopes. Implementations are safe for concurrent use.
type ScopeStore interface {
	// Scopes returns the scopes with these names, in any order, each once.
	// Names are compared byte by byte (RFC 6749 section 3.3: case matters). An
	// unknown name is absent from the result and is not an error; no names, no
	// scopes. Every error is an outage: a store that cannot look must say so
	// and never return fewer scopes than it keeps.
	//
	// names are those that one client has registered, as scope-tokens; the store
	// does not alter the slice. Neither the caller nor the store alters what was
	// returned.
	Scopes(ctx context.Context, names []string) ([]Scope, error)
}

// Scope is something that a client may ask for. A store keeps the order of
// lists, and may return nil for an empty one.
type Scope struct {
	// Name is the scope-token of RFC 6749 section 3.3: printable ASCII without
	// space, quote and backslash.
	Name string `json:"name"`

	// Resources are the resource indicators (RFC 8707: absolute URIs, or names
	// that only your APIs know) of the APIs that understand the scope. They
	// become the audience of a token. None means the issuer itself. middleware.RequireToken
	// takes URIs alone.
	Resources []string `json:"resources,omitempty"`

	// Claims names the claims about the user that the scope gives access to.
	Claims []string `json:"claims,omitempty"`

	// Identity marks a scope that is about the user rather than about an API
	// (openid, profile, email, ...). It is never granted by default, nor to a
	// client that acts for itself. The names openid and offline_access are always
	// treated so.
	Identity bool `json:"identity,omitempty"`
}
