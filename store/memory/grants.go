package memory

import (
	"context"
	"errors"
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/grantor-go/grantor/store"
)

// Grants is a [store.GrantStore] for tests and for services that may forget
// their users' tokens when they end. Its zero value is empty and ready to use. It
// grows until Purge is called; see store.PurgeEvery.
type Grants struct {
	// Size is how many records and families are kept together; zero means a
	// million. When it is full Exchange fails with ErrFull if it would add to it.
	Size int

	shards [64]shard
	size   atomic.Int64
}

var _ store.GrantStore = (*Grants)(nil)

// ErrFull says that a Grants or a Replays keeps as much as it may. It is an outage:
// raise Size or, of a Grants, call Purge more often.
var ErrFull = errors.New("memory: the store is full")

// shard holds some of the families, whole.
type shard struct {
	mu       sync.Mutex
	families map[string]*family
	index    index
	due      dueHeap
}

type family struct {
	store.Family
	records map[string]*store.Record // by Key.Hash; never altered, only replaced
}

var seed = maphash.MakeSeed()

// in returns the shard of a family, locked.
func (s *Grants) in(id string) *shard {
	shard := &s.shards[maphash.String(seed, id)%uint64(len(s.shards))]
	shard.mu.Lock()
	return shard
}

// Find implements [store.GrantStore].
func (s *Grants) Find(ctx context.Context, key store.Key) (*store.Record, *store.Family, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	shard := s.in(key.Family)
	defer shard.mu.Unlock()
	f := shard.families[key.Family]
	if f == nil || f.records[key.Hash] == nil {
		return nil, nil, store.ErrNotFound
	}
	record, family := *f.records[key.Hash], f.Family
	return &record, &family, nil
}

// Update implements [store.GrantStore].
func (s *Grants) Update(ctx context.Context, record *store.Record) error {
	return s.Exchange(ctx, &store.Change{Family: store.Family{ID: record.Key.Family}, Spend: record})
}

// Exchange implements [store.GrantStore].
func (s *Grants) Exchange(ctx context.Context, change *store.Change) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	shard := s.in(change.Family.ID)
	defer shard.mu.Unlock()
	f := shard.families[change.Family.ID]
	if err := check(f, change); err != nil {
		return err
	}
	added := int64(len(change.Issue))
	if change.Begin {
		added++
	}
	if total := s.size.Add(added); added > 0 && total > int64(orDefault(s.Size, 1e6)) {
		s.size.Add(-added)
		return ErrFull
	}
	shard.apply(f, change)
	return nil
}

// check returns the verdict, in the order that the interface promises.
func check(f *family, change *store.Change) error {
	switch {
	case f != nil && !f.RevokedAt.IsZero():
		return store.ErrRevoked
	case f != nil && change.Begin:
		return store.ErrConflict
	case f == nil && !change.Begin:
		return store.ErrNotFound
	}
	var records map[string]*store.Record
	if f != nil {
		records = f.records
	}
	if change.Spend != nil && records[change.Spend.Key.Hash] == nil || change.Extend != nil && records[change.Extend.Key.Hash] == nil {
		return store.ErrNotFound
	}
	if change.Spend != nil && records[change.Spend.Key.Hash].Version != change.Spend.Version {
		return store.ErrConflict
	}
	for i := range change.Issue {
		if records[change.Issue[i].Key.Hash] != nil {
			return store.ErrConflict
		}
	}
	return nil
}

func (s *shard) apply(f *family, change *store.Change) {
	if f == nil {
		f = &family{Family: change.Family, records: make(map[string]*store.Record)}
		s.add(f)
	}
	if f.Subject == "" && change.Family.Subject != "" {
		s.leave(f)
		f.Subject, f.Session = change.Family.Subject, change.Family.Session
		s.enter(f)
	}
	f.KeepUntil = later(f.KeepUntil, change.Family.KeepUntil)
	if spend := change.Spend; spend != nil {
		was, record := f.records[spend.Key.Hash], *spend
		record.Kind, record.CreatedAt, record.Version = was.Kind, was.CreatedAt, spend.Version+1
		f.records[spend.Key.Hash] = &record
		if !record.KeepUntil.IsZero() && (was.KeepUntil.IsZero() || record.KeepUntil.Before(was.KeepUntil)) {
			s.due.add(due{record.KeepUntil, record.Key})
		}
	}
	if extend := change.Extend; extend != nil {
		record := *f.records[extend.Key.Hash]
		record.ExpiresAt = later(record.ExpiresAt, extend.ExpiresAt)
		if !record.KeepUntil.IsZero() {
			record.KeepUntil = later(record.KeepUntil, extend.KeepUntil)
		}
		f.records[extend.Key.Hash] = &record
	}
	for i := range change.Issue {
		record := change.Issue[i]
		f.records[record.Key.Hash] = &record
		if !record.KeepUntil.IsZero() {
			s.due.add(due{record.KeepUntil, record.Key})
		}
	}
}

// Revoke implements [store.GrantStore].
func (s *Grants) Revoke(ctx context.Context, match store.Match, at time.Time) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if match == (store.Match{}) {
		return 0, errors.New("memory: an empty Match would revoke everything")
	}
	if at.IsZero() {
		return 0, errors.New("memory: a revocation needs a time")
	}
	revoked := 0
	for i := range s.shards {
		revoked += s.shards[i].revoke(match, at)
	}
	return revoked, nil
}

// FamilyLive implements [store.GrantStore].
func (s *Grants) FamilyLive(ctx context.Context, id string) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	shard := s.in(id)
	defer shard.mu.Unlock()
	f := shard.families[id]
	return f != nil && f.RevokedAt.IsZero(), nil
}

// Families implements [store.GrantStore].
func (s *Grants) Families(ctx context.Context, subject string) ([]store.Family, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if subject == "" {
		return nil, errors.New("memory: Families needs a subject")
	}
	var all []store.Family
	for i := range s.shards {
		all = s.shards[i].appendOf(all, subject)
	}
	slices.SortFunc(all, func(a, b store.Family) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return all, nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func orDefault(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}
