// Package keysets finds the keys of clients and issuers in the JWK Sets that they publish
// at their jwks_uri (RFC 7591 section 2, RFC 8414 section 2), and keeps the sets.
package keysets

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/grantor-go/grantor/internal/fetch"
	"github.com/grantor-go/grantor/internal/jose"
)

const (
	leastAge   = time.Minute // of a set, until it is fetched again
	defaultAge = 10 * time.Minute
	mostAge    = time.Hour        // for as long a key that its owner withdrew is good
	staleAge   = 24 * time.Hour   // beyond that, if it cannot be fetched
	seekEvery  = 10 * time.Second // for a key that is not in the set
)

// Every error of Remote wraps one of these, and the cause.
var (
	// ErrUnavailable says that nothing can be said of the keys now: an outage, ours or
	// that of the set's server, or the end of the caller's context.
	ErrUnavailable = errors.New("the JWK Set cannot be fetched now")

	// ErrUnusable says that what was registered or its server is wrong: the URL may
	// not be requested, or what is there is no JWK Set of public keys.
	ErrUnusable = errors.New("the URL has no usable JWK Set")
)

// Remote keeps the JWK Sets of URLs: the 10,000 that were used last. It fetches at most
// 128 at once, each within 5 seconds, and no two at once of one URL. It is safe for
// concurrent use and not copied.
//
// A set is used for as long as its Cache-Control allows (RFC 9111), from a minute to an
// hour, and 10 minutes if it does not say. Then it is fetched again while callers go on
// with the old one; those that come more than a minute later wait for that first. If it
// fails the old one is good still, for another day, and for another hour if the URL
// answers with something else. What fails is not tried again for 5 seconds, and longer
// each time, up to 40.
type Remote struct {
	// Guard says which URLs may be requested, if Get is nil. Not altered once it is in use.
	Guard fetch.Guard

	// Get returns the JWK Set of a URL and for how long it may be used, negative if that
	// is not known. An error that wraps fetch.ErrRefused or fetch.ErrAnswer becomes
	// ErrUnusable, every other ErrUnavailable. It runs in a goroutine of its own and ends
	// with ctx, after 5 seconds. Nil means a GET of the URL as Guard allows it.
	Get func(ctx context.Context, url string) (jwks []byte, maxAge time.Duration, err error)

	// Fetched is called after each fetch, when Try no longer returns what was there
	// before. Nil means that nobody needs to know.
	Fetched func()

	// Now is the clock. Nil means time.Now.
	Now func() time.Time

	start sync.Once
	slots chan struct{} // one in it for each fetch that is under way

	mu    sync.Mutex // of all below and of what is in it; never held while something is waited for
	cache cache
}

// Try calls try with the public keys that can verify at a URL, of which there may be
// none, and returns what it returns. The keys are not to be altered. It waits only if
// no set of the URL is known, and until ctx ends; the fetch goes on for others.
//
// If try returns false, the key that it looks for may be new: the set is fetched again,
// at most every 10 seconds for each URL, and try called once more. The error wraps
// ErrUnavailable or ErrUnusable.
func (r *Remote) Try(ctx context.Context, url string, try func([]jose.JWK) bool) (bool, error) {
	e := r.entry(url)
	keys, waited, err := r.keys(ctx, e)
	if err != nil {
		return false, err
	}
	if try(keys) {
		return true, nil
	}
	keys, sought, err := r.seek(ctx, e, waited)
	if err != nil || !sought {
		return false, err
	}
	return try(keys), nil
}

// entry returns that of a URL, and prepares what the zero Remote lacks.
func (r *Remote) entry(url string) *entry {
	r.start.Do(func() {
		if r.Now == nil {
			r.Now = time.Now
		}
		if r.Get == nil {
			r.Get = r.guarded(r.Guard.Client())
		}
		r.slots = make(chan struct{}, maxFetches)
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cache.entry(url)
}

func (r *Remote) guarded(client *http.Client) func(context.Context, string) ([]byte, time.Duration, error) {
	return func(ctx context.Context, url string) ([]byte, time.Duration, error) {
		if err := r.Guard.CheckURL(url); err != nil {
			return nil, 0, err
		}
		return fetch.Get(ctx, client, url, 0)
	}
}

// keys returns the set of an entry, and whether it had to wait for it.
func (r *Remote) keys(ctx context.Context, e *entry) (keys []jose.JWK, waited bool, err error) {
	now := r.Now()
	r.mu.Lock()
	fresh, until := e.known && now.Before(e.fresh), e.fresh
	usable := e.known && now.Before(until.Add(staleFor(e.err)))
	idle := usable && e.failures == 0 && !now.Before(e.fresh.Add(leastAge)) // nobody asked for it
	var f *flight
	if !fresh {
		f = r.join(e, now)
	}
	keys, err = e.keys, e.err
	r.mu.Unlock()
	switch {
	case usable && (!idle || f == nil):
		return keys, false, nil
	case f == nil:
		return nil, false, err
	}
	fetched, err := f.wait(ctx)
	if idle && err != nil && ctx.Err() == nil && now.Before(until.Add(staleFor(err))) {
		return keys, true, nil
	}
	return fetched, true, err
}

// staleFor is how long beyond its time a set is good when the last fetch ended so.
func staleFor(err error) time.Duration {
	if errors.Is(err, ErrUnusable) { // its owner may have withdrawn it
		return mostAge
	}
	return staleAge
}

// seek returns the set as it is after a fetch for a key that it did not have, and
// whether there was one. waited says that it was fetched just now, which then was it.
func (r *Remote) seek(ctx context.Context, e *entry, waited bool) (keys []jose.JWK, sought bool, err error) {
	now := r.Now()
	r.mu.Lock()
	f := e.flight
	switch {
	case waited:
		e.sought, f = now, nil
	case f == nil && now.Sub(e.sought) >= seekEvery:
		if f = r.join(e, now); f != nil {
			e.sought = now
		}
	}
	err = e.err // if the last fetch failed, the key may be there and nobody knows
	r.mu.Unlock()
	if f == nil {
		return nil, false, err
	}
	keys, err = f.wait(ctx)
	return keys, true, err
}
