package storetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/grantor-go/grantor/store"
)

const whyGo = "the database grows until it is full, and then nobody can sign in"

// collects reports whether Purge removes what is plainly due. Where it does not,
// the engine collects by itself, and only what stays can be judged.
func collects(ctx context.Context, p handles) (bool, error) {
	f, records := due(1)
	if err := begin(ctx, p.a, f, records...); err != nil {
		return false, err
	}
	n, err := p.a.Purge(ctx, hour(2), 100)
	if err != nil {
		return false, fmt.Errorf("a Purge returned the error %q", err)
	}
	if n == 0 {
		return false, where("after a Purge that reported 0", keeps(ctx, p.b, f, records...))
	}
	return true, nil
}

// ifItCollects runs a check of what must go, on stores where Purge removes it.
func ifItCollects(run func(ctx context.Context, p handles) error) func(context.Context, openGrants) error {
	return func(ctx context.Context, open openGrants) error {
		p := open()
		if removes, err := collects(ctx, p); err != nil || !removes {
			return err
		}
		return run(ctx, p)
	}
}

var grantCollectChecks = []grantCheck{
	{
		name: "a record past its KeepUntil goes where Purge collects",
		why:  whyGo,
		run: ifItCollects(func(ctx context.Context, p handles) error {
			f := newFamily()
			records := newRecords(f, 5)
			records[0].KeepUntil, records[1].KeepUntil, records[2].KeepUntil = hour(1), hour(3), hour(3)
			records[3].KeepUntil, records[4].KeepUntil = time.Time{}, hour(3)
			if err := begin(ctx, p.a, f, records...); err != nil {
				return err
			}
			sooner, set := spent(records[1], "first"), spent(records[3], "second")
			sooner.KeepUntil, set.KeepUntil = hour(1), hour(1)
			err := errors.Join(verdict(p.b.Update(ctx, sooner), nil, "Update"), verdict(p.b.Update(ctx, set), nil, "Update"),
				extends(ctx, p.b, records[0].Key, hour(1), hour(1).Add(time.Minute)))
			if err != nil {
				return err
			}
			n, err := purged(ctx, p.a, hour(2), 100, 3)
			if err != nil || n != 3 {
				return fmt.Errorf("of 3 records that are due Purge reported %d (error: %v)", n, err)
			}
			return errors.Join(
				where("one whose extension is over too", without(ctx, p.b, records[0].Key)),
				where("one whose KeepUntil Update made sooner", without(ctx, p.b, sooner.Key)),
				where("one that Update gave a KeepUntil", without(ctx, p.b, set.Key)),
				keeps(ctx, p.b, f, records[2], records[4]))
		}),
	},
	{
		name: "a family past its KeepUntil goes with all its records where Purge collects",
		why:  whyGo,
		run: ifItCollects(func(ctx context.Context, p handles) error {
			f, records := due(4)
			records[0].KeepUntil = hour(1)
			stays := newFamily()
			stays.KeepUntil = hour(4)
			if err := errors.Join(begin(ctx, p.a, f, records...), begin(ctx, p.a, stays, newRecord(stays))); err != nil {
				return err
			}
			if n, err := purged(ctx, p.b, hour(2).Add(-time.Minute), 100, 5); err != nil || n != 5 {
				return fmt.Errorf("of a family with 4 records that are due Purge reported %d, want 5 (error: %v)", n, err)
			}
			err := errors.Join(without(ctx, p.a, keysOf(records...)...), lives(ctx, p.a, f.ID, false), lives(ctx, p.a, stays.ID, true),
				verdict(p.a.Exchange(ctx, of(f)), store.ErrNotFound, "Exchange in a family that was purged"),
				where("where 1 of 2 was purged", revokes(ctx, p.a, store.Match{Subject: f.Subject}, hour(0), 1)))
			if err != nil {
				return err
			}
			return where("begun again", begin(ctx, p.a, f, records...))
		}),
	},
	{
		name: "Purge removes no more than its limit, and less only if there is no more",
		why: "a batch without end holds the engine's locks and lets sign-ins wait; one that stops early leaves " +
			"rubbish, and what is called again for nothing is never done",
		run: ifItCollects(func(ctx context.Context, p handles) error {
			for _, limit := range []int{1, 2, 3, 7, 13, 14, 1000} {
				// Two families with three records each, and one that stays with six of which four are due: 12.
				f, g, stays := newFamily(), newFamily(), newFamily()
				f.KeepUntil, g.KeepUntil = hour(1), hour(1)
				records := [][]store.Record{newRecords(f, 3), newRecords(g, 3), newRecords(stays, 6)}
				for i, r := range records[2][:4] {
					records[2][i].KeepUntil = r.KeepUntil.Add(-time.Hour)
				}
				for i := range 3 {
					records[0][i].KeepUntil, records[1][i].KeepUntil = hour(1), time.Time{}
				}
				records[2][4].KeepUntil, records[2][5].KeepUntil = hour(3), time.Time{}
				err := errors.Join(begin(ctx, p.a, f, records[0]...), begin(ctx, p.a, g, records[1]...), begin(ctx, p.a, stays, records[2]...))
				if err != nil {
					return err
				}
				left, keys := 10, keysOf(append(append(records[0], records[1]...), records[2][:4]...)...)
				for total, n := 0, limit; n == limit; {
					if n, err = p.a.Purge(ctx, hour(2), limit); err != nil || n < 0 || n > limit {
						return fmt.Errorf("a Purge of at most %d reported %d (error: %v)", limit, n, err)
					}
					found, err := countFound(ctx, p.b, keys)
					if err != nil {
						return err
					}
					if left-found > n {
						return fmt.Errorf("a Purge of at most %d reported %d, and %d records are gone", limit, n, left-found)
					}
					left = found
					if total += n; n < limit && total != 12 || total > 12 {
						return fmt.Errorf("with a limit of %d Purge reported %d in all, the last time %d, and 12 were due", limit, total, n)
					}
				}
				err = errors.Join(without(ctx, p.b, keys...), lives(ctx, p.b, f.ID, false), lives(ctx, p.b, g.ID, false), keeps(ctx, p.b, stays, records[2][4:]...))
				if err != nil {
					return fmt.Errorf("after Purge with a limit of %d: %w", limit, err)
				}
			}
			return nil
		}),
	},
	{
		name: "Purge reports 0 where nothing is due",
		why:  "the loop that calls it until there is no more never ends, and keeps the engine busy day and night",
		run: func(ctx context.Context, open openGrants) error {
			p := open()
			if n, err := p.a.Purge(ctx, hour(2), 10); err != nil || n != 0 {
				return fmt.Errorf("a Purge of an empty store reported %d (error: %v)", n, err)
			}
			f, records := due(2)
			if err := begin(ctx, p.a, f, records...); err != nil {
				return err
			}
			if n, err := p.b.Purge(ctx, hour(0), 10); err != nil || n != 0 {
				return fmt.Errorf("a Purge before any end reported %d (error: %v)", n, err)
			}
			if err := keeps(ctx, p.a, f, records...); err != nil {
				return err
			}
			if _, err := purged(ctx, p.a, hour(2), 10, 3); err != nil {
				return err
			}
			if n, err := p.b.Purge(ctx, hour(2), 10); err != nil || n != 0 {
				return fmt.Errorf("a Purge after one that said that there is no more reported %d (error: %v)", n, err)
			}
			return nil
		},
	},
}

func countFound(ctx context.Context, s store.GrantStore, keys []store.Key) (int, error) {
	sights, err := look(ctx, s, keys...)
	found := 0
	for _, sight := range sights {
		if sight.Found {
			found++
		}
	}
	return found, err
}
