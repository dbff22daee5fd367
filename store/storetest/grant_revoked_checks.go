package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/grantor-go/grantor/store"
)

var grantRevokedChecks = []grantCheck{
	{
		name: "a family that was revoked stays revoked",
		why:  whyRevokeAll + ", because something brought it back",
		run: func(ctx context.Context, open openGrants) error {
			p, f, records, err := begun(ctx, open, 3)
			if err != nil {
				return err
			}
			if err := revokes(ctx, p.a, store.Match{Session: f.Session}, hour(0), 1); err != nil {
				return err
			}
			again, raise, extend, spend, issue := &store.Change{Family: f, Begin: true}, of(f), of(f), of(f), of(f)
			raise.Family.KeepUntil = hour(9)
			extend.Extend = &store.Extension{Key: records[0].Key, ExpiresAt: hour(5), KeepUntil: hour(5)}
			spend.Spend = spent(records[1], "too late")
			issue.Issue = newRecords(f, 2)
			for what, change := range map[string]*store.Change{
				"begins it again": again, "raises its end": raise, "extends": extend, "spends": spend, "issues": issue,
			} {
				if err := verdict(p.b.Exchange(ctx, change), store.ErrRevoked, "Exchange that "+what); err != nil {
					return err
				}
			}
			if err := verdict(p.b.Update(ctx, spent(records[2], "too late")), store.ErrRevoked, "Update"); err != nil {
				return err
			}
			if _, err := p.b.Purge(ctx, hour(1), 100); err != nil {
				return fmt.Errorf("a Purge returned the error %q", err)
			}
			return errors.Join(keeps(ctx, p.a, revoked(f, hour(0)), records...), lives(ctx, p.a, f.ID, false),
				without(ctx, p.a, keysOf(issue.Issue...)...))
		},
	},
	{
		name: "after Revoke has answered nothing is added to the family",
		why:  "the thief's request was under way when the user logged out: its token works on, for as long as it is refreshed",
		run: func(ctx context.Context, open openGrants) error {
			p := open()
			for range 2 * raceRounds {
				if err := revokeBesideExchanges(ctx, p); err != nil {
					return err
				}
			}
			return nil
		},
	},
	{
		name: "of those who revoke one family at the same moment one counts it",
		why:  "a count that is wrong tells the operator that sessions lived that did not",
		run: func(ctx context.Context, open openGrants) error {
			p, n := open(), 10
			for range n {
				if err := begin(ctx, p.a, newFamily()); err != nil {
					return err
				}
			}
			var counted atomic.Int64
			err := atOnce(racers, func(i int) error {
				m := []store.Match{{Subject: "alice"}, {ClientID: "reports"}}[i/2%2]
				revoked, err := []store.GrantStore{p.a, p.b}[i%2].Revoke(ctx, m, hour(i))
				counted.Add(int64(revoked))
				return err
			})
			if err != nil {
				return fmt.Errorf("a Revoke returned the error %q", err)
			}
			if counted.Load() != int64(n) {
				return fmt.Errorf("%d at the same moment counted %d families that lived, and there were %d", racers, counted.Load(), n)
			}
			return nil
		},
	},
}

// revokeBesideExchanges revokes a family to which several goroutines add, and
// compares what is found when Revoke has answered with what is found when all
// have ended.
func revokeBesideExchanges(ctx context.Context, p handles) error {
	const writers, most = 4, 25
	f := newFamily()
	issued, answered := newRecords(f, writers*most), make([]bool, writers*most)
	keys := keysOf(issued...)
	if err := begin(ctx, p.a, f); err != nil {
		return err
	}
	var seen []sight
	var done atomic.Bool // Revoke has answered
	var underWay sync.WaitGroup
	underWay.Add(writers)
	err := atOnce(writers+1, func(w int) error {
		s := []store.GrantStore{p.a, p.b}[w%2]
		if w == writers {
			underWay.Wait()
			err := revokes(ctx, s, store.Match{Subject: f.Subject, Session: f.Session}, hour(0), 1)
			done.Store(true)
			if err != nil {
				return err
			}
			seen, err = look(ctx, p.b, keys...)
			return errors.Join(err, lives(ctx, p.b, f.ID, false))
		}
		for i := w * most; i < (w+1)*most; i++ {
			late, change := done.Load(), of(f)
			change.Family.KeepUntil, change.Issue = hour(4+i), issued[i:i+1]
			err := s.Exchange(ctx, change)
			if i == w*most {
				underWay.Done()
			}
			switch {
			case errors.Is(err, store.ErrRevoked):
				return nil
			case err != nil:
				return fmt.Errorf("an Exchange beside Revoke returned the error %q", err)
			case late:
				return errors.New("an Exchange that began after Revoke had answered succeeded")
			}
			answered[i] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := unaltered(ctx, p.a, seen, keys); err != nil {
		return where("what Find showed when Revoke had answered is not what it shows when all Exchanges have ended", err)
	}
	for i := range keys {
		if seen[i].Found != answered[i] {
			return fmt.Errorf("an Exchange whose success was answered: %t; what it issued is found: %t", answered[i], seen[i].Found)
		}
	}
	late := of(f)
	late.Issue = newRecords(f, 1)
	if err := p.b.Exchange(ctx, late); !errors.Is(err, store.ErrRevoked) {
		return fmt.Errorf("an Exchange that began after Revoke had answered returned %v", err)
	}
	return lives(ctx, p.b, f.ID, false)
}
