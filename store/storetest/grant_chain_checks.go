package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/grantor-go/grantor/store"
)

var grantChainChecks = []grantCheck{
	{
		name: "rotations that race leave one chain",
		why:  "a chain that forks is one sign-in with two living tokens, and the theft of one of them is not noticed",
		run: func(ctx context.Context, open openGrants) error {
			p, f, records, err := begun(ctx, open, 1)
			if err != nil {
				return err
			}
			var rotated atomic.Int64
			err = atOnce(racers, func(i int) error {
				s, key := []store.GrantStore{p.a, p.b}[i%2], records[0].Key
				for turns := 0; turns < 4; {
					r, _, err := s.Find(ctx, key)
					if err != nil || r == nil {
						return fmt.Errorf("a Find of a link of the chain returned no record (error: %v)", err)
					}
					if r.SpentBy != "" {
						key.Hash = string(r.Sealed)
						continue
					}
					next, change := newRecord(f), of(f)
					change.Spend, change.Issue = spent(*r, fmt.Sprint("racer ", i)), []store.Record{next}
					change.Spend.Sealed = []byte(next.Key.Hash)
					switch err := s.Exchange(ctx, change); {
					case err == nil:
						rotated.Add(1)
						turns++
					case !errors.Is(err, store.ErrConflict):
						return fmt.Errorf("an Exchange that rotates returned the error %q", err)
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
			links, key := int64(0), records[0].Key
			for {
				r, _, err := p.a.Find(ctx, key)
				if err != nil || r == nil {
					return fmt.Errorf("link %d of the chain is not found (error: %v)", links, err)
				}
				if r.SpentBy == "" {
					break
				}
				links++
				key.Hash = string(r.Sealed)
			}
			if links != rotated.Load() {
				return fmt.Errorf("%d rotations succeeded, and the chain has %d links", rotated.Load(), links)
			}
			return nil
		},
	},
	{
		name: "an approval is not lost among polls that race with it",
		why:  "the user said yes, or no, and the device waits for ever or is let in after all",
		run: rounds(func(ctx context.Context, p handles, f store.Family, records []store.Record) error {
			var written atomic.Int64
			err := atOnce(racers/2, func(i int) error {
				s := []store.GrantStore{p.a, p.b}[i%2]
				for {
					r, _, err := s.Find(ctx, records[0].Key)
					if err != nil || r == nil {
						return fmt.Errorf("a Find returned no record (error: %v)", err)
					}
					if i == 0 {
						r.State = "approved"
					} else {
						r.Data = append(append([]byte{}, r.Data...), '.')
					}
					switch err := s.Update(ctx, r); {
					case err == nil:
						written.Add(1)
						return nil
					case !errors.Is(err, store.ErrConflict):
						return fmt.Errorf("an Update returned the error %q", err)
					}
				}
			})
			if err != nil {
				return err
			}
			want := records[0]
			want.State, want.Version = "approved", written.Load()
			for range racers/2 - 1 {
				want.Data = append(want.Data[:len(want.Data):len(want.Data)], '.')
			}
			return keeps(ctx, p.a, f, want)
		}),
	},
	{
		name: "no reader sees a part of an exchange",
		why: "a reader that sees a spent token without its successor takes a lost answer for a theft, and one that " +
			"sees the successor alone redeems both",
		run: rounds(func(ctx context.Context, p handles, _ store.Family, _ []store.Record) error {
			f := newUndecided()
			records := newRecords(f, 2)
			if err := begin(ctx, p.a, f, records...); err != nil {
				return err
			}
			change := binding(bound(f, "alice", "of the browser"))
			change.Family.KeepUntil = hour(5)
			change.Spend, change.Issue = spent(records[0], "first"), newRecords(f, 2)
			change.Extend = &store.Extension{Key: records[1].Key, ExpiresAt: hour(4), KeepUntil: hour(4)}
			for _, r := range []*store.Record{change.Spend, &change.Issue[0], &change.Issue[1]} {
				r.ExpiresAt = hour(4) // by which wholly tells what the exchange wrote
			}
			keys := append(keysOf(change.Issue...), keysOf(records...)...)
			over := make(chan struct{})
			return atOnce(3, func(i int) error {
				if i == 0 {
					defer close(over)
					return verdict(p.a.Exchange(ctx, change), nil, "Exchange")
				}
				keys := slices.Clone(keys)
				if i == 2 {
					slices.Reverse(keys)
				}
				for last := false; !last; {
					select {
					case <-over:
						last = true
					default:
					}
					if err := wholly(ctx, p.b, keys); err != nil {
						return err
					}
				}
				return nil
			})
		}),
	},
}

// wholly looks at keys one after the other: once one shows the exchange, it and
// all that are looked at later must show all of it.
func wholly(ctx context.Context, s store.GrantStore, keys []store.Key) error {
	seen := false
	for i, key := range keys {
		sights, err := look(ctx, s, key)
		if err != nil {
			return err
		}
		record, family := sights[0].Record.ExpiresAt.Equal(hour(4)), sights[0].Family.KeepUntil.Equal(hour(5))
		user := sights[0].Family.Subject != "" && sights[0].Family.Session != ""
		seen = seen || record || family || user
		if seen && !(record && family && user) {
			return fmt.Errorf("a part of an exchange was seen: of %d records looked at one after the other, number %d showed "+
				"the change of the record: %t, of its family's end: %t, of the user: %t", len(keys), i+1, record, family, user)
		}
	}
	return nil
}
