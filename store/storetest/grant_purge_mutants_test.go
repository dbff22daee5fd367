package storetest

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/grantor-go/grantor/store"
)

// collecting is a store whose Purge removes more than it should: the records
// that gone says, of those that were issued.
func collecting(gone func(issued, kept store.Record, f store.Family, now time.Time) bool) func(...store.Record) handles {
	return breaking(func(b *broken) {
		b.purge = func(ctx context.Context, now time.Time, limit int) (int, error) {
			for _, r := range b.records() {
				if kept, f, err := b.Grants.Find(ctx, r.Key); err == nil && gone(r, *kept, *f, now) {
					b.vanish(r.Key)
				}
			}
			return b.Grants.Purge(ctx, now, limit)
		}
	})
}

// reporting is a store whose Purge reports another number.
func reporting(alter func(n, limit int) int) func(...store.Record) handles {
	return breaking(func(b *broken) {
		b.purge = func(ctx context.Context, now time.Time, limit int) (int, error) {
			n, err := b.Grants.Purge(ctx, now, limit)
			return alter(n, limit), err
		}
	})
}

// returning brings back what Purge has removed.
func returning(these func(r store.Record) bool) func(...store.Record) handles {
	return breaking(func(b *broken) {
		b.find = func(ctx context.Context, key store.Key) (*store.Record, *store.Family, error) {
			r, f, err := b.Grants.Find(ctx, key)
			i := slices.IndexFunc(b.records(), func(r store.Record) bool { return r.Key == key && these(r) })
			if errors.Is(err, store.ErrNotFound) && i >= 0 {
				r := b.records()[i]
				return &r, &store.Family{ID: key.Family}, nil
			}
			return r, f, err
		}
	})
}

func past(end, now time.Time) bool { return !end.IsZero() && !end.After(now) }

var grantPurgeMutants = []grantMutant{
	{"what is not past its KeepUntil stays", "collects by ExpiresAt", collecting(func(_, r store.Record, _ store.Family, now time.Time) bool { return past(r.ExpiresAt, now) })},
	{"what is not past its KeepUntil stays", "takes no KeepUntil for the earliest", collecting(func(_, r store.Record, _ store.Family, _ time.Time) bool { return r.KeepUntil.IsZero() })},
	{"what is not past its KeepUntil stays", "collects what was spent", collecting(func(_, r store.Record, _ store.Family, _ time.Time) bool { return r.SpentBy != "" })},
	{"what is not past its KeepUntil stays", "collects what was revoked", collecting(func(_, _ store.Record, f store.Family, _ time.Time) bool { return !f.RevokedAt.IsZero() })},
	{"what is not past its KeepUntil stays", "looks at seconds", collecting(func(_, r store.Record, _ store.Family, now time.Time) bool {
		return past(r.KeepUntil.Truncate(time.Second), now)
	})},
	{"what is not past its KeepUntil stays", "collects a family with its first record", collecting(func(issued, r store.Record, f store.Family, now time.Time) bool {
		return f.KeepUntil.Equal(hour(3)) && f.RevokedAt.IsZero() && r.KeepUntil.After(now)
	})},
	{"what was extended stays", "looks at the first KeepUntil", collecting(func(issued, _ store.Record, _ store.Family, now time.Time) bool { return past(issued.KeepUntil, now) })},
	{"what was extended stays", "looks at the first KeepUntil of what was spent", collecting(func(issued, r store.Record, _ store.Family, now time.Time) bool {
		return r.SpentBy != "" && past(issued.KeepUntil, now)
	})},
	{"what was extended stays", "looks at the first end of the family", collecting(func(issued, _ store.Record, _ store.Family, _ time.Time) bool { return issued.KeepUntil.IsZero() })},
	{"purging while extending loses nothing", "lists what is due and then deletes it", func(...store.Record) handles {
		listed, extended := newOrder(), newOrder()
		return breaking(func(b *broken) {
			b.exchange = func(ctx context.Context, c *store.Change) error {
				if c.Extend != nil {
					listed.await()
					defer extended.happened()
				}
				return b.Grants.Exchange(ctx, c)
			}
			b.purge = func(ctx context.Context, now time.Time, limit int) (int, error) {
				due := b.records()
				listed.happened()
				extended.await()
				b.vanish(keysOf(due...)...)
				return len(due), nil
			}
		})()
	}},
	{"a record past its KeepUntil goes where Purge collects", "keeps records as long as their family", returning(func(r store.Record) bool { return r.KeepUntil.Equal(hour(1)) })},
	{"a record past its KeepUntil goes where Purge collects", "never lets Update make an end sooner", writing(func(kept store.Record, r *store.Record) { r.KeepUntil = latest(kept.KeepUntil, r.KeepUntil) })},
	{"a record past its KeepUntil goes where Purge collects", "does not count records", reporting(func(n, _ int) int { return min(n, 1) })},
	{"a record past its KeepUntil goes where Purge collects", "never lets Update set an end", writing(func(kept store.Record, r *store.Record) {
		if kept.KeepUntil.IsZero() {
			r.KeepUntil = kept.KeepUntil
		}
	})},
	{"a family past its KeepUntil goes with all its records where Purge collects", "leaves records without KeepUntil", returning(func(r store.Record) bool { return r.KeepUntil.IsZero() })},
	{"a family past its KeepUntil goes with all its records where Purge collects", "does not count what the engine deletes along", reporting(func(n, _ int) int { return min(n, 1) })},
	{"a family past its KeepUntil goes with all its records where Purge collects", "lets families live for ever", breaking(func(b *broken) {
		b.live = func(context.Context, string) (bool, error) { return true, nil }
	})},
	{"a family past its KeepUntil goes with all its records where Purge collects", "counts families that are gone in Revoke", counted(func(_ store.Match, n int, err error) (int, error) { return n + 1, err })},
	{"a family past its KeepUntil goes with all its records where Purge collects", "remembers the ids of families", breaking(func(b *broken) {
		b.exchange = func(ctx context.Context, c *store.Change) error {
			if c.Begin && slices.ContainsFunc(b.families(), func(f store.Family) bool { return f.ID == c.Family.ID }) {
				return store.ErrConflict
			}
			return b.Grants.Exchange(ctx, c)
		}
	})},
	{"Purge removes no more than its limit, and less only if there is no more", "knows no limit", breaking(func(b *broken) {
		b.purge = func(ctx context.Context, now time.Time, limit int) (int, error) {
			return b.Grants.Purge(ctx, now, 1000)
		}
	})},
	{"Purge removes no more than its limit, and less only if there is no more", "removes more than it reports", breaking(func(b *broken) {
		b.purge = func(ctx context.Context, now time.Time, limit int) (int, error) {
			n, err := b.Grants.Purge(ctx, now, limit+3)
			return min(n, limit), err
		}
	})},
	{"Purge removes no more than its limit, and less only if there is no more", "stops early", breaking(func(b *broken) {
		b.purge = func(ctx context.Context, now time.Time, limit int) (int, error) {
			return b.Grants.Purge(ctx, now, min(limit, 10))
		}
	})},
	{"Purge removes no more than its limit, and less only if there is no more", "counts families alone", breaking(func(b *broken) {
		b.purge = func(ctx context.Context, now time.Time, limit int) (int, error) {
			n, err := b.Grants.Purge(ctx, now, 1000)
			return min(n, 2, limit), err
		}
	})},
	{"Purge reports 0 where nothing is due", "reports what it looked at", reporting(func(_, limit int) int { return limit })},
	{"Purge reports 0 where nothing is due", "reports -1 where nothing is due", reporting(func(n, _ int) int {
		if n == 0 {
			return -1
		}
		return n
	})},
	{"Purge reports 0 where nothing is due", "collects with a clock of its own that is ahead", breaking(func(b *broken) {
		b.purge = func(ctx context.Context, _ time.Time, limit int) (int, error) {
			return b.Grants.Purge(ctx, hour(2), limit)
		}
	})},
}
