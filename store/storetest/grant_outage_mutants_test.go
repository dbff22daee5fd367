package storetest

import (
	"context"
	"errors"
	"time"

	"github.com/grantor-go/grantor/store"
)

// overAs is a store that returns a verdict where the context was over.
func overAs(method string, verdict error) func(...store.Record) handles {
	return breaking(func(b *broken) {
		swap := func(m string, err error) error {
			if m == method && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
				return verdict
			}
			return err
		}
		b.find = func(ctx context.Context, key store.Key) (*store.Record, *store.Family, error) {
			r, f, err := b.Grants.Find(ctx, key)
			return r, f, swap("Find", err)
		}
		b.exchange = func(ctx context.Context, c *store.Change) error {
			return swap("Exchange", b.Grants.Exchange(ctx, c))
		}
		b.revoke = func(ctx context.Context, m store.Match, at time.Time) (int, error) {
			n, err := b.Grants.Revoke(ctx, m, at)
			return n, swap("Revoke", err)
		}
		b.live = func(ctx context.Context, id string) (bool, error) {
			live, err := b.Grants.FamilyLive(ctx, id)
			return live, swap("FamilyLive", err)
		}
		b.list = func(ctx context.Context, subject string) ([]store.Family, error) {
			families, err := b.Grants.Families(ctx, subject)
			return families, swap("Families", err)
		}
		b.purge = func(ctx context.Context, now time.Time, limit int) (int, error) {
			n, err := b.Grants.Purge(ctx, now, limit)
			return n, swap("Purge", err)
		}
	})
}

// cutting is a store whose changes are cut where the context ends.
func cutting(first func(c store.Change) store.Change) func(...store.Record) handles {
	return breaking(func(b *broken) {
		b.exchange = func(ctx context.Context, c *store.Change) error {
			if c.Spend == nil {
				return b.Grants.Exchange(ctx, c)
			}
			if ctx.Err() != nil {
				half := first(*c)
				_ = b.Grants.Exchange(context.WithoutCancel(ctx), &half)
				return ctx.Err()
			}
			return b.Grants.Exchange(ctx, c)
		}
	})
}

// lagging is a store whose second handle shows what it saw first.
func lagging(...store.Record) handles {
	p := breaking(func(*broken) {})()
	seen := make(map[store.Key]sight)
	replica := &broken{Grants: p.a.(*broken).Grants}
	replica.find = func(ctx context.Context, key store.Key) (*store.Record, *store.Family, error) {
		if s, ok := seen[key]; ok {
			return &s.Record, &s.Family, nil
		}
		r, f, err := replica.Grants.Find(ctx, key)
		if err == nil {
			seen[key] = sight{true, *r, *f}
		}
		return r, f, err
	}
	return handles{p.a, replica}
}

func only(part string) func(store.Change) store.Change {
	return func(c store.Change) store.Change {
		half := store.Change{Family: store.Family{ID: c.Family.ID}}
		switch part {
		case "spend":
			half.Spend = c.Spend
		case "extend":
			half.Extend = c.Extend
		case "issue":
			half.Issue = c.Issue[:1]
		case "raise":
			half.Family.KeepUntil = c.Family.KeepUntil
		case "bind":
			half.Family.Subject, half.Family.Session = c.Family.Subject, c.Family.Session
		}
		return half
	}
}

var grantOutageMutants = []grantMutant{
	{"a context that is over is never a verdict", "takes it for a record that is not there", overAs("Find", store.ErrNotFound)},
	{"a context that is over is never a verdict", "takes it for a record that cannot be read", overAs("Find", store.ErrCorrupt)},
	{"a context that is over is never a verdict", "returns nothing and no error", overAs("Find", nil)},
	{"a context that is over is never a verdict", "takes it for somebody else's change", overAs("Exchange", store.ErrConflict)},
	{"a context that is over is never a verdict", "takes it for a family that was revoked", overAs("Exchange", store.ErrRevoked)},
	{"a context that is over is never a verdict", "takes it for nothing to revoke", overAs("Revoke", store.ErrNotFound)},
	{"a context that is over is never a verdict", "takes it for a family that does not live", overAs("FamilyLive", nil)},
	{"a context that is over is never a verdict", "takes it for a subject without families", overAs("Families", nil)},
	{"a context that is over is never a verdict", "takes it for a subject that is not there", overAs("Families", store.ErrNotFound)},
	{"a context that is over is never a verdict", "takes it for nothing to purge", overAs("Purge", store.ErrNotFound)},
	{"a context that is over leaves a change whole or not made", "has spent", cutting(only("spend"))},
	{"a context that is over leaves a change whole or not made", "has issued the first", cutting(only("issue"))},
	{"a context that is over leaves a change whole or not made", "has named the user", cutting(only("bind"))},
	{"a context that is over leaves a change whole or not made", "answers what it has not done", overAs("Exchange", nil)},
	{"a context that is over leaves a change whole or not made", "answers that it has revoked", overAs("Revoke", nil)},
	{"a context that ends on the way leaves a change whole or not made", "has extended", cutting(only("extend"))},
	{"a context that ends on the way leaves a change whole or not made", "has raised the family", cutting(only("raise"))},
	{"a context that ends on the way leaves a change whole or not made", "takes it for somebody else's change", overAs("Exchange", store.ErrConflict)},
	{"what was answered by one handle is seen by the other at once", "reads from a replica that lags", lagging},
	{"what was answered by one handle is seen by the other at once", "is two stores", func(...store.Record) handles {
		return handles{breaking(func(*broken) {})().a, breaking(func(*broken) {})().b}
	}},
	{"what was answered by one handle is seen by the other at once", "keeps revocations in one handle", func(...store.Record) handles {
		p := breaking(func(*broken) {})()
		other := &broken{Grants: p.a.(*broken).Grants}
		other.live = func(ctx context.Context, id string) (bool, error) { return true, ctx.Err() }
		return handles{p.a, other}
	}},
	{"what the caller alters later is not seen", "keeps the slice of the change", func(...store.Record) handles {
		given := make(map[store.Key]*store.Record)
		return breaking(func(b *broken) {
			b.exchange = func(ctx context.Context, c *store.Change) error {
				for i := range c.Issue {
					given[c.Issue[i].Key] = &c.Issue[i]
				}
				return b.Grants.Exchange(ctx, c)
			}
			b.find = func(ctx context.Context, key store.Key) (*store.Record, *store.Family, error) {
				r, f, err := b.Grants.Find(ctx, key)
				if g := given[key]; g != nil && err == nil && r.Version == 0 {
					*r = *g
				}
				return r, f, err
			}
		})()
	}},
	{"what the caller alters later is not seen", "keeps the record that is written", func(...store.Record) handles {
		given := make(map[store.Key]*store.Record)
		return breaking(func(b *broken) {
			b.exchange = func(ctx context.Context, c *store.Change) error {
				if c.Spend != nil {
					given[c.Spend.Key] = c.Spend
				}
				return b.Grants.Exchange(ctx, c)
			}
			b.find = func(ctx context.Context, key store.Key) (*store.Record, *store.Family, error) {
				r, f, err := b.Grants.Find(ctx, key)
				if g := given[key]; g != nil && err == nil {
					*r = kept(g)
				}
				return r, f, err
			}
		})()
	}},
	{"what the caller alters later is not seen", "returns the same list again", func(...store.Record) handles {
		returned := make(map[string][]store.Family)
		return breaking(func(b *broken) {
			b.list = func(ctx context.Context, subject string) ([]store.Family, error) {
				families, err := b.Grants.Families(ctx, subject)
				if returned[subject] == nil {
					returned[subject] = families
				}
				return returned[subject], err
			}
		})()
	}},
	{"what the caller alters later is not seen", "returns the same record again", func(...store.Record) handles {
		returned := make(map[store.Key]*sight)
		return breaking(func(b *broken) {
			b.find = func(ctx context.Context, key store.Key) (*store.Record, *store.Family, error) {
				r, f, err := b.Grants.Find(ctx, key)
				if err != nil {
					return nil, nil, err
				}
				if s := returned[key]; s == nil || s.Record.Version != r.Version {
					returned[key] = &sight{true, *r, *f}
				}
				return &returned[key].Record, &returned[key].Family, nil
			}
		})()
	}},
	{"the store alters nothing that it was given or has returned", "counts the version of the record that it was given", breaking(func(b *broken) {
		b.exchange = func(ctx context.Context, c *store.Change) error {
			err := b.Grants.Exchange(ctx, c)
			if err == nil && c.Spend != nil {
				c.Spend.Version++
			}
			return err
		}
	})},
	{"the store alters nothing that it was given or has returned", "cuts times of what it was given", breaking(func(b *broken) {
		b.exchange = func(ctx context.Context, c *store.Change) error {
			for i := range c.Issue {
				c.Issue[i].ExpiresAt = c.Issue[i].ExpiresAt.Truncate(time.Hour)
			}
			return b.Grants.Exchange(ctx, c)
		}
	})},
	{"the store alters nothing that it was given or has returned", "alters what Find returned", func(...store.Record) handles {
		returned := make(map[string]*store.Family)
		return breaking(func(b *broken) {
			b.find = func(ctx context.Context, key store.Key) (*store.Record, *store.Family, error) {
				r, f, err := b.Grants.Find(ctx, key)
				returned[key.Family] = f
				return r, f, err
			}
			b.revoke = func(ctx context.Context, m store.Match, at time.Time) (int, error) {
				returned[m.Family].RevokedAt = at
				return b.Grants.Revoke(ctx, m, at)
			}
		})()
	}},
	{"what was extended is found after its first end, by the clock", "does not move the engine's end of a record", expiring(func(r store.Record) time.Time { return r.KeepUntil })},
	{"what was extended is found after its first end, by the clock", "does not move the engine's end with the family", expiring(func(r store.Record) time.Time {
		if r.KeepUntil.IsZero() {
			return time.Now()
		}
		return time.Time{}
	})},
}

// expiring is a store whose engine removes a record at the end that was set when
// it was issued.
func expiring(end func(issued store.Record) time.Time) func(...store.Record) handles {
	return breaking(func(b *broken) {
		b.find = func(ctx context.Context, key store.Key) (*store.Record, *store.Family, error) {
			for _, r := range b.records() {
				if at := end(r); r.Key == key && !at.IsZero() && !at.After(time.Now()) {
					return nil, nil, store.ErrNotFound
				}
			}
			return b.Grants.Find(ctx, key)
		}
	})
}
