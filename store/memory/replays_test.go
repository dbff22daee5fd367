package memory

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/storetest"
)

func TestReplaysKeepThePromises(t *testing.T) {
	storetest.TestReplayStore(t, func(*testing.T) (a, b store.ReplayStore) {
		s := new(Replays)
		return s, s
	})
	storetest.TestFullReplayStore(t, func(*testing.T) store.ReplayStore { return &Replays{Size: 1000} })
}

// What Use says, and that it is full, is what a look at everything would say.
func TestUseIsExact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(1, 2))
		s, ends, refused := &Replays{Size: 20}, make(map[string]time.Time), 0
		for range 20_000 {
			time.Sleep(time.Duration(random.IntN(3)) * time.Second)
			id, lifetime := strconv.Itoa(random.IntN(60)), time.Duration(1+random.IntN(60))*time.Second
			now, live := time.Now(), 0
			for _, end := range ends {
				if now.Before(end) {
					live++
				}
			}
			known := now.Before(ends[id])
			isFull := !known && live == s.Size
			first, err := s.Use(t.Context(), id, lifetime)
			if first != (!known && !isFull) || errors.Is(err, ErrFull) != isFull || err != nil && !isFull {
				t.Fatalf("with %d of %d that live Use is %t, %v; it is one of them: %t", live, s.Size, first, err, known)
			}
			if first {
				ends[id] = now.Add(lifetime)
			}
			if isFull {
				refused++
			}
			if len(s.byID) > s.Size || len(s.byID) != len(s.due) || cap(s.due) > 4*s.Size {
				t.Fatalf("kept are %d, in the heap %d, with room for %d", len(s.byID), len(s.due), cap(s.due))
			}
		}
		if refused == 0 {
			t.Error("it was never full")
		}
	})
}

func TestUseRemovesWhatHasEndedAFewAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(Replays)
		for i := range 1000 {
			if _, err := s.Use(t.Context(), fmt.Sprint("ends ", i), time.Second); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		for i := range 500 {
			before := len(s.byID)
			if _, err := s.Use(t.Context(), fmt.Sprint("new ", i), time.Hour); err != nil {
				t.Fatal(err)
			}
			if removed := before + 1 - len(s.byID); removed > 2 {
				t.Fatalf("one Use removed %d of %d", removed, before)
			}
		}
		if len(s.byID) != 500 { // faster than others are added
			t.Errorf("kept are %d, want those that have not ended", len(s.byID))
		}
	})
}

func BenchmarkReplays(b *testing.B) {
	for _, n := range []int{1e3, 1e5, 1e6} {
		b.Run(fmt.Sprint("kept=", n), func(b *testing.B) {
			s := &Replays{Size: n}
			for i := range n - 1 {
				_, _ = s.Use(b.Context(), fmt.Sprint("kept ", i), time.Hour)
			}
			b.Run("Use", func(b *testing.B) {
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					if first, err := s.Use(b.Context(), strconv.Itoa(i), 1); !first || err != nil {
						b.Fatal(first, err)
					}
				}
			})
			b.Run("Use/parallel", func(b *testing.B) {
				var next atomic.Int64
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if first, err := s.Use(b.Context(), "p"+strconv.FormatInt(next.Add(1), 10), 1); !first || err != nil {
							b.Error(first, err)
							return
						}
					}
				})
			})
			b.Run("Use of what was used", func(b *testing.B) {
				for b.Loop() {
					if first, err := s.Use(b.Context(), "kept 7", time.Hour); first || err != nil {
						b.Fatal(first, err)
					}
				}
			})
		})
	}
}
