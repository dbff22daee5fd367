package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/grantor-go/grantor/store"
)

const (
	racers     = 12 // goroutines, half of them on each handle
	raceRounds = 12
)

// race has racers do one thing at the same moment, each by one of the handles.
// It returns who succeeded; whoever did not must have been given ErrConflict.
func race(p handles, do func(i int, s store.GrantStore) error) (winners []int, err error) {
	var mu sync.Mutex
	var ready sync.WaitGroup
	ready.Add(racers)
	err = atOnce(racers, func(i int) error {
		ready.Done()
		ready.Wait()
		err := do(i, []store.GrantStore{p.a, p.b}[i%2])
		if err != nil {
			return verdict(err, store.ErrConflict, "the attempt of one who was not the first")
		}
		mu.Lock()
		defer mu.Unlock()
		winners = append(winners, i)
		return nil
	})
	return winners, err
}

// one returns the winner of a race.
func one(winners []int, err error) (int, error) {
	if err == nil && len(winners) != 1 {
		err = fmt.Errorf("of %d at the same moment %d succeeded, want 1", racers, len(winners))
	}
	if err != nil {
		return 0, err
	}
	return winners[0], nil
}

// rounds runs a race again and again, each time in a new family.
func rounds(run func(ctx context.Context, p handles, f store.Family, records []store.Record) error) func(context.Context, openGrants) error {
	return func(ctx context.Context, open openGrants) error {
		p := open()
		for range raceRounds {
			f := newFamily()
			records := newRecords(f, 2)
			if err := begin(ctx, p.a, f, records...); err != nil {
				return err
			}
			if err := run(ctx, p, f, records); err != nil {
				return err
			}
		}
		return nil
	}
}

var grantRaceChecks = []grantCheck{
	{
		name: "of many who spend one record exactly one succeeds",
		why:  "a code or a token that is redeemed twice is what a thief needs, and the endpoint would not know",
		run: rounds(func(ctx context.Context, p handles, f store.Family, records []store.Record) error {
			issued := newRecords(f, racers)
			winner, err := one(race(p, func(i int, s store.GrantStore) error {
				change := of(f)
				change.Spend, change.Issue = spent(records[0], fmt.Sprint("racer ", i)), issued[i:i+1]
				err := s.Exchange(ctx, change)
				if err == nil {
					return nil
				}
				r, _, missed := s.Find(ctx, records[0].Key) // as the endpoint does
				if missed != nil || r == nil || r.SpentBy == "" || r.SpentBy == fmt.Sprint("racer ", i) {
					return fmt.Errorf("after %v Find does not show who was first (error: %v)", err, missed)
				}
				return err
			}))
			if err != nil {
				return err
			}
			for i := range issued {
				if i == winner {
					err = keeps(ctx, p.b, f, issued[i], kept(spent(records[0], fmt.Sprint("racer ", i))))
				} else {
					err = without(ctx, p.a, issued[i].Key)
				}
				if err != nil {
					return where("what the racers issued", err)
				}
			}
			return keeps(ctx, p.a, f, records[1])
		}),
	},
	{
		name: "who comes too late finds what the first one left",
		why:  "two tabs that use one token at once: the second is answered with the first one's successor, or its user is logged out",
		run: rounds(func(ctx context.Context, p handles, f store.Family, records []store.Record) error {
			seen := make([]string, racers)
			winner, err := one(race(p, func(i int, s store.GrantStore) error {
				err := s.Update(ctx, spent(records[0], fmt.Sprint("racer ", i)))
				if r, _, missed := s.Find(ctx, records[0].Key); missed == nil && r != nil {
					seen[i] = r.SpentBy
				}
				return err
			}))
			if err != nil {
				return err
			}
			for i, by := range seen {
				if by != fmt.Sprint("racer ", winner) {
					return fmt.Errorf("racer %d, by a Find after its attempt, saw SpentBy %q; racer %d was first", i, by, winner)
				}
			}
			return nil
		}),
	},
	{
		name: "of many who begin one family exactly one succeeds",
		why:  "an authorisation that two requests began holds the tokens of both, and neither knows of the other's",
		run: func(ctx context.Context, open openGrants) error {
			p := open()
			for range raceRounds {
				f := newFamily()
				issued := newRecords(f, racers)
				winner, err := one(race(p, func(i int, s store.GrantStore) error {
					return s.Exchange(ctx, &store.Change{Family: f, Begin: true, Issue: issued[i : i+1]})
				}))
				if err != nil {
					return err
				}
				for i := range issued {
					if i != winner {
						err = errors.Join(err, without(ctx, p.b, issued[i].Key))
					}
				}
				if err := errors.Join(err, keeps(ctx, p.a, f, issued[winner])); err != nil {
					return err
				}
			}
			return nil
		},
	},
	{
		name: "of many who issue one key exactly one succeeds",
		why:  "a record that is written over is a token that was given out and is no longer known",
		run: rounds(func(ctx context.Context, p handles, f store.Family, records []store.Record) error {
			r := newRecord(f)
			by := func(i int) store.Record {
				r.Data = fmt.Append(nil, "racer ", i)
				return r
			}
			issue := make([]store.Record, racers)
			for i := range issue {
				issue[i] = by(i)
			}
			winner, err := one(race(p, func(i int, s store.GrantStore) error {
				change := of(f)
				change.Issue = issue[i : i+1]
				return s.Exchange(ctx, change)
			}))
			if err != nil {
				return err
			}
			return keeps(ctx, p.b, f, by(winner), records[0])
		}),
	},
}
