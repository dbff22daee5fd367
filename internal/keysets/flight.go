package keysets

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/grantor-go/grantor/internal/fetch"
	"github.com/grantor-go/grantor/internal/jose"
)

const (
	maxFetches   = 128
	fetchTimeout = 5 * time.Second
	slotTimeout  = 5 * time.Second // until there are fewer than maxFetches
	retryAfter   = 5 * time.Second // doubled with each failure after the first
	maxDoublings = 3
)

var errBusy = errors.New("too many are fetched at once")

// flight is a fetch that any number of callers wait for.
type flight struct {
	done chan struct{} // closed when the rest is there
	keys []jose.JWK
	err  error
}

// wait ends with the flight or with ctx.
func (f *flight) wait(ctx context.Context) ([]jose.JWK, error) {
	select {
	case <-f.done:
		return f.keys, f.err
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	}
}

// join returns the flight of an entry, a new one if there is none. The result is nil
// if the last one failed too short a time ago, with the error that is kept. r.mu is
// held.
func (r *Remote) join(e *entry, now time.Time) *flight {
	if e.flight == nil && !now.Before(e.retry) {
		e.flight = &flight{done: make(chan struct{})}
		go r.fly(e, e.flight)
	}
	return e.flight
}

// fly fetches and tells the entry and whoever waits. No caller's context ends it.
func (r *Remote) fly(e *entry, f *flight) {
	keys, age, err := r.fetch(e.url)
	now := r.Now()
	r.mu.Lock()
	e.flight, e.err = nil, err
	switch {
	case err == nil:
		e.known, e.keys, e.fresh = true, keys, now.Add(age)
		e.failures, e.retry = 0, time.Time{}
	case !errors.Is(err, errBusy): // which is not the URL's fault
		e.retry = now.Add(retryAfter << min(e.failures, maxDoublings))
		e.failures++
	}
	r.mu.Unlock()
	if r.Fetched != nil {
		r.Fetched()
	}
	f.keys, f.err = keys, err
	close(f.done)
}

// get calls Get, which may be code of a host: its panic must not end the process.
func (r *Remote) get(ctx context.Context, url string) (body []byte, age time.Duration, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return r.Get(ctx, url)
}

// fetch returns the keys at a URL and how long they are fresh.
func (r *Remote) fetch(url string) ([]jose.JWK, time.Duration, error) {
	free := time.NewTimer(slotTimeout)
	defer free.Stop()
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-free.C:
		return nil, 0, fmt.Errorf("%w: %w", ErrUnavailable, errBusy)
	}
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	body, age, err := r.get(ctx, url)
	switch {
	case errors.Is(err, fetch.ErrRefused), errors.Is(err, fetch.ErrAnswer):
		return nil, 0, fmt.Errorf("%w: %w", ErrUnusable, err)
	case err != nil:
		return nil, 0, fmt.Errorf("%w: %w", ErrUnavailable, err)
	case age < 0:
		age = defaultAge
	}
	keys, err := jose.ParseJWKS(body)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", ErrUnusable, err)
	}
	return keys, min(max(age, leastAge), mostAge), nil
}
