package memory

import (
	"container/heap"
	"context"
	"time"

	"github.com/grantor-go/grantor/store"
)

// Purge implements [store.GrantStore].
func (s *Grants) Purge(ctx context.Context, now time.Time, limit int) (int, error) {
	removed := 0
	for i := range s.shards {
		if err := ctx.Err(); err != nil {
			return removed, err
		}
		n := s.shards[i].purge(now, limit-removed)
		s.size.Add(int64(-n))
		removed += n
	}
	return removed, nil
}

// index finds families by what Revoke matches.
type index map[indexed]map[string]*family

type indexed struct{ field, value string }

func keysOf(f *store.Family) []indexed {
	return []indexed{{"client", f.ClientID}, {"subject", f.Subject}, {"session", f.Session}}
}

func (s *shard) add(f *family) {
	if s.families == nil {
		s.families, s.index = make(map[string]*family), make(index)
	}
	s.families[f.ID] = f
	s.enter(f)
	s.due.add(due{f.KeepUntil, store.Key{Family: f.ID}})
}

// enter makes the index find a family by what it has.
func (s *shard) enter(f *family) {
	for _, key := range keysOf(&f.Family) {
		if key.value != "" {
			if s.index[key] == nil {
				s.index[key] = make(map[string]*family)
			}
			s.index[key][f.ID] = f
		}
	}
}

func (s *shard) remove(f *family) {
	delete(s.families, f.ID)
	s.leave(f)
}

func (s *shard) leave(f *family) {
	for _, key := range keysOf(&f.Family) {
		if delete(s.index[key], f.ID); len(s.index[key]) == 0 {
			delete(s.index, key)
		}
	}
}

func (s *shard) revoke(match store.Match, at time.Time) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	revoked := 0
	for _, f := range s.candidates(match) {
		if f.RevokedAt.IsZero() && fits(match.Family, f.ID) && fits(match.ClientID, f.ClientID) &&
			fits(match.Subject, f.Subject) && fits(match.Session, f.Session) {
			f.RevokedAt = at
			revoked++
		}
	}
	return revoked
}

// appendOf appends the living families of a subject.
func (s *shard) appendOf(all []store.Family, subject string) []store.Family {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.index[indexed{"subject", subject}] {
		if f.RevokedAt.IsZero() {
			all = append(all, f.Family)
		}
	}
	return all
}

// candidates returns the families among which those that match are, by the
// narrowest index there is.
func (s *shard) candidates(match store.Match) map[string]*family {
	switch {
	case match.Family != "":
		if f := s.families[match.Family]; f != nil {
			return map[string]*family{f.ID: f}
		}
		return nil
	case match.Session != "":
		return s.index[indexed{"session", match.Session}]
	case match.Subject != "":
		return s.index[indexed{"subject", match.Subject}]
	default:
		return s.index[indexed{"client", match.ClientID}]
	}
}

func fits(wanted, value string) bool { return wanted == "" || wanted == value }

// purge removes at most limit of what is due. An entry of the heap may be early,
// because ends are raised without touching it: then it goes back.
func (s *shard) purge(now time.Time, limit int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	removed := 0
	for removed < limit && len(s.due) > 0 && !s.due[0].at.After(now) {
		next := heap.Pop(&s.due).(due)
		f := s.families[next.key.Family]
		switch {
		case f == nil:
		case next.key.Hash != "":
			removed += s.purgeRecord(f, next, now)
		case f.KeepUntil.After(now):
			s.due.add(due{f.KeepUntil, next.key})
		default:
			n, whole := f.empty(limit - removed)
			if removed += n; whole && removed < limit {
				s.remove(f)
				removed++
			} else {
				s.due.add(next)
			}
		}
	}
	return removed
}

func (s *shard) purgeRecord(f *family, next due, now time.Time) int {
	record := f.records[next.key.Hash]
	switch {
	case record == nil, record.KeepUntil.IsZero():
		return 0
	case record.KeepUntil.After(now):
		s.due.add(due{record.KeepUntil, next.key})
		return 0
	}
	delete(f.records, next.key.Hash)
	return 1
}

// empty removes records up to a limit and tells whether none is left.
func (f *family) empty(limit int) (removed int, whole bool) {
	for hash := range f.records {
		if removed == limit {
			return removed, false
		}
		delete(f.records, hash)
		removed++
	}
	return removed, true
}

// due is when a record or, if the hash is empty, a family may be removed.
type due struct {
	at  time.Time
	key store.Key
}

type dueHeap []due

func (h *dueHeap) add(d due) { heap.Push(h, d) }

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h dueHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *dueHeap) Push(d any)        { *h = append(*h, d.(due)) }
func (h *dueHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
