package storetest

import (
	"context"
	"errors"
	"time"

	"github.com/grantor-go/grantor/store"
)

const whyExtend = "a refresh token that is used every day ends in the middle of the user's work, or one that was " +
	"used long ago lives on"

func extends(ctx context.Context, s store.GrantStore, key store.Key, expires, keep time.Time) error {
	err := s.Exchange(ctx, &store.Change{
		Family: store.Family{ID: key.Family},
		Extend: &store.Extension{Key: key, ExpiresAt: expires, KeepUntil: keep},
	})
	return verdict(err, nil, "Exchange that extends")
}

var grantExtendChecks = []grantCheck{
	{
		name: "an extension raises each end and never lowers one",
		why:  whyExtend,
		run: func(ctx context.Context, open openGrants) error {
			p, f, records, err := begun(ctx, open, 2)
			if err != nil {
				return err
			}
			r := records[0] // expires at 1, kept until 2
			for _, step := range []struct{ expires, keep, wantExpires, wantKeep int }{
				{0, 1, 1, 2}, {2, 1, 2, 2}, {1, 3, 2, 3}, {3, 4, 3, 4}, {3, 4, 3, 4}, {1, 1, 3, 4},
			} {
				if err := extends(ctx, p.a, r.Key, hour(step.expires), hour(step.keep)); err != nil {
					return err
				}
				r.ExpiresAt, r.KeepUntil = hour(step.wantExpires), hour(step.wantKeep)
				if err := keeps(ctx, p.b, f, r, records[1]); err != nil {
					return err
				}
			}
			if err := extends(ctx, p.a, r.Key, time.Time{}, time.Time{}); err != nil {
				return err
			}
			return where("after an extension to no instant", keeps(ctx, p.b, f, r, records[1]))
		},
	},
	{
		name: "an extension leaves a record without KeepUntil without one",
		why:  "it is to be found as long as its family: with an end of its own it is forgotten, and its reuse goes unseen",
		run: func(ctx context.Context, open openGrants) error {
			p, f := open(), newFamily()
			r := newRecord(f)
			r.KeepUntil = time.Time{}
			if err := begin(ctx, p.a, f, r); err != nil {
				return err
			}
			if err := extends(ctx, p.a, r.Key, hour(2), hour(4)); err != nil {
				return err
			}
			r.ExpiresAt = hour(2)
			return keeps(ctx, p.b, f, r)
		},
	},
	{
		name: "an extension conflicts with no write, before it or after it",
		why:  "two tabs that use one token at once: one of them is refused, and its user logged out",
		run: func(ctx context.Context, open openGrants) error {
			p, f, records, err := begun(ctx, open, 1)
			if err != nil {
				return err
			}
			write := spent(records[0], "first") // as it was read before the extension
			if err := extends(ctx, p.a, write.Key, hour(2), hour(3)); err != nil {
				return err
			}
			if err := verdict(p.b.Update(ctx, write), nil, "Update of the version read before the extension"); err != nil {
				return err
			}
			r := kept(write)
			if err := keeps(ctx, p.a, f, r); err != nil {
				return where("after Update", err)
			}
			if err := extends(ctx, p.b, r.Key, hour(2), hour(3)); err != nil {
				return where("after Update", err)
			}
			r.ExpiresAt, r.KeepUntil = hour(2), hour(3)
			return where("after Update and an extension", keeps(ctx, p.a, f, r))
		},
	},
	{
		name: "extensions at the same moment all succeed and the latest end stays",
		why:  whyExtend,
		run: func(ctx context.Context, open openGrants) error {
			p, f, records, err := begun(ctx, open, 1)
			if err != nil {
				return err
			}
			const n = 24
			ends := []time.Time{}
			for i := range n {
				ends = append(ends, hour(3).Add(time.Duration((i*7)%n)*time.Second))
			}
			if err := atOnce(n, func(i int) error {
				s := []store.GrantStore{p.a, p.b}[i%2]
				err := s.Exchange(ctx, &store.Change{
					Family: store.Family{ID: f.ID, KeepUntil: ends[i]},
					Extend: &store.Extension{Key: records[0].Key, ExpiresAt: ends[i], KeepUntil: ends[i]},
				})
				return verdict(err, nil, "Exchange that extends")
			}); err != nil {
				return err
			}
			last := hour(3).Add((n - 1) * time.Second)
			f.KeepUntil, records[0].ExpiresAt, records[0].KeepUntil = last, last, last
			return keeps(ctx, p.a, f, records[0])
		},
	},
	{
		name: "a spend and an extension at the same moment both stay",
		why:  "an extension that writes the record back as it read it makes a spent token new: it is redeemed twice",
		run: func(ctx context.Context, open openGrants) error {
			p, f := open(), newFamily()
			records := newRecords(f, 20)
			if err := begin(ctx, p.a, f, records...); err != nil {
				return err
			}
			for _, r := range records {
				write := spent(r, "first")
				write.ExpiresAt, write.KeepUntil = hour(2), hour(2)
				if err := errors.Join(atOnce(2, func(i int) error {
					if i == 0 {
						return verdict(p.a.Update(ctx, write), nil, "Update beside extensions")
					}
					return errors.Join(extends(ctx, p.b, r.Key, hour(2), hour(2)), extends(ctx, p.b, r.Key, hour(2), hour(2)))
				})); err != nil {
					return err
				}
				if err := keeps(ctx, p.a, f, kept(write)); err != nil {
					return err
				}
			}
			return nil
		},
	},
}
