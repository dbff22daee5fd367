// Package issuerkeys verifies what an issuer signed with the keys that it publishes: at
// the jwks_uri of its metadata (RFC 8414), or by a function in the same process.
package issuerkeys

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/grantor-go/grantor/internal/fetch"
	"github.com/grantor-go/grantor/internal/jose"
	"github.com/grantor-go/grantor/internal/keysets"
)

const (
	believed = time.Minute // what was kept at last, before Remote is asked again
	maxTries = 4           // verifications that one token costs in one set

	longestWait = 10 * time.Second
)

// Set is the keys of one issuer. They are kept as keysets.Remote keeps those of a
// client: fetched again after the time that the Cache-Control of the JWK Set allows,
// from a minute to an hour, in the background; good for a day beyond that while the
// issuer cannot be reached, and for an hour if it answers with something else; and
// sought at once, but at most every 10 seconds, if none of them made a signature. On top
// of that a key that its issuer withdrew may be good for a minute.
//
// A Set is safe for concurrent use. Its fields are not altered once it is in use, and it
// is not copied.
type Set struct {
	// Issuer is the issuer identifier as its metadata has it (RFC 8414 section 2).
	Issuer string

	// JWKS returns the JWK Set of an issuer in this process, and is asked every minute
	// at most, but for keys that are sought. It ends with ctx. Nil means that the set is
	// fetched.
	JWKS func(ctx context.Context) ([]byte, error)

	// Guard says where the issuer's metadata and jwks_uri may be.
	Guard fetch.Guard

	// Now is the clock. Nil means time.Now.
	Now func() time.Time

	start   sync.Once
	now     func() time.Time
	remote  *keysets.Remote
	fetches atomic.Uint64 // that Remote made
	kept    atomic.Pointer[snapshot]
}

// snapshot is what Remote had at a time, after so many fetches at least.
type snapshot struct {
	keys    []jose.JWK
	at      time.Time
	fetches uint64
}

// Verify reports whether a key of the issuer made the signature of a token, by the
// algorithm that its header says and the key is for. False is a verdict: a key that is
// not known was sought, within the last 10 seconds. A token without a kid is tried with
// the first four keys that are for its algorithm, and so are those that share a kid.
//
// It waits only if no keys are known, if one is sought or if nobody asked for longer than
// a minute beyond their time, for ten seconds at most and until ctx ends.
//
// The error is an outage: no keys of the issuer are known, or none with this kid, and
// they cannot be fetched now, or the wait has ended, the error of whose context it then
// wraps. It quotes no more of what the issuer sent than the host of its jwks_uri, and
// nothing of the token.
func (s *Set) Verify(ctx context.Context, t *jose.Token) (bool, error) {
	s.start.Do(s.prepare)
	now, fetches := s.now(), s.fetches.Load()
	kept := s.kept.Load()
	if !kept.good(now, fetches) {
		kept = nil
	} else if made(kept.keys, t) {
		return true, nil
	}
	return s.ask(ctx, t, kept, snapshot{at: now, fetches: fetches})
}

func (s *Set) prepare() {
	s.now = s.Now
	if s.now == nil {
		s.now = time.Now
	}
	s.remote = &keysets.Remote{
		Now:     s.now,
		Fetched: func() { s.fetches.Add(1) },
	}
	if s.JWKS != nil {
		s.remote.Get = s.here
		return
	}
	client := s.Guard.Client()
	s.remote.Get = func(ctx context.Context, _ string) ([]byte, time.Duration, error) { return s.fetch(ctx, client) }
}

// here asks the issuer in this process. The age is zero: as short as Remote allows.
func (s *Set) here(ctx context.Context, _ string) ([]byte, time.Duration, error) {
	jwks, err := s.JWKS(ctx)
	return jwks, 0, err
}

// good is false after a fetch, and for a time before the snapshot: a clock that was set
// back says nothing of its age.
func (k *snapshot) good(now time.Time, fetches uint64) bool {
	return k != nil && k.fetches == fetches && !now.Before(k.at) && now.Sub(k.at) < believed
}

// ask asks Remote, and keeps in next what it has. tried is what was tried in vain, nil if
// nothing was.
func (s *Set) ask(ctx context.Context, t *jose.Token, tried *snapshot, next snapshot) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, longestWait)
	defer cancel()
	known := false
	ok, err := s.remote.Try(ctx, s.Issuer, func(keys []jose.JWK) bool {
		s.kept.Store(&snapshot{keys, next.at, next.fetches})
		known = known || knows(keys, t.Kid)
		return !(tried != nil && same(tried.keys, keys)) && made(keys, t)
	})
	switch {
	case err == nil:
		return ok, nil
	case known && ctx.Err() == nil: // the key is there, and did not make the signature
		return false, nil
	}
	return false, fmt.Errorf("issuerkeys: %s: %w", s.Issuer, err)
}
