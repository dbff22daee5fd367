// Package storetest checks that a store keeps the promises of package store.
// The author of an adapter calls [TestClientStore], [TestScopeStore],
// [TestGrantStore], [TestReplayStore] and [TestFullReplayStore] from tests of their own. Every promise is a sub-test that is named for it; a
// failure says what happened and what it would mean to the users of whoever
// operates the store.
//
// # What counts as the same
//
// A record that went through an engine is compared by meaning. Claims may have
// become what encoding/json makes of them (numbers as float64 or json.Number,
// lists as []any), instants may stand in another time zone, an empty list or
// map may be nil, and AuthMethods is a set. All other lists keep their order.
// The instants and durations of clients and scopes are whole seconds in the
// tests, those of records and families whole microseconds.
package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/grantor-go/grantor/store"
)

// TestClientStore checks a [store.ClientStore].
//
// open returns a store that keeps these clients and no others. It is called
// once or more in every sub-test, with the t of that sub-test: report what goes
// wrong there with t.Fatal, and close the store with t.Cleanup. After another
// call of open the store of the one before is not used again, so all may share
// a database that open empties.
func TestClientStore(t *testing.T, open func(t *testing.T, clients ...store.Client) store.ClientStore) {
	t.Helper()
	runAll(t, clientChecks, open)
}

// TestScopeStore checks a [store.ScopeStore].
//
// open returns a store that keeps these scopes and no others. It is called
// once or more in every sub-test, with the t of that sub-test: report what goes
// wrong there with t.Fatal, and close the store with t.Cleanup. After another
// call of open the store of the one before is not used again, so all may share
// a database that open empties.
func TestScopeStore(t *testing.T, open func(t *testing.T, scopes ...store.Scope) store.ScopeStore) {
	t.Helper()
	runAll(t, scopeChecks, open)
}

// check is one promise. It returns an error instead of taking a testing.T so
// that the kit's own tests can hand it a broken store and see it fail.
type check[Store, Record any] struct {
	name string // the promise, a sentence
	why  string // what happens to whom if it is broken
	run  func(ctx context.Context, open func(...Record) Store) error
}

func runAll[Store, Record any](t *testing.T, checks []check[Store, Record], open func(*testing.T, ...Record) Store) {
	t.Helper()
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			err := c.run(t.Context(), func(records ...Record) Store { return open(t, records...) })
			if err != nil {
				t.Errorf("promise broken: %s\nwhat happened: %v\nwhy it matters: %s", c.name, err, c.why)
			}
		})
	}
}

// atOnce calls do with 0 to n-1 in goroutines of their own and returns one of
// the errors.
func atOnce(n int, do func(i int) error) error {
	errs := make(chan error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { errs <- do(i) })
	}
	all.Wait()
	for range n {
		if err := <-errs; err != nil {
			return err
		}
	}
	return nil
}

// done returns contexts that are over, one for each way in which that happens.
func done(ctx context.Context) []context.Context {
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	expired, cancel := context.WithTimeout(ctx, 0)
	cancel()
	return []context.Context{cancelled, expired}
}

// numbered returns n names that differ in their number.
func numbered(format string, n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf(format, i)
	}
	return names
}
