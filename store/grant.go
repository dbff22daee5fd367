package store

import "time"

// Grant is what was authorised, whole. A token may carry less than its grant,
// never more, and a narrower token leaves the grant as it was.
type Grant struct {
	// Subject identifies the user who authorised the client. Empty means that
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

	// Claims are added to the access token. Those that the endpoint writes
	// itself cannot be set here.
	Claims map[string]any
}
