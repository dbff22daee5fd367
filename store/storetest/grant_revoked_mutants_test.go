package storetest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/grantor-go/grantor/store"
)

var grantRevokedMutants = []grantMutant{
	{"a family that was revoked stays revoked", "lets it be begun again", breaking(func(b *broken) {
		b.exchange = func(ctx context.Context, c *store.Change) error {
			err := b.Grants.Exchange(ctx, c)
			if c.Begin && errors.Is(err, store.ErrRevoked) {
				return nil
			}
			return err
		}
	})},
	{"a family that was revoked stays revoked", "does not look at the family of an update", breaking(func(b *broken) {
		b.exchange = func(ctx context.Context, c *store.Change) error {
			err := b.Grants.Exchange(ctx, c)
			if c.Spend != nil && errors.Is(err, store.ErrRevoked) {
				return nil
			}
			return err
		}
	})},
	{"a family that was revoked stays revoked", "lets it live when its end is raised", breaking(func(b *broken) {
		raised := make(map[string]bool)
		b.exchange = func(ctx context.Context, c *store.Change) error {
			raised[c.Family.ID] = raised[c.Family.ID] || !c.Begin && !c.Family.KeepUntil.IsZero()
			return b.Grants.Exchange(ctx, c)
		}
		b.live = func(ctx context.Context, id string) (bool, error) {
			live, err := b.Grants.FamilyLive(ctx, id)
			return live || raised[id], err
		}
	})},
	{"a family that was revoked stays revoked", "purges what was revoked", breaking(func(b *broken) {
		b.purge = func(context.Context, time.Time, int) (int, error) {
			b.vanish(keysOf(b.records()...)...)
			return 1, nil
		}
	})},
	{"after Revoke has answered nothing is added to the family", "looks at the family and then writes", looksThenWrites()},
	{"after Revoke has answered nothing is added to the family", "does not look at the family where it issues", breaking(func(b *broken) {
		b.exchange = func(ctx context.Context, c *store.Change) error {
			err := b.Grants.Exchange(ctx, c)
			if len(c.Issue) > 0 && errors.Is(err, store.ErrRevoked) {
				return nil
			}
			return err
		}
	})},
	{"of those who revoke one family at the same moment one counts it", "counts, and then revokes", func(...store.Record) handles {
		both := newMeeting()
		return breaking(func(b *broken) {
			b.revoke = func(ctx context.Context, m store.Match, at time.Time) (int, error) {
				n := 0
				for _, f := range b.families() {
					if live, _ := b.Grants.FamilyLive(ctx, f.ID); live {
						n++
					}
				}
				both.join("")
				_, err := b.Grants.Revoke(ctx, m, at)
				return n, err
			}
		})()
	}},
}

// looksThenWrites is a store of which one exchange finds its family alive and
// writes after Revoke has answered.
func looksThenWrites() func(...store.Record) handles {
	return func(...store.Record) handles {
		var mu sync.Mutex
		exchanges, late := 0, make(map[store.Key]*store.Record)
		looked, answered := newOrder(), newOrder()
		return breaking(func(b *broken) {
			b.exchange = func(ctx context.Context, c *store.Change) error {
				mu.Lock()
				exchanges++
				held := exchanges == 7
				mu.Unlock()
				if !held {
					return b.Grants.Exchange(ctx, c)
				}
				looked.happened()
				answered.await()
				mu.Lock()
				defer mu.Unlock()
				late[c.Issue[0].Key] = &c.Issue[0]
				return nil
			}
			b.revoke = func(ctx context.Context, m store.Match, at time.Time) (int, error) {
				looked.await()
				defer time.AfterFunc(time.Second, answered.happened) // when the kit has looked
				return b.Grants.Revoke(ctx, m, at)
			}
			b.find = func(ctx context.Context, key store.Key) (*store.Record, *store.Family, error) {
				mu.Lock()
				defer mu.Unlock()
				if r := late[key]; r != nil {
					return r, &store.Family{ID: key.Family, RevokedAt: hour(0)}, nil
				}
				return b.Grants.Find(ctx, key)
			}
		})()
	}
}
