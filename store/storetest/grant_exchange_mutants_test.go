package storetest

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/grantor-go/grantor/store"
)

// leaving is a store that makes a part of a change that fails.
func leaving(part func(c store.Change) []store.Change) func(...store.Record) handles {
	return breaking(func(b *broken) {
		b.exchange = func(ctx context.Context, c *store.Change) error {
			err := b.Grants.Exchange(ctx, c)
			if err != nil {
				for _, half := range part(*c) {
					_ = b.Grants.Exchange(ctx, &half)
				}
			}
			return err
		}
	})
}

// applying returns the verdicts that apply to a change, each by its name.
func applying(ctx context.Context, b *broken, c *store.Change) map[string]error {
	verdicts := make(map[string]error)
	missing := func(key store.Key) bool {
		_, _, err := b.Grants.Find(ctx, key)
		return err != nil
	}
	switch family := b.Grants.Exchange(ctx, of(c.Family)); {
	case errors.Is(family, store.ErrNotFound):
		if !c.Begin {
			verdicts["absent"] = store.ErrNotFound
		}
	case c.Begin:
		verdicts["begun"] = store.ErrConflict
		fallthrough
	default:
		if family != nil {
			verdicts["revoked"] = store.ErrRevoked
		}
	}
	if c.Spend != nil && missing(c.Spend.Key) || c.Extend != nil && missing(c.Extend.Key) {
		verdicts["missing"] = store.ErrNotFound
	}
	if c.Spend != nil {
		if r, _, err := b.Grants.Find(ctx, c.Spend.Key); err == nil && r.Version != c.Spend.Version {
			verdicts["stale"] = store.ErrConflict
		}
	}
	if slices.ContainsFunc(c.Issue, func(r store.Record) bool { return !missing(r.Key) }) {
		verdicts["taken"] = store.ErrConflict
	}
	return verdicts
}

// judging is a store that looks at verdicts in another order.
func judging(order ...string) func(...store.Record) handles {
	return breaking(func(b *broken) {
		b.exchange = func(ctx context.Context, c *store.Change) error {
			verdicts := applying(ctx, b, c)
			for _, name := range order {
				if err := verdicts[name]; err != nil {
					return err
				}
			}
			return b.Grants.Exchange(ctx, c)
		}
	})
}

// upToDate gives what is to be spent the version that is kept.
func upToDate(b *broken, c *store.Change) {
	if c.Spend != nil {
		if r, _, err := b.Grants.Find(context.Background(), c.Spend.Key); err == nil {
			c.Spend.Version = r.Version
		}
	}
}

// writing alters the record that is written, knowing the one that is kept.
func writing(alter func(kept store.Record, r *store.Record)) func(...store.Record) handles {
	return changing(func(b *broken, c *store.Change) {
		if c.Spend != nil {
			if r, _, err := b.Grants.Find(context.Background(), c.Spend.Key); err == nil {
				alter(*r, c.Spend)
			}
		}
	})
}

// upserting begins what is not there.
func upserting(b *broken, c *store.Change) {
	if errors.Is(b.Grants.Exchange(context.Background(), of(c.Family)), store.ErrNotFound) {
		c.Begin = true
	}
	if c.Spend != nil {
		if _, _, err := b.Grants.Find(context.Background(), c.Spend.Key); err != nil {
			c.Issue, c.Spend = append(c.Issue, *c.Spend), nil
		}
	}
}

var grantExchangeMutants = []grantMutant{
	{"a write replaces all of a record but its key, kind and CreatedAt", "keeps the grant", writing(func(kept store.Record, r *store.Record) {
		if r.Grant == nil {
			r.Grant = kept.Grant
		}
	})},
	{"a write replaces all of a record but its key, kind and CreatedAt", "does not write SpentBy", writing(func(kept store.Record, r *store.Record) { r.SpentBy = kept.SpentBy })},
	{"a write replaces all of a record but its key, kind and CreatedAt", "writes SpentBy with SpentAt only", writing(func(_ store.Record, r *store.Record) {
		if r.SpentAt.IsZero() {
			r.SpentBy = ""
		}
	})},
	{"a write replaces all of a record but its key, kind and CreatedAt", "does not write KeepUntil", writing(func(kept store.Record, r *store.Record) { r.KeepUntil = kept.KeepUntil })},
	{"a write replaces all of a record but its key, kind and CreatedAt", "does not lower ExpiresAt", writing(func(kept store.Record, r *store.Record) {
		if r.ExpiresAt.Before(kept.ExpiresAt) {
			r.ExpiresAt = kept.ExpiresAt
		}
	})},
	{"a write replaces all of a record but its key, kind and CreatedAt", "writes CreatedAt", breaking(func(b *broken) {
		created := make(map[store.Key]time.Time)
		b.exchange = func(ctx context.Context, c *store.Change) error {
			if c.Spend != nil {
				created[c.Spend.Key] = c.Spend.CreatedAt
			}
			return b.Grants.Exchange(ctx, c)
		}
		b.find = func(ctx context.Context, key store.Key) (*store.Record, *store.Family, error) {
			r, f, err := b.Grants.Find(ctx, key)
			if at, ok := created[key]; ok && err == nil {
				r.CreatedAt = at
			}
			return r, f, err
		}
	})},
	{"a write replaces all of a record but its key, kind and CreatedAt", "does not count the version", showing(func(r *store.Record, _ *store.Family) { r.Version = 0 })},
	{"a write of another version is ErrConflict and changes nothing", "does not look at the version", changing(upToDate)},
	{"a write of another version is ErrConflict and changes nothing", "takes a later version", writing(func(kept store.Record, r *store.Record) { r.Version = min(kept.Version, r.Version) })},
	{"a write of another version is ErrConflict and changes nothing", "writes and then returns ErrConflict", breaking(func(b *broken) {
		b.exchange = func(ctx context.Context, c *store.Change) error {
			err := b.Grants.Exchange(ctx, c)
			if errors.Is(err, store.ErrConflict) && c.Spend != nil {
				spend := *c.Spend
				again := store.Change{Family: c.Family, Spend: &spend}
				upToDate(b, &again)
				_ = b.Grants.Exchange(ctx, &again)
			}
			return err
		}
	})},
	{"a write of another version is ErrConflict and changes nothing", "returns ErrNotFound where no row was written", instead(store.ErrConflict, store.ErrNotFound)},
	{"a write of what is not kept is ErrNotFound and keeps nothing", "inserts what is not there", changing(upserting)},
	{"a write of what is not kept is ErrNotFound and keeps nothing", "returns ErrConflict where no row was written", instead(store.ErrNotFound, store.ErrConflict)},
	{"an exchange makes all of its change", "issues one record", changing(func(_ *broken, c *store.Change) { c.Issue = c.Issue[:min(1, len(c.Issue))] })},
	{"an exchange makes all of its change", "does not extend what it spends something beside", changing(func(_ *broken, c *store.Change) {
		if c.Spend != nil {
			c.Extend = nil
		}
	})},
	{"an exchange makes all of its change", "does not spend", changing(func(_ *broken, c *store.Change) {
		if len(c.Issue) > 0 {
			c.Spend = nil
		}
	})},
	{"an exchange makes all of its change", "does not raise the family", changing(func(_ *broken, c *store.Change) {
		if !c.Begin {
			c.Family.KeepUntil = time.Time{}
		}
	})},
	{"an exchange of nothing changes nothing and says whether the family lives", "does not look where there is nothing to do", breaking(func(b *broken) {
		b.exchange = func(ctx context.Context, c *store.Change) error {
			if c.Spend == nil && c.Extend == nil && len(c.Issue) == 0 && !c.Begin {
				return ctx.Err()
			}
			return b.Grants.Exchange(ctx, c)
		}
	})},
	{"an exchange of nothing changes nothing and says whether the family lives", "begins what it does not know", changing(upserting)},
	{"a family without records lives", "keeps families in their records", breaking(func(b *broken) {
		b.live = func(ctx context.Context, id string) (bool, error) {
			live, err := b.Grants.FamilyLive(ctx, id)
			return live && slices.ContainsFunc(b.records(), func(r store.Record) bool { return r.Key.Family == id }), err
		}
	})},
	{"a family without records lives", "begins a family with its first record", changing(func(_ *broken, c *store.Change) {
		c.Begin = c.Begin && len(c.Issue) > 0
	})},
	{"a family that exists is not altered but for its end", "writes the whole family", breaking(func(b *broken) {
		families := make(map[string]store.Family)
		b.exchange = func(ctx context.Context, c *store.Change) error {
			if c.Family.Subject != "" {
				families[c.Family.ID] = c.Family
			}
			return b.Grants.Exchange(ctx, c)
		}
		b.find = func(ctx context.Context, key store.Key) (*store.Record, *store.Family, error) {
			r, _, err := b.Grants.Find(ctx, key)
			f := families[key.Family]
			return r, &f, err
		}
	})},
	{"the end of a family is raised and never lowered", "writes the end that it is given", breaking(func(b *broken) {
		ends := make(map[string]time.Time)
		b.exchange = func(ctx context.Context, c *store.Change) error {
			ends[c.Family.ID] = c.Family.KeepUntil
			return b.Grants.Exchange(ctx, c)
		}
		b.find = func(ctx context.Context, key store.Key) (*store.Record, *store.Family, error) {
			r, f, err := b.Grants.Find(ctx, key)
			if err == nil {
				f.KeepUntil = ends[key.Family]
			}
			return r, f, err
		}
	})},
	{"the end of a family is raised and never lowered", "never raises it", changing(func(_ *broken, c *store.Change) {
		if !c.Begin {
			c.Family.KeepUntil = time.Time{}
		}
	})},
	{"the same hash in two families is two records", "has a unique index on the hash", breaking(func(b *broken) {
		b.exchange = func(ctx context.Context, c *store.Change) error {
			for _, r := range b.records() {
				if slices.ContainsFunc(c.Issue, func(i store.Record) bool { return i.Key.Hash == r.Key.Hash }) {
					return store.ErrConflict
				}
			}
			return b.Grants.Exchange(ctx, c)
		}
	})},
	{"the same hash in two families is two records", "keeps records by their hash", keyed(func(k store.Key) store.Key { return store.Key{Hash: k.Hash} })},

	{"an exchange that fails returns the first verdict that applies", "looks whether the family is new before whether it was revoked", judging("begun", "revoked")},
	{"an exchange that fails returns the first verdict that applies", "looks at records before the family", judging("missing")},
	{"an exchange that fails returns the first verdict that applies", "looks at the version before the family", judging("stale")},
	{"an exchange that fails returns the first verdict that applies", "looks at what is issued before the family", judging("taken")},
	{"an exchange that fails returns the first verdict that applies", "looks at records before Begin", judging("revoked", "missing", "begun")},
	{"an exchange that fails returns the first verdict that applies", "looks at the version before what is to be extended", judging("revoked", "begun", "absent", "stale")},
	{"an exchange that fails returns the first verdict that applies", "looks at what is issued before what is spent", judging("revoked", "begun", "absent", "taken")},
	{"an exchange that fails returns the first verdict that applies", "returns the driver's error for what exists", instead(store.ErrConflict, errors.New("UNIQUE constraint failed"))},
	{"an exchange that fails returns the first verdict that applies", "finds revoked families no more", instead(store.ErrRevoked, store.ErrNotFound)},
	{"an exchange that fails leaves nothing", "has spent", leaving(func(c store.Change) []store.Change {
		return []store.Change{{Family: store.Family{ID: c.Family.ID}, Spend: c.Spend}}
	})},
	{"an exchange that fails leaves nothing", "has extended", leaving(func(c store.Change) []store.Change {
		return []store.Change{{Family: store.Family{ID: c.Family.ID}, Extend: c.Extend}}
	})},
	{"an exchange that fails leaves nothing", "has raised the family", leaving(func(c store.Change) []store.Change { return []store.Change{{Family: c.Family}} })},
	{"an exchange that fails leaves nothing", "has issued the first ones", leaving(func(c store.Change) (parts []store.Change) {
		for i := range c.Issue {
			parts = append(parts, store.Change{Family: store.Family{ID: c.Family.ID}, Issue: c.Issue[i : i+1]})
		}
		return parts
	})},
	{"an exchange that fails leaves nothing", "has begun the family", leaving(func(c store.Change) []store.Change { return []store.Change{{Family: c.Family, Begin: c.Begin}} })},
	{"what failed to begin can be begun", "has begun the family", leaving(func(c store.Change) []store.Change { return []store.Change{{Family: c.Family, Begin: c.Begin}} })},
}
