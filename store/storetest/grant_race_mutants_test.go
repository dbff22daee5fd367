package storetest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/grantor-go/grantor/store"
)

// order lets one thing happen before another, the first time only: so a mutant
// goes wrong at every run.
type order struct {
	once sync.Once
	done chan struct{}
}

func newOrder() *order     { return &order{done: make(chan struct{})} }
func (o *order) happened() { o.once.Do(func() { close(o.done) }) }
func (o *order) await()    { <-o.done }
func (o *order) isOver() bool {
	select {
	case <-o.done:
		return true
	default:
		return false
	}
}

// overwriting writes a record as it is, whatever version is kept.
func overwriting(ctx context.Context, b *broken, r store.Record) error {
	for {
		c := of(store.Family{ID: r.Key.Family})
		c.Spend = &r
		upToDate(b, c)
		if err := b.Grants.Exchange(ctx, c); !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}

// extended returns a record after an extension.
func extended(r store.Record, e *store.Extension, end func(kept, given time.Time) time.Time) store.Record {
	r.ExpiresAt, r.KeepUntil = end(r.ExpiresAt, e.ExpiresAt), end(r.KeepUntil, e.KeepUntil)
	return r
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// extending is a store that extends by writing the record that it has read.
func extending(write func(ctx context.Context, b *broken, kept store.Record, e *store.Extension) error) func(...store.Record) handles {
	return breaking(func(b *broken) {
		b.exchange = func(ctx context.Context, c *store.Change) error {
			if c.Extend == nil {
				return b.Grants.Exchange(ctx, c)
			}
			rest := *c
			rest.Extend = nil
			if err := b.Grants.Exchange(ctx, &rest); err != nil {
				return err
			}
			r, _, err := b.Grants.Find(ctx, c.Extend.Key)
			if err != nil {
				return err
			}
			return write(ctx, b, *r, c.Extend)
		}
	})
}

var grantRaceMutants = []grantMutant{
	{"an extension raises each end and never lowers one", "writes the ends that it is given", extending(func(ctx context.Context, b *broken, r store.Record, e *store.Extension) error {
		version := r.Version
		r = extended(r, e, func(_, given time.Time) time.Time { return given })
		r.Version = version
		return b.Grants.Update(ctx, &r)
	})},
	{"an extension raises each end and never lowers one", "extends both ends or none", changing(func(b *broken, c *store.Change) {
		if c.Extend != nil {
			if r, _, err := b.Grants.Find(context.Background(), c.Extend.Key); err == nil && !(c.Extend.ExpiresAt.After(r.ExpiresAt) && c.Extend.KeepUntil.After(r.KeepUntil)) {
				c.Extend.ExpiresAt, c.Extend.KeepUntil = time.Time{}, time.Time{}
			}
		}
	})},
	{"an extension raises each end and never lowers one", "counts it as a version", extending(func(ctx context.Context, b *broken, r store.Record, e *store.Extension) error {
		r = extended(r, e, latest)
		return b.Grants.Update(ctx, &r)
	})},
	{"an extension leaves a record without KeepUntil without one", "takes none for the earliest", extending(func(ctx context.Context, b *broken, r store.Record, e *store.Extension) error {
		r = extended(r, e, latest)
		return b.Grants.Update(ctx, &r)
	})},
	{"an extension conflicts with no write, before it or after it", "counts it as a version", extending(func(ctx context.Context, b *broken, r store.Record, e *store.Extension) error {
		r = extended(r, e, latest)
		return b.Grants.Update(ctx, &r)
	})},
	{"an extension conflicts with no write, before it or after it", "does not extend what was spent", breaking(func(b *broken) {
		b.exchange = func(ctx context.Context, c *store.Change) error {
			if c.Extend != nil {
				if r, _, err := b.Grants.Find(ctx, c.Extend.Key); err == nil && r.SpentBy != "" {
					return store.ErrConflict
				}
			}
			return b.Grants.Exchange(ctx, c)
		}
	})},
	{"extensions at the same moment all succeed and the latest end stays", "extends by compare and swap", func(...store.Record) handles {
		both := newMeeting()
		return extending(func(ctx context.Context, b *broken, r store.Record, e *store.Extension) error {
			both.join("")
			r = extended(r, e, latest)
			return b.Grants.Update(ctx, &r)
		})()
	}},
	{"a spend and an extension at the same moment both stay", "writes back the record that the extension read", func(...store.Record) handles {
		read, written := newOrder(), newOrder()
		return breaking(func(b *broken) {
			b.exchange = func(ctx context.Context, c *store.Change) error {
				switch {
				case c.Spend != nil:
					read.await()
					defer written.happened()
					return b.Grants.Exchange(ctx, c)
				case c.Extend != nil && !read.isOver():
					r, _, err := b.Grants.Find(ctx, c.Extend.Key)
					read.happened()
					written.await()
					if err == nil {
						err = overwriting(ctx, b, extended(*r, c.Extend, latest))
					}
					return err
				}
				return b.Grants.Exchange(ctx, c)
			}
		})()
	}},
	{"of many who spend one record exactly one succeeds", "does not look at the version", changing(upToDate)},
	{"of many who spend one record exactly one succeeds", "returns the driver's error to those who were late", instead(store.ErrConflict, errors.New("database is locked"))},
	{"of many who spend one record exactly one succeeds", "issues what the losers wanted to", leaving(func(c store.Change) []store.Change {
		return []store.Change{{Family: c.Family, Issue: c.Issue}}
	})},
	{"of many who spend one record exactly one succeeds", "spends by a key that is in use for nobody", breaking(func(b *broken) {
		b.exchange = func(ctx context.Context, c *store.Change) error {
			if c.Spend != nil {
				return store.ErrConflict
			}
			return b.Grants.Exchange(ctx, c)
		}
	})},
	{"who comes too late finds what the first one left", "writes who was last", breaking(func(b *broken) {
		b.exchange = func(ctx context.Context, c *store.Change) error {
			err := b.Grants.Exchange(ctx, c)
			if errors.Is(err, store.ErrConflict) && c.Spend != nil {
				_ = overwriting(ctx, b, *c.Spend)
			}
			return err
		}
	})},
	{"who comes too late finds what the first one left", "forgets who was first", showing(func(r *store.Record, _ *store.Family) { r.SpentBy = "" })},
	{"of many who begin one family exactly one succeeds", "adds to the family that is there", changing(func(b *broken, c *store.Change) {
		c.Begin = c.Begin && b.Grants.Exchange(context.Background(), of(c.Family)) != nil
	})},
	{"of many who begin one family exactly one succeeds", "says that it is there to those who were late", instead(store.ErrConflict, errors.New("duplicate key"))},
	{"of many who issue one key exactly one succeeds", "does nothing on conflict", changing(func(b *broken, c *store.Change) {
		c.Issue = slices.DeleteFunc(c.Issue, func(r store.Record) bool {
			_, _, err := b.Grants.Find(context.Background(), r.Key)
			return err == nil
		})
	})},
	{"of many who issue one key exactly one succeeds", "writes over what is there", breaking(func(b *broken) {
		b.exchange = func(ctx context.Context, c *store.Change) error {
			err := b.Grants.Exchange(ctx, c)
			if errors.Is(err, store.ErrConflict) && len(c.Issue) == 1 {
				_ = overwriting(ctx, b, c.Issue[0])
			}
			return err
		}
	})},
	{"rotations that race leave one chain", "does not look at the version", func(...store.Record) handles {
		both := newMeeting()
		return changing(func(b *broken, c *store.Change) {
			if c.Spend != nil {
				both.join("")
			}
			upToDate(b, c)
		})()
	}},
	{"an approval is not lost among polls that race with it", "does not look at the version", func(...store.Record) handles {
		both := newMeeting()
		return breaking(func(b *broken) {
			b.find = func(ctx context.Context, key store.Key) (*store.Record, *store.Family, error) {
				r, f, err := b.Grants.Find(ctx, key)
				both.join("")
				return r, f, err
			}
			b.exchange = func(ctx context.Context, c *store.Change) error {
				if c.Spend != nil {
					return overwriting(ctx, b, *c.Spend)
				}
				return b.Grants.Exchange(ctx, c)
			}
		})()
	}},
	{"no reader sees a part of an exchange", "spends, and issues in another transaction", inTwo(func(c store.Change) (first, second store.Change) {
		first, second = c, c
		first.Issue, second.Spend = nil, nil
		return first, second
	})},
	{"no reader sees a part of an exchange", "issues, and spends in another transaction", inTwo(func(c store.Change) (first, second store.Change) {
		first, second = c, c
		first.Spend, second.Issue = nil, nil
		return first, second
	})},
	{"no reader sees a part of an exchange", "raises the family in another transaction", inTwo(func(c store.Change) (first, second store.Change) {
		first, second = c, store.Change{Family: c.Family}
		first.Family.KeepUntil = time.Time{}
		return first, second
	})},
	{"no reader sees a part of an exchange", "names the user in another transaction", inTwo(func(c store.Change) (first, second store.Change) {
		first, second = c, store.Change{Family: c.Family}
		first.Family.Subject = ""
		return first, second
	})},
}

// inTwo is a store that makes a change in two parts and lets others look
// between them.
func inTwo(split func(c store.Change) (first, second store.Change)) func(...store.Record) handles {
	return breaking(func(b *broken) {
		looks := make(chan struct{})
		b.find = func(ctx context.Context, key store.Key) (*store.Record, *store.Family, error) {
			defer func() {
				select {
				case looks <- struct{}{}:
				default:
				}
			}()
			return b.Grants.Find(ctx, key)
		}
		b.exchange = func(ctx context.Context, c *store.Change) error {
			if c.Spend == nil {
				return b.Grants.Exchange(ctx, c)
			}
			first, second := split(*c)
			if err := b.Grants.Exchange(ctx, &first); err != nil {
				return err
			}
			for range 20 { // each reader has looked at all keys
				select {
				case <-looks:
				case <-time.After(20 * time.Millisecond):
					// the readers have seen enough and are gone
				}
			}
			return b.Grants.Exchange(ctx, &second)
		}
	})
}
