package store

import (
	"context"
	"time"
)

// ReplayStore remembers ids that may be used once: of client assertions (RFC 7523
// section 3), of DPoP proofs (RFC 9449 section 11.1). Implementations are safe for
// concurrent use, by any number of processes that share an engine.
type ReplayStore interface {
	// Use reports whether this is the first use of an id, and remembers it for at least
	// lifetime from now, by the clock of the store. Of any number of callers that use an
	// id within that time exactly one is told true; the others do not make it longer.
	// Later the id is new again.
	//
	// Every error is an outage, and then nothing is known about the id: the caller
	// refuses the request without calling it a replay. A store that is full returns one
	// and forgets nothing that is still to be remembered; what is past its lifetime does
	// not fill it. An id is 1 to 64 characters of base64url; a lifetime is positive.
	Use(ctx context.Context, id string, lifetime time.Duration) (first bool, err error)
}
