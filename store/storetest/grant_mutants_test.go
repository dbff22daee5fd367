package storetest

import (
	"context"
	"errors"
	"os"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
)

type grantMutant = mutant[handles, store.Record]

// broken is a store of which some methods are not those of the reference.
type broken struct {
	*memory.Grants
	find     func(context.Context, store.Key) (*store.Record, *store.Family, error)
	exchange func(context.Context, *store.Change) error // Update too
	revoke   func(context.Context, store.Match, time.Time) (int, error)
	live     func(context.Context, string) (bool, error)
	list     func(context.Context, string) ([]store.Family, error)
	purge    func(context.Context, time.Time, int) (int, error)

	mu       sync.Mutex
	begun    []store.Family // what was begun and issued, as it was then
	issued   []store.Record
	vanished map[store.Key]bool
}

func (b *broken) Find(ctx context.Context, key store.Key) (*store.Record, *store.Family, error) {
	b.mu.Lock()
	vanished := b.vanished[key]
	b.mu.Unlock()
	switch {
	case vanished:
		return nil, nil, store.ErrNotFound
	case b.find != nil:
		return b.find(ctx, key)
	}
	return b.Grants.Find(ctx, key)
}

func (b *broken) Update(ctx context.Context, r *store.Record) error {
	return b.Exchange(ctx, &store.Change{Family: store.Family{ID: r.Key.Family}, Spend: r})
}

func (b *broken) Exchange(ctx context.Context, c *store.Change) error {
	exchange := b.Grants.Exchange
	if b.exchange != nil {
		exchange = b.exchange
	}
	err := exchange(ctx, c)
	if err == nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		if c.Begin {
			b.begun = append(b.begun, c.Family)
		}
		b.issued = append(b.issued, c.Issue...)
	}
	return err
}

func (b *broken) Revoke(ctx context.Context, m store.Match, at time.Time) (int, error) {
	if b.revoke != nil {
		return b.revoke(ctx, m, at)
	}
	return b.Grants.Revoke(ctx, m, at)
}

func (b *broken) FamilyLive(ctx context.Context, id string) (bool, error) {
	if b.live != nil {
		return b.live(ctx, id)
	}
	return b.Grants.FamilyLive(ctx, id)
}

func (b *broken) Families(ctx context.Context, subject string) ([]store.Family, error) {
	if b.list != nil {
		return b.list(ctx, subject)
	}
	return b.Grants.Families(ctx, subject)
}

func (b *broken) Purge(ctx context.Context, now time.Time, limit int) (int, error) {
	if b.purge != nil {
		return b.purge(ctx, now, limit)
	}
	return b.Grants.Purge(ctx, now, limit)
}

// vanish has these keys found no more.
func (b *broken) vanish(keys ...store.Key) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.vanished == nil {
		b.vanished = make(map[store.Key]bool)
	}
	for _, key := range keys {
		b.vanished[key] = true
	}
}

// families and records are copies of what was begun and issued.
func (b *broken) families() []store.Family {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.begun)
}

func (b *broken) records() []store.Record {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.issued)
}

// breaking is a store that breaks a promise by each of its handles.
func breaking(alter func(*broken)) func(...store.Record) handles {
	return func(...store.Record) handles {
		b := &broken{Grants: new(memory.Grants)}
		alter(b)
		return handles{b, b}
	}
}

// showing is a store whose answers are altered on their way out.
func showing(alter func(*store.Record, *store.Family)) func(...store.Record) handles {
	return breaking(func(b *broken) {
		b.find = func(ctx context.Context, key store.Key) (*store.Record, *store.Family, error) {
			r, f, err := b.Grants.Find(ctx, key)
			if err == nil {
				alter(r, f)
			}
			return r, f, err
		}
	})
}

// changing is a store that makes another change than it is told.
func changing(alter func(b *broken, c *store.Change)) func(...store.Record) handles {
	return breaking(func(b *broken) {
		b.exchange = func(ctx context.Context, c *store.Change) error {
			other := *c
			if c.Spend != nil {
				spend := *c.Spend
				other.Spend = &spend
			}
			if c.Extend != nil {
				extend := *c.Extend
				other.Extend = &extend
			}
			other.Issue = slices.Clone(c.Issue)
			alter(b, &other)
			return b.Grants.Exchange(ctx, &other)
		}
	})
}

// instead returns one verdict where another is due.
func instead(of, give error) func(...store.Record) handles {
	return breaking(func(b *broken) {
		swap := func(err error) error {
			if errors.Is(err, of) {
				return give
			}
			return err
		}
		b.find = func(ctx context.Context, key store.Key) (*store.Record, *store.Family, error) {
			r, f, err := b.Grants.Find(ctx, key)
			return r, f, swap(err)
		}
		b.exchange = func(ctx context.Context, c *store.Change) error { return swap(b.Grants.Exchange(ctx, c)) }
	})
}

// forgetting returns a mutant for each field, which comes back as zero.
func forgetting(breaks string, record reflect.Type, of func(*store.Record, *store.Family) any) []grantMutant {
	var mutants []grantMutant
	for _, f := range reflect.VisibleFields(record) {
		if f.Name == "RevokedAt" || f.Name == "Version" {
			continue // no new record has one; they have mutants of their own
		}
		mutants = append(mutants, grantMutant{breaks, "forgets " + record.Name() + "." + f.Name, showing(func(r *store.Record, family *store.Family) {
			if v := reflect.ValueOf(of(r, family)); !v.IsNil() {
				v.Elem().FieldByIndex(f.Index).SetZero()
			}
		})})
	}
	return mutants
}

func TestEveryBrokenGrantStoreFailsItsCheck(t *testing.T) {
	mutants := slices.Concat(grantKeepMutants, grantExchangeMutants, grantRaceMutants, grantBindMutants, grantRevokeMutants, grantRevokedMutants,
		grantFamiliesMutants, grantPurgeMutants, grantOutageMutants)
	mutants = slices.Concat(mutants, grantFieldMutants(), grantFamilyFieldMutants())
	t.Logf("%d checks, %d mutants", len(grantChecks), len(mutants))
	hunt(t, grantChecks, mutants)
}

func TestTheReferenceKeepsThePromisesOfGrantStores(t *testing.T) {
	TestGrantStore(t, func(*testing.T) (a, b store.GrantStore) {
		s := new(memory.Grants)
		return s, s
	})
}

// What wholeRecord leaves out is compared with nothing.
func TestTheWholeRecordOfAGrantStoreUsesEveryField(t *testing.T) {
	f, r := wholeRecord()
	f.RevokedAt, r.Version = hour(0), 1 // have checks of their own
	used(t, reflect.ValueOf(f))
	used(t, reflect.ValueOf(r))
	used(t, reflect.ValueOf(*r.Grant))
}

// A store that collects by itself need not remove anything.
func TestAStoreWithoutPurgePasses(t *testing.T) {
	TestGrantStore(t, func(*testing.T) (a, b store.GrantStore) {
		s := &broken{Grants: new(memory.Grants)}
		s.purge = func(context.Context, time.Time, int) (int, error) { return 0, nil }
		return s, s
	})
}

func TestABrokenGrantStoreFailsTheTestOfItsAuthor(t *testing.T) {
	if os.Getenv(child) == "grants" {
		TestGrantStore(t, func(*testing.T) (a, b store.GrantStore) {
			s, down := &broken{Grants: new(memory.Grants)}, errors.New("down")
			s.find = func(context.Context, store.Key) (*store.Record, *store.Family, error) { return nil, nil, down }
			s.exchange = func(context.Context, *store.Change) error { return down }
			s.revoke = func(context.Context, store.Match, time.Time) (int, error) { return 0, down }
			s.live = func(context.Context, string) (bool, error) { return false, down }
			s.list = func(context.Context, string) ([]store.Family, error) { return nil, down }
			s.purge = func(context.Context, time.Time, int) (int, error) { return 0, down }
			return s, s
		})
		return
	}
	failsAll(t, "grants", grantChecks)
}
