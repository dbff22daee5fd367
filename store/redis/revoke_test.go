package redis

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/grantor-go/grantor/store"
)

func TestRevokeAndBegin(t *testing.T) {
	t.Parallel()
	e := newEngine(t, "redis-server")

	t.Run("a family that is indexed but not begun when Revoke comes never begins", func(t *testing.T) {
		for _, match := range []store.Match{
			{Subject: "alice"}, {ClientID: "shop"}, {Session: "today"}, {Subject: "alice", ClientID: "shop", Session: "today"},
		} {
			s, f := newStore(t, e.client(), prefix()), newFamily(time.Hour)
			if _, err := s.index(t.Context(), &f); err != nil {
				t.Fatal(err)
			}
			revoke(t, s, match, 0)
			err := s.Exchange(t.Context(), &store.Change{Family: f, Begin: true, Issue: []store.Record{newRecord(f)}})
			if !errors.Is(err, store.ErrRevoked) || live(t, s, f.ID) {
				t.Errorf("after Revoke(%+v) the family began: %v", match, err)
			}
			ends := s.client.ZScore(t.Context(), s.indexKeys("", f.Subject, "")[0], f.ID).Val() / 1e6
			if left := s.client.PTTL(t.Context(), s.familyKey(f.ID)).Val(); left < time.Until(f.KeepUntil) || left > time.Until(time.Unix(int64(ends), 0))+time.Hour {
				t.Errorf("the tombstone lasts for %v, the family would have for an hour", left)
			}
		}
	})

	t.Run("a family that does not match begins, whatever is revoked meanwhile", func(t *testing.T) {
		s, f := newStore(t, e.client(), prefix()), newFamily(time.Hour)
		if _, err := s.index(t.Context(), &f); err != nil {
			t.Fatal(err)
		}
		revoke(t, s, store.Match{Subject: "alice", ClientID: "another"}, 0)
		revoke(t, s, store.Match{Session: "today", Subject: "bob"}, 0)
		revoke(t, s, store.Match{Family: f.ID}, 0)
		if begin(t, s, f); !live(t, s, f.ID) {
			t.Error("the family does not live")
		}
	})

	t.Run("what had begun when Revoke answered is revoked, however they race", func(t *testing.T) {
		for round := range 100 {
			s, f := newStore(t, e.client(), prefix()), newFamily(time.Hour)
			other := newFamily(time.Hour)
			begin(t, s, other)
			began := make(chan error)
			go func() { began <- s.Exchange(t.Context(), &store.Change{Family: f, Begin: true}) }()
			n, err := s.Revoke(t.Context(), store.Match{Subject: "alice"}, in(0))
			first := live(t, s, f.ID)
			err = errors.Join(err, <-began)
			second := live(t, s, f.ID)
			switch {
			case err != nil && !errors.Is(err, store.ErrRevoked), n < 1, live(t, s, other.ID):
				t.Fatalf("round %d: Revoke returned %d, %v", round, n, err)
			case errors.Is(err, store.ErrRevoked) && second, n == 2 && second, first && !second:
				t.Fatalf("round %d: Revoke counted %d, Begin returned %v, the family lived first %v then %v", round, n, err, first, second)
			}
		}
	})
}

func TestIndexes(t *testing.T) {
	t.Parallel()
	e := newEngine(t, "redis-server")

	t.Run("an index names a family for as long as its key lasts, however often that is raised", func(t *testing.T) {
		s, f := newStore(t, e.client(), prefix()), newFamily(time.Minute)
		begin(t, s, f)
		for _, keep := range []time.Duration{-time.Hour, time.Minute, 50 * time.Minute, 30 * 24 * time.Hour, time.Hour, 365 * 24 * time.Hour} {
			if err := s.Exchange(t.Context(), &store.Change{Family: store.Family{ID: f.ID, KeepUntil: in(keep)}}); err != nil {
				t.Fatal(err)
			}
			entriesOutlast(t, s, f)
		}
		f.KeepUntil = in(time.Minute)
		if err := s.Exchange(t.Context(), &store.Change{Family: f, Begin: true}); !errors.Is(err, store.ErrConflict) {
			t.Fatal(err)
		}
		entriesOutlast(t, s, f)
		revoke(t, s, store.Match{Subject: f.Subject}, 1)
	})

	t.Run("entries go when they have ended, and no others", func(t *testing.T) {
		s, f := newStore(t, e.client(), prefix()), newFamily(time.Hour)
		key := s.indexKeys("", f.Subject, "")[0]
		for i := range 25 {
			s.client.ZAdd(t.Context(), key, redis.Z{Score: float64(in(-time.Hour).UnixMicro()), Member: "ended" + strconv.Itoa(i)})
		}
		s.client.ZAdd(t.Context(), key, redis.Z{Score: float64(in(-15 * time.Minute).UnixMicro()), Member: "perhaps not"})
		for range 3 {
			begin(t, s, newFamily(time.Hour))
		}
		if n := s.client.ZCard(t.Context(), key).Val(); n != 4 {
			t.Errorf("%d entries are left, want 4", n)
		}
	})

	t.Run("Revoke finds all of many that end at the same moment", func(t *testing.T) {
		s := newStore(t, e.client(), prefix())
		const n = 2*page + 500
		key := s.indexKeys("", "alice", "")[0]
		pipe := s.client.Pipeline()
		for i := range n {
			f := newFamily(time.Hour)
			pipe.HSet(t.Context(), s.familyKey(f.ID), "t", 1, "k", 1, "c", "shop", "s", "alice", "n", "")
			ends := float64(in(time.Hour).UnixMicro())
			if i > 200 && i < n-200 {
				ends = float64(in(0).Truncate(24 * time.Hour).UnixMicro())
			}
			pipe.ZAdd(t.Context(), key, redis.Z{Score: ends, Member: f.ID})
		}
		if _, err := pipe.Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
		revoke(t, s, store.Match{Subject: "alice"}, n)
		revoke(t, s, store.Match{Subject: "alice"}, 0)
	})

	t.Run("Revoke finds families whose ends are raised while it looks", func(t *testing.T) {
		s := newStore(t, e.client(), prefix())
		const n = 3 * page
		families := make([]store.Family, n)
		var all sync.WaitGroup
		for worker := range 8 {
			all.Go(func() {
				for i := worker; i < n; i += 8 {
					families[i] = newFamily(time.Hour)
					families[i].Session = fmt.Sprint("session ", i)
					begin(t, s, families[i])
				}
			})
		}
		all.Wait()
		stop, raised := make(chan struct{}), make(chan int)
		go func() {
			count := 0
			for i := 0; ; i = (i + 7) % n {
				select {
				case <-stop:
					raised <- count
					return
				default:
				}
				f := families[i]
				f.KeepUntil = in(time.Duration(2+count) * time.Hour)
				if _, err := s.index(t.Context(), &f); err != nil {
					t.Error(err)
				}
				count++
			}
		}()
		revoke(t, s, store.Match{Subject: "alice"}, n)
		close(stop)
		if count := <-raised; count == 0 {
			t.Error("nothing was raised meanwhile")
		}
	})
}
