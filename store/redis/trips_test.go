package redis

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/grantor-go/grantor/store"
)

// trips counts round trips, and fails those after the first few if it has a limit.
type trips struct {
	mu       sync.Mutex
	n, limit int
}

var errLimit = errors.New("no more round trips")

func (c *trips) add() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n++; c.limit > 0 && c.n > c.limit {
		return errLimit
	}
	return nil
}

func (c *trips) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *trips) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if err := c.add(); err != nil {
			cmd.SetErr(err)
			return err
		}
		return next(ctx, cmd)
	}
}

func (c *trips) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if err := c.add(); err != nil {
			for _, cmd := range cmds {
				cmd.SetErr(err)
			}
			return err
		}
		return next(ctx, cmds)
	}
}

// limited returns a store with the prefix of s that is cut off after n round trips.
func limited(t *testing.T, e *engine, s *Store, n int) *Store {
	t.Helper()
	cut := newStore(t, e.client(), s.prefix)
	cut.client.AddHook(&trips{limit: n})
	return cut
}

func TestAProcessThatEndsBetweenRoundTrips(t *testing.T) {
	e := newEngine(t, "redis-server")
	warm := newStore(t, e.client(), prefix())
	begin(t, warm, newFamily(time.Hour)) // so that the engine has the scripts

	t.Run("leaves no family that Revoke does not find", func(t *testing.T) {
		for n := range 2 {
			s, f := newStore(t, e.client(), prefix()), newFamily(time.Hour)
			err := limited(t, e, s, n+1).Exchange(t.Context(), &store.Change{Family: f, Begin: true})
			if lives := live(t, s, f.ID); lives != (err == nil) || lives != (n == 1) {
				t.Errorf("after %d round trips: lives %v, %v", n+1, lives, err)
			}
			revoke(t, s, store.Match{Subject: f.Subject}, n)
		}
	})
	t.Run("leaves no family that outlasts its entries", func(t *testing.T) {
		for n := range 3 {
			s, f := newStore(t, e.client(), prefix()), newFamily(time.Hour)
			begin(t, s, f)
			f.KeepUntil = in(60 * 24 * time.Hour)
			err := limited(t, e, s, n+1).Exchange(t.Context(), &store.Change{Family: f})
			left := s.client.PTTL(t.Context(), s.familyKey(f.ID)).Val()
			if raised := left > 59*24*time.Hour; raised != (err == nil) || raised != (n == 2) {
				t.Errorf("after %d round trips: lasts %v, %v", n+1, left, err)
			}
			entriesOutlast(t, s, f)
		}
	})
}

// sleeper makes the first exchange come when its entries have ended and are gone.
type sleeper struct {
	trips
	s    *Store
	keys []string
	done bool
}

func (h *sleeper) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if args := cmd.Args(); args[0] == "evalsha" && args[1] == exchangeScript.hash && !h.done {
			h.done, args[4+indexedUntil] = true, "1"
			h.s.client.Del(ctx, h.keys...)
		}
		return next(ctx, cmd)
	}
}

func TestABeginThatComesLateIsIndexedAnew(t *testing.T) {
	e := newEngine(t, "redis-server")
	s, f := newStore(t, e.client(), prefix()), newFamily(time.Hour)
	f.Session = "of a sleeper"
	begin(t, s, newFamily(time.Hour)) // so that the engine has the scripts
	late := newStore(t, e.client(), s.prefix)
	hook := &sleeper{s: s, keys: s.indexKeys(f.ClientID, f.Subject, f.Session)}
	late.client.AddHook(hook)
	begin(t, late, f)
	if !hook.done {
		t.Error("it was not late")
	}
	entriesOutlast(t, s, f)
	revoke(t, s, store.Match{Session: f.Session}, 1)
}

// entriesOutlast fails the test if an index forgets a family before its key goes.
func entriesOutlast(t *testing.T, s *Store, f store.Family) {
	t.Helper()
	left := s.client.PTTL(t.Context(), s.familyKey(f.ID)).Val()
	for _, key := range s.indexKeys(f.ClientID, f.Subject, f.Session) {
		ends := time.UnixMicro(int64(s.client.ZScore(t.Context(), key, f.ID).Val()))
		if forgotten := time.Until(ends.Add(20 * time.Minute)); forgotten < left {
			t.Errorf("the key lasts %v, its entry %v", left, forgotten)
		}
		if whole := s.client.PTTL(t.Context(), key).Val(); whole < left {
			t.Errorf("the key lasts %v, the whole index %v", left, whole)
		}
	}
}

func TestRoundTrips(t *testing.T) {
	e := newEngine(t, "redis-server")
	s, f := newStore(t, e.client(), prefix()), newFamily(2*time.Minute)
	r, next, nobody := newRecord(f), newRecord(f), newFamily(time.Hour)
	warm := newFamily(time.Hour)
	warm.Subject = "another"
	begin(t, s, warm) // so that the engine has the scripts
	revoke(t, s, store.Match{Subject: "another"}, 1)
	count := new(trips)
	s.client.AddHook(count)
	for _, step := range []struct {
		what string
		want int
		do   func() error
	}{
		{"begin a family", 2, func() error {
			return s.Exchange(t.Context(), &store.Change{Family: f, Begin: true, Issue: []store.Record{r}})
		}},
		{"find", 1, func() error { _, _, err := s.Find(t.Context(), r.Key); return err }},
		{"spend and issue", 1, func() error { return s.Exchange(t.Context(), rotation(r, next, "me")) }},
		{"keep longer than the entries last", 3, func() error {
			return s.Exchange(t.Context(), &store.Change{Family: store.Family{ID: f.ID, KeepUntil: in(60 * 24 * time.Hour)}})
		}},
		{"keep longer", 1, func() error {
			return s.Exchange(t.Context(), &store.Change{Family: store.Family{ID: f.ID, KeepUntil: in(100 * 24 * time.Hour)}})
		}},
		{"find after an unknown outcome", 3, func() error {
			over, cancel := context.WithCancel(t.Context())
			cancel()
			outage(t, "Exchange", s.Exchange(over, &store.Change{Family: store.Family{ID: f.ID}}))
			_, _, err := s.Find(t.Context(), r.Key)
			return err
		}},
		{"ask whether it lives", 1, func() error { _, err := s.FamilyLive(t.Context(), f.ID); return err }},
		{"list the families of a subject", 2, func() error { _, err := s.Families(t.Context(), f.Subject); return err }},
		{"begin a family without a user", 2, func() error {
			return s.Exchange(t.Context(), &store.Change{Family: store.Family{ID: nobody.ID, ClientID: "shop", KeepUntil: in(time.Hour)}, Begin: true})
		}},
		{"name its user", 3, func() error { return s.Exchange(t.Context(), &store.Change{Family: nobody}) }},
		{"name a user where there is one", 1, func() error { return s.Exchange(t.Context(), &store.Change{Family: nobody}) }},
		{"use an id", 1, func() error { _, err := s.Use(t.Context(), "id", time.Hour); return err }},
		{"use it again", 1, func() error { _, err := s.Use(t.Context(), "id", time.Hour); return err }},
		{"revoke by subject", 2, func() error { _, err := s.Revoke(t.Context(), store.Match{Subject: f.Subject}, in(0)); return err }},
		{"revoke by family", 1, func() error { _, err := s.Revoke(t.Context(), store.Match{Family: f.ID}, in(0)); return err }},
	} {
		before := count.n
		if err := step.do(); err != nil || count.n-before != step.want {
			t.Errorf("to %s: %d round trips, want %d; %v", step.what, count.n-before, step.want, err)
		}
	}
}
