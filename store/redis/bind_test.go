package redis

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/grantor-go/grantor/store"
)

// beginUndecided keeps a new family without a user, and returns it with one.
func beginUndecided(t *testing.T, s *Store, r ...store.Record) store.Family {
	t.Helper()
	f := newFamily(time.Hour)
	f.Session = "of the device"
	for i := range r {
		r[i].Key.Family = f.ID
	}
	named := f
	f.Subject = ""
	begin(t, s, f, r...)
	named.Session = "of the browser"
	return named
}

// binding is a change that names the user of a family and keeps it for longer.
func binding(f store.Family, keep time.Duration) *store.Change {
	return &store.Change{Family: store.Family{ID: f.ID, Subject: f.Subject, Session: f.Session, KeepUntil: in(keep)}}
}

// owned fails the test unless the family is of this user, and its indexes say so.
func owned(t *testing.T, s *Store, f store.Family) {
	t.Helper()
	families, err := s.families(t.Context(), []string{f.ID})
	if err != nil || len(families) != 1 || families[0].Subject != f.Subject || families[0].Session != f.Session {
		t.Errorf("kept are %+v, %v; want the user %q with %q", families, err, f.Subject, f.Session)
		return
	}
	entriesOutlast(t, s, families[0])
}

// between does something before one of the round trips of a client.
type between struct {
	trips
	before int
	do     func()
}

func (h *between) step() {
	if _ = h.add(); h.n == h.before {
		h.do()
	}
}

func (h *between) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		h.step()
		return next(ctx, cmd)
	}
}

func (h *between) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		h.step()
		return next(ctx, cmds)
	}
}

func TestNamingTheUser(t *testing.T) {
	t.Parallel()
	e := newEngine(t, "redis-server")
	warm := newStore(t, e.client(), prefix())
	begin(t, warm, newFamily(time.Hour)) // so that the engine has the scripts
	revoke(t, warm, store.Match{Subject: "alice"}, 1)

	// interrupted is a store that does something before its third round trip: when the
	// entries are made that it was told to make, and before the exchange is tried again.
	interrupted := func(s *Store, do func()) *Store {
		late := newStore(t, e.client(), s.prefix)
		late.client.AddHook(&between{before: 3, do: do})
		return late
	}

	t.Run("a process that ends between round trips leaves no user whom Revoke does not find", func(t *testing.T) {
		for n := range 3 {
			s, r := newStore(t, e.client(), prefix()), newRecord(newFamily(time.Hour))
			f := beginUndecided(t, s, r)
			r.Key.Family = f.ID
			change := binding(f, time.Hour)
			change.Spend = rotation(r, r, "the approval").Spend
			err := limited(t, e, s, n+1).Exchange(t.Context(), change)
			if made := err == nil; made != (n == 2) || (find(t, s, r.Key).SpentBy != "") != made {
				t.Errorf("after %d round trips: %v, the record %+v", n+1, err, find(t, s, r.Key))
			}
			if n == 2 {
				owned(t, s, f)
				revoke(t, s, store.Match{Session: f.Session}, 1)
				continue
			}
			nobody := f
			nobody.Subject, nobody.Session = "", "of the device"
			owned(t, s, nobody)
			revoke(t, s, store.Match{Subject: f.Subject}, 0)
			if families, err := s.Families(t.Context(), f.Subject); err != nil || len(families) != 0 {
				t.Errorf("after %d round trips: listed are %+v, %v", n+1, families, err)
			}
		}
	})

	t.Run("a family that no index named is in those of its user for as long as its key lasts", func(t *testing.T) {
		s, f := newStore(t, e.client(), prefix()), newFamily(60*24*time.Hour)
		begin(t, s, store.Family{ID: f.ID, CreatedAt: f.CreatedAt, KeepUntil: f.KeepUntil})
		if err := s.Exchange(t.Context(), &store.Change{Family: store.Family{ID: f.ID, Subject: f.Subject, Session: f.Session}}); err != nil {
			t.Fatal(err)
		}
		f.ClientID = ""
		owned(t, s, f)
		revoke(t, s, store.Match{Subject: f.Subject}, 1)
	})

	t.Run("entries that were made to last before the user was known do not count afterwards", func(t *testing.T) {
		s := newStore(t, e.client(), prefix())
		f := beginUndecided(t, s)
		late := interrupted(s, func() {
			if err := s.Exchange(t.Context(), binding(f, time.Hour)); err != nil {
				t.Error(err)
			}
		})
		if err := late.Exchange(t.Context(), &store.Change{Family: store.Family{ID: f.ID, KeepUntil: in(60 * 24 * time.Hour)}}); err != nil {
			t.Fatal(err)
		}
		owned(t, s, f)
		if left := s.client.PTTL(t.Context(), s.familyKey(f.ID)).Val(); left < 59*24*time.Hour {
			t.Errorf("the key lasts %v", left)
		}
		revoke(t, s, store.Match{Subject: f.Subject}, 1)
	})

	t.Run("entries of who came second do not count for who came first", func(t *testing.T) {
		for _, second := range [][2]string{{"bob", "of bob"}, {"alice", "another"}, {"bob", "of the browser"}} {
			s := newStore(t, e.client(), prefix())
			f := beginUndecided(t, s)
			late := interrupted(s, func() {
				if err := s.Exchange(t.Context(), binding(f, time.Hour)); err != nil {
					t.Error(err)
				}
			})
			other := f
			other.Subject, other.Session = second[0], second[1]
			if err := late.Exchange(t.Context(), binding(other, 60*24*time.Hour)); err != nil {
				t.Fatal(err)
			}
			owned(t, s, f)
			revoke(t, s, store.Match{Subject: other.Subject, Session: other.Session}, 0)
			if families, err := s.Families(t.Context(), "bob"); err != nil || len(families) != 0 {
				t.Errorf("of who came second are listed %+v, %v", families, err)
			}
			revoke(t, s, store.Match{Subject: f.Subject, Session: f.Session}, 1)
		}
	})

	t.Run("a Revoke of the user that comes before the exchange is made is before it, and the next finds the family", func(t *testing.T) {
		s := newStore(t, e.client(), prefix())
		f := beginUndecided(t, s)
		late := interrupted(s, func() {
			revoke(t, s, store.Match{Subject: f.Subject}, 0)
			revoke(t, s, store.Match{Session: f.Session, ClientID: f.ClientID}, 0)
		})
		if err := late.Exchange(t.Context(), binding(f, time.Hour)); err != nil || !live(t, s, f.ID) {
			t.Errorf("the exchange returned %v, or the family does not live", err)
		}
		owned(t, s, f)
		revoke(t, s, store.Match{Subject: f.Subject}, 1)
	})

	t.Run("a Revoke of the client that comes before the exchange is made refuses it", func(t *testing.T) {
		s := newStore(t, e.client(), prefix())
		f := beginUndecided(t, s)
		late := interrupted(s, func() { revoke(t, s, store.Match{ClientID: f.ClientID}, 1) })
		if err := late.Exchange(t.Context(), binding(f, time.Hour)); !errors.Is(err, store.ErrRevoked) {
			t.Errorf("the exchange returned %v", err)
		}
		if families, err := s.families(t.Context(), []string{f.ID}); err != nil || len(families) != 1 || families[0].Subject != "" {
			t.Errorf("kept are %+v, %v", families, err)
		}
	})
}
