package store

import "time"

// Grant is what was authorised, whole. A token may carry less than its grant,
// never more, and a narrower token leaves the grant as it was. What a code was
// given for is what its refresh tokens inherit, unchanged.
type Grant struct {
	// Issuer and ClientID are who granted it and to whom. The endpoint fills them
	// in; a validator may leave them empty.
	Issuer   string
	ClientID string

	// Subject identifies the user who authorised the client: at most 255 printable
	// ASCII characters (OpenID Connect Core section 2). Empty means that
	// the client acts for itself, and then sub is its client_id: no user may have
	// a subject that is also a client_id (RFC 9068 section 5).
	Subject string

	// Scopes is everything that was granted. Nil means: what the client asked
	// for or, if it asked for nothing, all API scopes that it is allowed. Empty
	// but not nil is a mistake; the same holds for Resources.
	Scopes []string

	// Resources is every resource (RFC 8707) that was granted. Nil means: those
	// that the scopes belong to.
	Resources []string

	// AuthTime is when the user authenticated; zero if unknown.
	AuthTime time.Time

	// ACR is the authentication context class that was reached, AMR the
	// methods that were used (RFC 9068 section 2.2.1).
	ACR string
	AMR []string

	// Session identifies the user's session at the service, so that it can be
	// ended; it becomes sid. Empty if there is none.
	Session string

	// Nonce is that of the authentication request (OpenID Connect Core section
	// 3.1.2.1), for the first ID token.
	Nonce string

	// Confirmation is the key that whoever redeems what is kept must possess. The
	// endpoint fills it in, for clients that do not authenticate; a page that issues a
	// code may set it to what the client announced (RFC 9449 section 10).
	Confirmation Confirmation

	// Claims are added to the access token. Those that the endpoint writes
	// itself cannot be set here.
	Claims map[string]any

	// UserClaims are about the user. A token gets those that its scopes give
	// access to (Scope.Claims): the ID token those of identity scopes, the access
	// token those of the others.
	UserClaims map[string]any
}

// Confirmation names a key that its holder must prove to possess (RFC 7800). Empty
// members name none.
type Confirmation struct {
	// JKT is the thumbprint of a DPoP key (RFC 9449 section 6.1): RFC 7638, SHA-256,
	// base64url.
	JKT string `json:"jkt,omitempty"`

	// X5T is the thumbprint of a certificate (RFC 8705 section 3.1): SHA-256 of its DER,
	// base64url.
	X5T string `json:"x5t#S256,omitempty"`
}
