package storetest

import (
	"context"
	"errors"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
)

type replayMutant = mutant[replays, string]

type useFunc func(ctx context.Context, id string, lifetime time.Duration) (bool, error)

func (f useFunc) Use(ctx context.Context, id string, lifetime time.Duration) (bool, error) {
	return f(ctx, id, lifetime)
}

// using is a store that does something else than the reference, which it is given.
func using(use func(s *memory.Replays) useFunc) func(...string) replays {
	return func(...string) replays {
		s := use(new(memory.Replays))
		return replays{s, s}
	}
}

// reading is a store that takes an id for another one.
func reading(as func(id string) string) func(...string) replays {
	return using(func(s *memory.Replays) useFunc {
		return func(ctx context.Context, id string, lifetime time.Duration) (bool, error) {
			return s.Use(ctx, as(id), lifetime)
		}
	})
}

// lasting is a store that takes a lifetime for another one.
func lasting(as func(lifetime time.Duration) time.Duration) func(...string) replays {
	return using(func(s *memory.Replays) useFunc {
		return func(ctx context.Context, id string, lifetime time.Duration) (bool, error) {
			return s.Use(ctx, id, as(lifetime))
		}
	})
}

// overIs is a store that answers where the context is over.
func overIs(first bool, err error) func(...string) replays {
	return using(func(s *memory.Replays) useFunc {
		return func(ctx context.Context, id string, lifetime time.Duration) (bool, error) {
			if ctx.Err() != nil {
				return first, err
			}
			return s.Use(ctx, id, lifetime)
		}
	})
}

// ends are until when ids are remembered, for the mutants that do it by themselves.
type ends struct {
	mu    sync.Mutex
	byID  map[string]time.Time
	order []string
}

// by is a store that decides, while nobody else does, what becomes of the end of an
// id, which is zero if it is new.
func by(decide func(e *ends, id string, end time.Time, lifetime time.Duration) (bool, error)) func(...string) replays {
	return func(...string) replays {
		e := &ends{byID: make(map[string]time.Time)}
		s := useFunc(func(ctx context.Context, id string, lifetime time.Duration) (bool, error) {
			e.mu.Lock()
			defer e.mu.Unlock()
			return decide(e, id, e.byID[id], lifetime)
		})
		return replays{s, s}
	}
}

func (e *ends) set(id string, lifetime time.Duration) {
	e.byID[id] = time.Now().Add(lifetime)
	e.order = append(e.order, id)
}

// full is a store that has room for 200 and then does something else.
func full(then func(e *ends, id string) (bool, error)) func(...string) replays {
	return by(func(e *ends, id string, end time.Time, lifetime time.Duration) (bool, error) {
		if time.Now().Before(end) {
			return false, nil
		}
		if len(e.byID) == 200 {
			return then(e, id)
		}
		e.set(id, lifetime)
		return true, nil
	})
}

// lookingFirst is a store whose first two that have looked, and found what is asked
// for, have both looked before either writes.
func lookingFirst(looked func(known bool) bool) func(...string) replays {
	return func(...string) replays {
		e, m := &ends{byID: make(map[string]time.Time)}, newMeeting()
		s := useFunc(func(_ context.Context, id string, lifetime time.Duration) (bool, error) {
			e.mu.Lock()
			end, known := e.byID[id]
			e.mu.Unlock()
			if time.Now().Before(end) {
				return false, nil
			}
			if looked(known) {
				m.join(id)
			}
			e.mu.Lock()
			defer e.mu.Unlock()
			if !looked(known) && e.byID[id] != end {
				return false, nil
			}
			e.set(id, lifetime)
			return true, nil
		})
		return replays{s, s}
	}
}

// purging is a store whose Purge goes by the time that it is told.
type purging struct {
	*memory.Grants
	*ends
}

func (p purging) Use(_ context.Context, id string, lifetime time.Duration) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Now().Before(p.byID[id]) {
		return false, nil
	}
	p.set(id, lifetime)
	return true, nil
}

func (p purging) Purge(_ context.Context, now time.Time, _ int) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, end := range p.byID {
		if !now.Before(end) {
			delete(p.byID, id)
		}
	}
	return 0, nil
}

func newPurging(...string) replays {
	p := purging{new(memory.Grants), &ends{byID: make(map[string]time.Time)}}
	return replays{p, p}
}

func TestEveryBrokenReplayStoreFailsItsCheck(t *testing.T) {
	checks := slices.Concat(replayChecks(time.Second), replayFullChecks(time.Second))
	t.Logf("%d checks, %d mutants", len(checks), len(replayMutants))
	hunt(t, checks, replayMutants)
}

func TestTheReferenceKeepsThePromisesOfReplayStores(t *testing.T) {
	TestReplayStore(t, func(*testing.T) (a, b store.ReplayStore) {
		s := new(memory.Replays)
		return s, s
	})
	TestFullReplayStore(t, func(*testing.T) store.ReplayStore { return &memory.Replays{Size: 200} })
}

func TestABrokenReplayStoreFailsTheTestOfItsAuthor(t *testing.T) {
	if os.Getenv(child) == "replays" {
		down := useFunc(func(context.Context, string, time.Duration) (bool, error) { return false, errors.New("down") })
		TestReplayStore(t, func(*testing.T) (a, b store.ReplayStore) { return down, down })
		TestFullReplayStore(t, func(*testing.T) store.ReplayStore { return down })
		return
	}
	failsAll(t, "replays", slices.Concat(replayChecks(0), replayFullChecks(0)))
}

// asNumber is what a column for numbers makes of an id.
func asNumber(id string) string {
	if n, err := strconv.ParseFloat(id, 64); err == nil {
		return strconv.FormatFloat(n, 'g', -1, 64)
	}
	return id
}

// likeOthers is a store that finds ids by LIKE.
func likeOthers(...string) replays {
	return by(func(e *ends, id string, end time.Time, lifetime time.Duration) (bool, error) {
		for other := range e.byID {
			if like(id, other) {
				return false, nil
			}
		}
		e.set(id, lifetime)
		return true, nil
	})()
}
