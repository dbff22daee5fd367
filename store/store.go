// Package store is the contract between the token endpoint and whatever keeps
// its records: the records themselves and the small interfaces that return
// them. Whoever writes an adapter needs to read nothing else.
//
// Two one-method interfaces, [ClientStore] and [ScopeStore], are all that a
// service needs for the client_credentials grant and for grants of its own.
// Package storetest checks an implementation against every promise made here.
//
// Grants that have users keep records of what was granted in a [GrantStore].
//
// # Verdicts and outages
//
// [ErrNotFound], [ErrConflict] and [ErrRevoked] are verdicts: the store looked,
// and so it is. [ErrCorrupt] is a fault of what is kept. Any other error is an
// outage: the store could not look. The endpoint answers a verdict with a
// rejection, a fault with 500 and an outage with 503 and Retry-After, so a store
// must never turn one into the other: a timeout, a refused connection or a
// cancelled context is not ErrNotFound.
package store

import "errors"

// The verdicts of stores. They may be wrapped.
var (
	// ErrNotFound says that a record does not exist.
	ErrNotFound = errors.New("store: not found")

	// ErrConflict says that somebody else was first: look again.
	ErrConflict = errors.New("store: conflict")

	// ErrRevoked says that the family was revoked.
	ErrRevoked = errors.New("store: revoked")

	// ErrCorrupt says that what is kept cannot be read.
	ErrCorrupt = errors.New("store: corrupt record")
)
