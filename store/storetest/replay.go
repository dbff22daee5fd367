package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
)

// TestReplayStore checks a [store.ReplayStore].
//
// open returns two handles on one empty store, as two processes have them: two
// connections, or two pools, to one engine. A store that lives in one process
// may return the same twice. open is called once or more in every sub-test, with
// the t of that sub-test: report what goes wrong there with t.Fatal, and close
// both with t.Cleanup. After another call of open the handles of the one before
// are not used again, so all may share a database that open empties.
//
// Where a handle is a [store.GrantStore] too its Purge is called, with times long
// before the end of what must be remembered and long after. The lifetimes that the
// tests wait for are fractions of a second, and the clock of the store must run as
// fast as that of the tests.
func TestReplayStore(t *testing.T, open func(t *testing.T) (a, b store.ReplayStore)) {
	t.Helper()
	opened := func(t *testing.T, _ ...string) replays {
		a, b := open(t)
		return replays{a, b}
	}
	runAll(t, replayChecks(30*time.Second), opened)
}

// TestFullReplayStore checks what a [store.ReplayStore] does when it is full.
//
// open returns an empty store that has room for some ids only: for a hundred at
// least, and better for no more than a few thousand, which the tests use one after
// the other. What else is said of open at [TestReplayStore] holds here too.
func TestFullReplayStore(t *testing.T, open func(t *testing.T) store.ReplayStore) {
	t.Helper()
	opened := func(t *testing.T, _ ...string) replays {
		s := open(t)
		return replays{s, s}
	}
	runAll(t, replayFullChecks(30*time.Second), opened)
}

// replayChecks wait for a store to collect what has ended, at most for as long as
// patience.
func replayChecks(patience time.Duration) []replayCheck {
	return slices.Concat(replayUseChecks, replayEndChecks(patience), replayRaceChecks(patience), replayOutageChecks)
}

// replays are two handles on one store.
type replays struct{ a, b store.ReplayStore }

// A replay store is always empty at first, so open is called without ids.
type (
	replayCheck = check[replays, string]
	openReplays = func(...string) replays
)

const (
	whyOnce = "a client assertion or a DPoP proof that works twice is worth stealing: whoever reads one from a log " +
		"or a proxy is the client for as long as it has not expired"
	whyHonest = "an honest client that never sent anything twice is refused"
)

// uses calls Use and compares what it says.
func uses(ctx context.Context, s store.ReplayStore, id string, lifetime time.Duration, want bool) error {
	first, err := s.Use(ctx, id, lifetime)
	if err != nil {
		return fmt.Errorf("Use(%q, %v) returned the error %q", id, lifetime, err)
	}
	if first != want {
		return fmt.Errorf("Use(%q, %v) is %t, want %t", id, lifetime, first, want)
	}
	return nil
}

// usesAll calls Use with each id, of an hour.
func usesAll(ctx context.Context, s store.ReplayStore, ids []string, want bool) error {
	for _, id := range ids {
		if err := uses(ctx, s, id, time.Hour, want); err != nil {
			return err
		}
	}
	return nil
}

// randomIDs returns n ids as endpoints make them.
func randomIDs(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = random(32)
	}
	return ids
}

// again calls Use until an id counts as a first use once more. It looks on for as
// long as patience, and has the store collect what has ended, if it can be told to.
func again(ctx context.Context, s store.ReplayStore, id string, lifetime, patience time.Duration) error {
	for began := time.Now(); time.Since(began) < patience; {
		first, err := s.Use(ctx, id, lifetime)
		if err != nil || first {
			return where("a Use of an id that had been used before", err)
		}
		if err := purge(ctx, s, time.Now()); err != nil {
			return err
		}
	}
	return fmt.Errorf("%v later Use(%q) is still false", patience, id)
}

// purge has a store collect that can be told to.
func purge(ctx context.Context, s store.ReplayStore, now time.Time) error {
	if s, can := s.(store.GrantStore); can {
		_, err := s.Purge(ctx, now, 1000)
		return where("Purge", err)
	}
	return nil
}

// noVerdict returns an error if err is a verdict or a fault.
func noVerdict(err error) error {
	for _, v := range []error{store.ErrNotFound, store.ErrConflict, store.ErrRevoked, store.ErrCorrupt} {
		if errors.Is(err, v) {
			return fmt.Errorf("a Use returned the error %q; errors.Is(err, %q) is true", err, v)
		}
	}
	return nil
}
