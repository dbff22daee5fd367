package store

import "time"

// Kind is what a record is for. It is the first letter of its handle.
type Kind string

// The kinds of records.
const (
	KindCode        Kind = "c" // an authorization code (RFC 6749 section 4.1)
	KindRefresh     Kind = "r" // a refresh token (RFC 6749 section 6)
	KindAccess      Kind = "a" // an access token that is no JWT; its Data are the claims that it would have as one
	KindRevoked     Kind = "x" // an access token that is a JWT and was revoked; it has neither Grant nor handle
	KindDevice      Kind = "d" // a device code (RFC 8628 section 3.2)
	KindBackchannel Kind = "b" // an auth_req_id (CIBA section 7.3)
	KindDecision    Kind = "q" // by which the user's answer finds one of the two above; its Data is that one's Key.Hash
)

// The states of what a user decides on after the client has asked: a device code,
// an auth_req_id. The State of all other records is empty.
const (
	StatePending  = "pending"
	StateApproved = "approved"
	StateDenied   = "denied"
)

// Key is where a record is kept: what a store sees of a handle, which is never
// the handle itself. Both parts are base64url without padding and compared byte
// by byte.
type Key struct {
	Family string // 128 bits at random: 22 characters
	Hash   string // the SHA-256 of the handle: 43 characters
}

// Record is what a handle can be redeemed for: a code, a refresh token. A store
// keeps it whole, times to the microsecond and as instants.
//
// Neither the caller nor the store alters what Grant, Data and Sealed point to
// once a record was handed over: a change is a new one.
type Record struct {
	Key  Key
	Kind Kind

	// State is one of the constants above, or the grant type's own.
	State string

	// CreatedAt is when the first handle of its kind in the family was made: it
	// survives rotation.
	CreatedAt time.Time

	// ExpiresAt is when the record can no longer be redeemed. The endpoint judges
	// it, by its own clock; a store returns what has expired.
	ExpiresAt time.Time

	// KeepUntil is until when the record must be found; it may be found for
	// longer. Zero means for as long as its family.
	KeepUntil time.Time

	// SpentAt is when the record was spent, zero if it was not. SpentBy is the
	// exchange that wrote it last: 128 bits at random, base64url.
	SpentAt time.Time
	SpentBy string

	// Sealed is the handle of the record that followed, for whoever holds the
	// handle of this one: nobody else can open it.
	Sealed []byte

	// Version counts the changes that Update and Exchange's Spend made: zero in a
	// new record.
	Version int64

	// Grant is what it can be redeemed for. Nil if it was spent and is no longer
	// needed.
	Grant *Grant

	// Data is the grant type's own, such as the redirect URI and the challenge
	// of a code.
	Data []byte
}

// Family is one authorisation: the user let a client do something. All records
// that descend from it belong to it and live only as long as it is not revoked.
type Family struct {
	ID        string // 128 bits at random, base64url without padding: 22 characters
	ClientID  string
	Subject   string // empty if the client acts for itself, or no user has decided yet
	Session   string // empty if there is none
	CreatedAt time.Time
	RevokedAt time.Time // zero: it lives

	// KeepUntil is until when the family must be found. The endpoint keeps it at
	// or after the end of each of its records and access tokens.
	KeepUntil time.Time
}
