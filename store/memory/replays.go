package memory

import (
	"container/heap"
	"context"
	"strings"
	"sync"
	"time"

	"github.com/grantor-go/grantor/store"
)

// Replays is a [store.ReplayStore] for tests and for services that run as one
// process: a restart forgets what was used. Its zero value is empty and ready to use.
// It forgets what is past its lifetime by itself.
type Replays struct {
	// Size is how many ids are kept, at some 200 bytes each; zero means a million.
	// When as many are within their lifetime Use fails with ErrFull for another one.
	Size int

	mu   sync.Mutex
	byID map[string]*use
	due  useHeap
}

var _ store.ReplayStore = (*Replays)(nil)

// use is an id that was used.
type use struct {
	id    string
	ends  time.Time
	place int // in the heap
}

// Use implements [store.ReplayStore]. The only errors are ErrFull and, if ctx is
// done, ctx.Err().
func (s *Replays) Use(ctx context.Context, id string, lifetime time.Duration) (first bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	known := s.byID[id]
	if known != nil && now.Before(known.ends) {
		return false, nil
	}
	if known != nil {
		s.forget(known)
	}
	// More than Use adds, so that what has ended never fills the store; and not all of
	// it at once, which nobody should have to wait for.
	for range 2 {
		if len(s.due) > 0 && !now.Before(s.due[0].ends) {
			s.forget(s.due[0])
		}
	}
	if len(s.byID) >= orDefault(s.Size, 1e6) {
		return false, ErrFull
	}
	if s.byID == nil {
		s.byID = make(map[string]*use)
	}
	added := &use{id: strings.Clone(id), ends: now.Add(lifetime)} // id may be a part of a whole request
	s.byID[added.id] = added
	heap.Push(&s.due, added)
	return true, nil
}

func (s *Replays) forget(u *use) {
	delete(s.byID, u.id)
	heap.Remove(&s.due, u.place)
}

// useHeap has in front what ends first.
type useHeap []*use

func (h useHeap) Len() int           { return len(h) }
func (h useHeap) Less(i, j int) bool { return h[i].ends.Before(h[j].ends) }
func (h useHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}
func (h *useHeap) Push(u any) {
	u.(*use).place = len(*h)
	*h = append(*h, u.(*use))
}
func (h *useHeap) Pop() any {
	last := len(*h) - 1
	u := (*h)[last]
	(*h)[last] = nil // else the array would keep it
	*h = (*h)[:last]
	return u
}
