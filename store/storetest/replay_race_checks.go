package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/grantor-go/grantor/store"
)

// firstOf has racers use an id at the same moment, each by one of the handles, and
// returns how many were told that they are first.
func firstOf(p replays, use func(s store.ReplayStore) (first bool, err error)) (int64, error) {
	var firsts atomic.Int64
	var ready sync.WaitGroup
	ready.Add(racers)
	err := atOnce(racers, func(i int) error {
		ready.Done()
		ready.Wait()
		first, err := use([]store.ReplayStore{p.a, p.b}[i%2])
		if first && err == nil {
			firsts.Add(1)
		}
		return where("a Use beside others", err)
	})
	return firsts.Load(), err
}

func replayRaceChecks(patience time.Duration) []replayCheck {
	return []replayCheck{
		{
			name: "of many who use one id at once exactly one is first",
			why:  whyOnce + ": they only have to send it twice at the same moment",
			run: func(ctx context.Context, open openReplays) error {
				p := open()
				for _, id := range randomIDs(3 * raceRounds) {
					firsts, err := firstOf(p, func(s store.ReplayStore) (bool, error) { return s.Use(ctx, id, time.Hour) })
					if err != nil || firsts != 1 {
						return fmt.Errorf("of %d who used one id at the same moment %d were first, want 1 (error: %v)", racers, firsts, err)
					}
				}
				return nil
			},
		},
		{
			name: "of many who use an id when its lifetime ends exactly one is first again",
			why:  whyOnce + ": two at once look whether it has ended, and both find that it has",
			run: func(ctx context.Context, open openReplays) error {
				p := open()
				for _, id := range randomIDs(raceRounds) {
					if err := uses(ctx, p.a, id, 20*time.Millisecond, true); err != nil {
						return err
					}
					var over atomic.Bool
					firsts, err := firstOf(p, func(s store.ReplayStore) (first bool, err error) {
						for began := time.Now(); !over.Load() && time.Since(began) < patience; {
							if first, err = s.Use(ctx, id, time.Hour); first || err != nil {
								over.Store(true)
								return first, err
							}
						}
						return false, nil
					})
					if err != nil || firsts != 1 {
						return fmt.Errorf("of %d who used an id until one was first again %d were, want 1 (error: %v)", racers, firsts, err)
					}
				}
				return nil
			},
		},
	}
}

var replayOutageChecks = []replayCheck{
	{
		name: "a context that is over is never a verdict",
		why:  whyHonest + " as a thief, and what happened was an outage; or a replay is let in that nobody looked up",
		run: func(ctx context.Context, open openReplays) error {
			p := open()
			for _, over := range done(ctx) {
				if err := cutShort(ctx, over, p); err != nil {
					return err
				}
			}
			return nil
		},
	},
	{
		name: "a context that ends on the way is never a verdict",
		why:  whyHonest + " as a thief because it was in a hurry; or what was let in is not remembered",
		run: func(ctx context.Context, open openReplays) error {
			p := open()
			for round := range 4 * raceRounds {
				ending, cancel := context.WithTimeout(ctx, time.Duration(round*round)*2*time.Microsecond)
				err := cutShort(ctx, ending, p)
				cancel()
				if err != nil {
					return err
				}
			}
			return nil
		},
	},
}

// cutShort uses a new id, and one that was used, with a context that does not last.
func cutShort(ctx, ending context.Context, p replays) error {
	id, used := random(32), random(32)
	if err := uses(ctx, p.b, used, time.Hour, true); err != nil {
		return err
	}
	first, err := p.a.Use(ending, id, time.Hour)
	switch {
	case noVerdict(err) != nil:
		return noVerdict(err)
	case err == nil && !first:
		return errors.New("with a context that was over a Use of a new id is false, without an error")
	case err == nil:
		if err := uses(ctx, p.b, id, time.Hour, false); err != nil {
			return where("after a Use that was answered in spite of its context", err)
		}
	default: // nothing is known of it, but from now on
		if _, err := p.b.Use(ctx, id, time.Hour); err != nil {
			return where("after a Use whose context was over", err)
		}
		if err := uses(ctx, p.a, id, time.Hour, false); err != nil {
			return err
		}
	}
	first, err = p.a.Use(ending, used, time.Hour)
	if err == nil && first {
		return errors.New("with a context that was over a Use of an id that was used is true")
	}
	return noVerdict(err)
}
