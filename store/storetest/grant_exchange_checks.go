package storetest

import (
	"context"
	"errors"
	"fmt"

	"github.com/grantor-go/grantor/store"
)

const whyLatest = "requests run side by side: a change made to what was read before somebody else's loses that " +
	"one, and an approval, a denial or a spent token is as if it had never been"

// writes are the two ways to write a record that was read.
var writes = map[string]func(context.Context, store.GrantStore, *store.Record) error{
	"Update": func(ctx context.Context, s store.GrantStore, r *store.Record) error { return s.Update(ctx, r) },
	"Exchange that spends": func(ctx context.Context, s store.GrantStore, r *store.Record) error {
		return s.Exchange(ctx, &store.Change{Family: store.Family{ID: r.Key.Family}, Spend: r})
	},
}

// eitherWrite runs a check once for each way to write a record.
func eitherWrite(run func(ctx context.Context, open openGrants, write func(store.GrantStore, *store.Record) error) error) func(context.Context, openGrants) error {
	return func(ctx context.Context, open openGrants) error {
		for name, write := range writes {
			err := run(ctx, open, func(s store.GrantStore, r *store.Record) error { return write(ctx, s, r) })
			if err != nil {
				return where(name, err)
			}
		}
		return nil
	}
}

var grantExchangeChecks = []grantCheck{
	{
		name: "a write replaces all of a record but its key, kind and CreatedAt",
		why:  "what stays of the old record, such as the grant of a spent token, is redeemed again or kept for thieves; a lost SpentBy makes a retry a theft",
		run: eitherWrite(func(ctx context.Context, open openGrants, write func(store.GrantStore, *store.Record) error) error {
			p, f, records, err := begun(ctx, open, 2)
			if err != nil {
				return err
			}
			_, full := wholeRecord()
			full.Key = records[0].Key
			if err := verdict(write(p.a, &full), nil, "the write of a whole record"); err != nil {
				return err
			}
			want := kept(&full)
			want.Kind, want.CreatedAt = records[0].Kind, records[0].CreatedAt
			if err := keeps(ctx, p.b, f, want, records[1]); err != nil {
				return err
			}
			bare := store.Record{Key: want.Key, Kind: want.Kind, Version: want.Version}
			if err := verdict(write(p.b, &bare), nil, "the write of a bare record"); err != nil {
				return err
			}
			want = kept(&bare)
			want.CreatedAt = records[0].CreatedAt
			if err := keeps(ctx, p.a, f, want, records[1]); err != nil {
				return where("after a bare record was written", err)
			}
			polled := want
			polled.State, polled.SpentBy = store.StatePending, "a poll"
			if err := verdict(write(p.a, &polled), nil, "the write of a record that is not spent"); err != nil {
				return err
			}
			return where("after a record was written that is not spent", keeps(ctx, p.b, f, kept(&polled), records[1]))
		}),
	},
	{
		name: "a write of another version is ErrConflict and changes nothing",
		why:  whyLatest,
		run: eitherWrite(func(ctx context.Context, open openGrants, write func(store.GrantStore, *store.Record) error) error {
			p, f, records, err := begun(ctx, open, 1)
			if err != nil {
				return err
			}
			r := records[0]
			for range 3 {
				stale := r
				stale.State = "written to a version that is not kept"
				for _, off := range []int64{-1, 1, 1000} {
					stale.Version = r.Version + off
					what := fmt.Sprintf("the write of version %d, where %d is kept,", stale.Version, r.Version)
					if err := verdict(write(p.a, &stale), store.ErrConflict, what); err != nil {
						return err
					}
					if err := keeps(ctx, p.b, f, r); err != nil {
						return err
					}
				}
				r.State += "+"
				if err := verdict(write(p.b, &r), nil, "the write of the version that is kept"); err != nil {
					return err
				}
				r = kept(&r)
			}
			return keeps(ctx, p.a, f, r)
		}),
	},
	{
		name: "a write of what is not kept is ErrNotFound and keeps nothing",
		why:  "a record that was collected comes back to life, and with it a token that was at its end",
		run: eitherWrite(func(ctx context.Context, open openGrants, write func(store.GrantStore, *store.Record) error) error {
			p, f, _, err := begun(ctx, open, 1)
			if err != nil {
				return err
			}
			unknown := newRecord(f)
			if err := verdict(write(p.a, &unknown), store.ErrNotFound, "the write of an unknown record"); err != nil {
				return err
			}
			stray := newRecord(newFamily())
			if err := verdict(write(p.a, &stray), store.ErrNotFound, "the write in an unknown family"); err != nil {
				return err
			}
			return errors.Join(without(ctx, p.b, unknown.Key, stray.Key), lives(ctx, p.b, stray.Key.Family, false))
		}),
	},
	{
		name: "an exchange makes all of its change",
		why:  "what is missing of it was promised to a client: a token that no one can redeem, or an end that comes too early",
		run: func(ctx context.Context, open openGrants) error {
			p, f, records, err := begun(ctx, open, 3)
			if err != nil {
				return err
			}
			issued := newRecords(f, 3)
			issued[1].Kind = store.KindCode
			change := of(f)
			change.Family.KeepUntil = hour(5)
			change.Spend = spent(records[0], "first")
			change.Extend = &store.Extension{Key: records[1].Key, ExpiresAt: hour(3), KeepUntil: hour(4)}
			change.Issue = issued
			if err := verdict(p.a.Exchange(ctx, change), nil, "Exchange"); err != nil {
				return err
			}
			f.KeepUntil = hour(5)
			records[1].ExpiresAt, records[1].KeepUntil = hour(3), hour(4)
			return errors.Join(
				where("what was spent", keeps(ctx, p.b, f, kept(change.Spend))),
				where("what was extended", keeps(ctx, p.b, f, records[1])),
				where("what the change does not name", keeps(ctx, p.b, f, records[2])),
				where("what was issued", keeps(ctx, p.b, f, issued...)))
		},
	},
	{
		name: "an exchange of nothing changes nothing and says whether the family lives",
		why:  "where no refresh token is given this is all that keeps a token from being issued for a family that was revoked",
		run: func(ctx context.Context, open openGrants) error {
			p, f, records, err := begun(ctx, open, 1)
			if err != nil {
				return err
			}
			if err := verdict(p.b.Exchange(ctx, of(f)), nil, "Exchange of nothing in a living family"); err != nil {
				return err
			}
			if err := keeps(ctx, p.a, f, records...); err != nil {
				return err
			}
			stray := newFamily()
			if err := verdict(p.b.Exchange(ctx, of(stray)), store.ErrNotFound, "Exchange of nothing in an unknown family"); err != nil {
				return err
			}
			if err := lives(ctx, p.a, stray.ID, false); err != nil {
				return err
			}
			if err := revokes(ctx, p.a, store.Match{Family: f.ID}, hour(0), 1); err != nil {
				return err
			}
			return verdict(p.b.Exchange(ctx, of(f)), store.ErrRevoked, "Exchange of nothing in a revoked family")
		},
	},
	{
		name: "a family without records lives",
		why:  "access tokens that need no refresh token are revoked by it: unknown, they are refused from the start",
		run: func(ctx context.Context, open openGrants) error {
			p, f, _, err := begun(ctx, open, 0)
			if err != nil {
				return err
			}
			if err := lives(ctx, p.b, f.ID, true); err != nil {
				return err
			}
			late, change := newRecord(f), of(f)
			change.Issue = []store.Record{late}
			if err := verdict(p.b.Exchange(ctx, change), nil, "Exchange that issues its first record"); err != nil {
				return err
			}
			return keeps(ctx, p.a, f, late)
		},
	},
	{
		name: "a family that exists is not altered but for its end",
		why:  "what an exchange says beside the id does not count: written, it moves the family to another user, or brings one back that was revoked",
		run: func(ctx context.Context, open openGrants) error {
			p, f, records, err := begun(ctx, open, 1)
			if err != nil {
				return err
			}
			change := &store.Change{Family: store.Family{
				ID: f.ID, ClientID: "other", Subject: "mallory", Session: "another", CreatedAt: hour(1), RevokedAt: hour(1), KeepUntil: hour(4),
			}}
			if err := verdict(p.a.Exchange(ctx, change), nil, "Exchange"); err != nil {
				return err
			}
			f.KeepUntil = hour(4)
			if err := keeps(ctx, p.b, f, records...); err != nil {
				return err
			}
			if err := revokes(ctx, p.b, store.Match{Subject: "mallory"}, hour(0), 0); err != nil {
				return err
			}
			return revokes(ctx, p.b, store.Match{Subject: f.Subject}, hour(0), 1)
		},
	},
	{
		name: "the end of a family is raised and never lowered",
		why:  "a family that ends before its tokens is forgotten while they live, and with it that they were revoked",
		run: func(ctx context.Context, open openGrants) error {
			p, f, records, err := begun(ctx, open, 1)
			if err != nil {
				return err
			}
			for _, h := range []int{4, 2, 7, 6, 0} {
				change := of(f)
				change.Family.KeepUntil = hour(h)
				if err := verdict(p.a.Exchange(ctx, change), nil, "Exchange"); err != nil {
					return err
				}
				if hour(h).After(f.KeepUntil) {
					f.KeepUntil = hour(h)
				}
				if err := keeps(ctx, p.b, f, records...); err != nil {
					return err
				}
			}
			return nil
		},
	},
	{
		name: "the same hash in two families is two records",
		why:  "a family is kept apart, on another node even: one that stands in another's way refuses sign-ins, or shares a token",
		run: func(ctx context.Context, open openGrants) error {
			p, f, records, err := begun(ctx, open, 1)
			if err != nil {
				return err
			}
			other := newFamily()
			twin := newRecord(other)
			twin.Key.Hash, twin.Data = records[0].Key.Hash, []byte("of the other")
			if err := begin(ctx, p.b, other, twin); err != nil {
				return err
			}
			write := spent(twin, "first")
			if err := verdict(p.b.Update(ctx, write), nil, "Update"); err != nil {
				return err
			}
			return errors.Join(keeps(ctx, p.a, f, records...), keeps(ctx, p.a, other, kept(write)))
		},
	},
}
