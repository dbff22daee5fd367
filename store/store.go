// Package store is the contract between the token endpoint and whatever keeps
// its records: the records themselves and the small interfaces that return
// them. Whoever writes an adapter needs to read nothing else.
//
// Two one-method interfaces, [ClientStore] and [ScopeStore], are all that a
// service needs for the client_credentials grant and for grants of its own.
// Package storetest checks an implementation against every promise made here.
//
// # Verdicts and outages
//
// [ErrNotFound] is a verdict: the store looked, and there is nothing. Any other
// error is an outage: the store could not look. The endpoint answers a verdict
// with a rejection and an outage with 503 and Retry-After, so a store must never
// turn one into the other: a timeout, a refused connection or a cancelled
// context is not ErrNotFound.
package store

import "errors"

// ErrNotFound says that a record does not exist. It may be wrapped.
var ErrNotFound = errors.New("store: not found")
