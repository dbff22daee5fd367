package storetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/grantor-go/grantor/store"
)

const whyStay = "a token that is collected too early is unknown when it is used: its user is logged out, a theft of " +
	"it goes unseen, and nothing is logged"

// purged calls Purge until it says that there is no more, and returns how many
// it removed. most is how many there can be.
func purged(ctx context.Context, s store.GrantStore, now time.Time, limit, most int) (int, error) {
	total := 0
	for range most + 2 {
		n, err := s.Purge(ctx, now, limit)
		if err != nil {
			return total, fmt.Errorf("a Purge returned the error %q", err)
		}
		if n < 0 || n > limit {
			return total, fmt.Errorf("a Purge of at most %d reported %d", limit, n)
		}
		if total += n; n < limit {
			return total, nil
		}
	}
	return total, fmt.Errorf("a Purge still reports as many as its limit of %d after %d removals, and there were no more than %d", limit, total, most)
}

// due returns a family that must be found for an hour, with n records that are
// kept as long as their family.
func due(n int) (store.Family, []store.Record) {
	f := newFamily()
	f.KeepUntil = hour(1)
	records := newRecords(f, n)
	for i := range records {
		records[i].KeepUntil = time.Time{}
	}
	return f, records
}

var grantPurgeChecks = []grantCheck{
	{
		name: "what is not past its KeepUntil stays",
		why:  whyStay,
		run: func(ctx context.Context, open openGrants) error {
			p, f := open(), newFamily() // until 3
			old, dead := newFamily(), newFamily()
			records := newRecords(f, 4)
			records[0].KeepUntil = hour(1) // may go
			records[1].KeepUntil = time.Time{}
			records[2].KeepUntil, records[2].ExpiresAt = hour(3), hour(-1)
			records[3].KeepUntil = hour(2).Add(time.Microsecond)
			old.KeepUntil = hour(1) // may go
			dead.Subject = "bob"
			d := newRecord(dead)
			d.KeepUntil = hour(3)
			err := errors.Join(begin(ctx, p.a, f, records...), begin(ctx, p.a, old, newRecord(old)), begin(ctx, p.a, dead, d),
				revokes(ctx, p.a, store.Match{Subject: "bob"}, hour(0), 1))
			if err != nil {
				return err
			}
			change := of(f)
			change.Spend = spent(records[2], "first")
			if err := verdict(p.a.Exchange(ctx, change), nil, "Exchange that spends"); err != nil {
				return err
			}
			for _, limit := range []int{1, 2, 100} {
				if _, err := purged(ctx, p.b, hour(2), limit, 4); err != nil {
					return err
				}
				err := errors.Join(
					where("one without KeepUntil", keeps(ctx, p.a, f, records[1])),
					where("a spent and expired one", keeps(ctx, p.a, f, kept(change.Spend))),
					where("one that is to be kept for a microsecond more", keeps(ctx, p.a, f, records[3])),
					where("one of a revoked family", keeps(ctx, p.a, revoked(dead, hour(0)), d)),
					lives(ctx, p.a, f.ID, true))
				if err != nil {
					return fmt.Errorf("after Purge with a limit of %d: %w", limit, err)
				}
			}
			return nil
		},
	},
	{
		name: "what was extended stays",
		why:  whyStay + ": it is the token that is used every day",
		run: func(ctx context.Context, open openGrants) error {
			p, f := open(), newFamily()
			f.KeepUntil = hour(1)
			records := newRecords(f, 4)
			for i := range records {
				records[i].KeepUntil = hour(1)
			}
			records[1].KeepUntil = time.Time{}
			if err := begin(ctx, p.a, f, records...); err != nil {
				return err
			}
			f.KeepUntil = hour(4)
			raise := &store.Change{Family: f, Extend: &store.Extension{Key: records[0].Key, KeepUntil: hour(3)}}
			if err := verdict(p.a.Exchange(ctx, raise), nil, "Exchange that extends"); err != nil {
				return err
			}
			records[0].KeepUntil = hour(3)
			longer, always := spent(records[2], "first"), spent(records[3], "second")
			longer.KeepUntil, always.KeepUntil = hour(3), time.Time{}
			err := errors.Join(verdict(p.b.Update(ctx, longer), nil, "Update"), verdict(p.b.Update(ctx, always), nil, "Update"))
			if err != nil {
				return err
			}
			if _, err := purged(ctx, p.b, hour(2), 100, 5); err != nil {
				return err
			}
			return errors.Join(
				where("one that Exchange extended", keeps(ctx, p.a, f, records[0])),
				where("one without KeepUntil, whose family was extended", keeps(ctx, p.a, f, records[1])),
				where("one that Update gave a later KeepUntil", keeps(ctx, p.a, f, kept(longer))),
				where("one that Update gave none", keeps(ctx, p.a, f, kept(always))))
		},
	},
	{
		name: "purging while extending loses nothing",
		why:  whyStay + ": it was used at the very moment",
		run: func(ctx context.Context, open openGrants) error {
			p := open()
			for range 2 * raceRounds {
				f, records := due(3)
				records[0].KeepUntil = hour(1)
				if err := begin(ctx, p.a, f, records...); err != nil {
					return err
				}
				longer := f
				longer.KeepUntil = hour(4)
				issued := newRecords(f, 1)
				issued[0].KeepUntil = hour(3)
				change := &store.Change{Family: longer, Issue: issued,
					Extend: &store.Extension{Key: records[0].Key, KeepUntil: hour(3)}}
				var extended error
				if err := atOnce(2, func(i int) error {
					if i == 0 {
						extended = p.a.Exchange(ctx, change)
						return nil
					}
					_, err := purged(ctx, p.b, hour(2), 100, 6)
					return err
				}); err != nil {
					return err
				}
				if errors.Is(extended, store.ErrNotFound) {
					continue // collected before it was extended
				}
				records[0].KeepUntil = hour(3)
				if err := errors.Join(verdict(extended, nil, "Exchange beside Purge"), keeps(ctx, p.b, longer, append(records, issued...)...)); err != nil {
					return err
				}
			}
			return nil
		},
	},
}
