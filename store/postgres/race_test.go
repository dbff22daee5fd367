package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/grantor-go/grantor/store"
)

func TestWhoWaitsForAnOpenExchange(t *testing.T) {
	url := newSchema(t)
	s := open(t, url)

	for _, match := range []string{"family", "subject", "client", "session"} {
		t.Run("a revocation by "+match+" takes in what the exchange issued", func(t *testing.T) {
			f := aFamily(random(4))
			f.ClientID, f.Session = random(4), random(4)
			r := aRecord(f)
			if err := s.Exchange(t.Context(), &store.Change{Family: f, Begin: true, Issue: []store.Record{r}}); err != nil {
				t.Fatal(err)
			}
			change, next := rotation(f, r, "winner")
			h := hold(t, url)
			h.exchange(change)
			by := map[string]store.Match{"family": {Family: f.ID}, "subject": {Subject: f.Subject}, "client": {ClientID: f.ClientID}, "session": {Session: f.Session}}
			n := 0
			err := h.waited(url, h.Commit, func() (err error) {
				n, err = s.Revoke(context.Background(), by[match], now)
				return err
			})
			if n != 1 || err != nil {
				t.Errorf("Revoke: %d, %v; want 1", n, err)
			}
			if got, family := find(t, s, next.Key); got == nil || family.RevokedAt.IsZero() || !family.KeepUntil.Equal(change.Family.KeepUntil) {
				t.Errorf("what the exchange issued is %v of %v; it should be there, of a revoked family", got, family)
			}
			again, _ := rotation(f, next, "late")
			wantError(t, "an exchange after the revocation was answered", s.Exchange(t.Context(), again), store.ErrRevoked)
		})
	}

	t.Run("a second exchange of the same record conflicts", func(t *testing.T) {
		f, r := begun(t, s, "alice")
		first, _ := rotation(f, r, "first")
		second, lost := rotation(f, r, "second")
		h := hold(t, url)
		h.exchange(first)
		err := h.waited(url, h.Commit, func() error { return s.Exchange(context.Background(), second) })
		wantError(t, "the second", err, store.ErrConflict)
		if got, _ := find(t, s, r.Key); got == nil || got.SpentBy != "first" || got.Version != 1 {
			t.Errorf("the record is %+v, want it spent by the first", got)
		}
		if got, _ := find(t, s, lost.Key); got != nil {
			t.Error("what the loser would have issued was kept")
		}
	})
	t.Run("a second exchange wins if the first is undone", func(t *testing.T) {
		f, r := begun(t, s, "alice")
		first, _ := rotation(f, r, "first")
		second, _ := rotation(f, r, "second")
		h := hold(t, url)
		h.exchange(first)
		if err := h.waited(url, h.Rollback, func() error { return s.Exchange(context.Background(), second) }); err != nil {
			t.Error(err)
		}
	})
	t.Run("an extension finds the record that the exchange issued meanwhile", func(t *testing.T) {
		f, r := begun(t, s, "alice")
		change, next := rotation(f, r, "winner")
		h := hold(t, url)
		h.exchange(change)
		ends := now.Add(5 * time.Hour)
		err := h.waited(url, h.Commit, func() error {
			return s.Exchange(context.Background(), &store.Change{Family: f, Extend: &store.Extension{Key: next.Key, ExpiresAt: ends}})
		})
		if err != nil {
			t.Error(err)
		}
		if got, _ := find(t, s, next.Key); got == nil || !got.ExpiresAt.Equal(ends) {
			t.Errorf("the record is %+v, want it extended to %v", got, ends)
		}
	})
	t.Run("a second issue of the same record conflicts", func(t *testing.T) {
		f, _ := begun(t, s, "alice")
		change := &store.Change{Family: f, Issue: []store.Record{aRecord(f)}}
		h := hold(t, url)
		h.exchange(change)
		err := h.waited(url, h.Commit, func() error { return s.Exchange(context.Background(), change) })
		wantError(t, "the second", err, store.ErrConflict)
	})
	t.Run("a second beginning of the same family conflicts", func(t *testing.T) {
		f := aFamily("alice")
		first, second := aRecord(f), aRecord(f)
		h := hold(t, url)
		h.exchange(&store.Change{Family: f, Begin: true, Issue: []store.Record{first}})
		err := h.waited(url, h.Commit, func() error {
			return s.Exchange(context.Background(), &store.Change{Family: f, Begin: true, Issue: []store.Record{second}})
		})
		wantError(t, "the second", err, store.ErrConflict)
		if got, _ := find(t, s, second.Key); got != nil {
			t.Error("what the loser would have issued was kept")
		}
	})
}

func TestAnExchangeThatWaitsForAnOpenRevocation(t *testing.T) {
	url := newSchema(t)
	s := open(t, url)
	for _, kind := range []struct {
		name string
		end  func(holding) func(context.Context) error
		want error
	}{
		{"is told that the family is revoked", func(h holding) func(context.Context) error { return h.Commit }, store.ErrRevoked},
		{"is made if the revocation is undone", func(h holding) func(context.Context) error { return h.Rollback }, nil},
	} {
		t.Run(kind.name, func(t *testing.T) {
			f, r := begun(t, s, "alice")
			change, next := rotation(f, r, "racer")
			h := hold(t, url)
			if _, err := h.Exec(t.Context(), "UPDATE grantor_families SET revoked_at = 1 WHERE id = $1", f.ID); err != nil {
				t.Fatal(err)
			}
			err := h.waited(url, kind.end(h), func() error { return s.Exchange(context.Background(), change) })
			wantError(t, "the exchange", err, kind.want)
			if got, _ := find(t, s, next.Key); (got != nil) != (kind.want == nil) {
				t.Errorf("the record that it issues is %v", got)
			}
		})
	}
}

// Two that lock the same rows in different orders end as a deadlock, which the
// engine of these tests finds after 10 ms and reports as an error.
func TestNoMixOfCallsDeadlocks(t *testing.T) {
	url := newSchema(t)
	s := open(t, with(url, "pool_max_conns", "16"))
	for round := range 6 {
		subjects, clients := []string{"a", "b", "c"}, []string{"x", "y", "z"}
		var all sync.WaitGroup
		errs := make(chan error, 1)
		report := func(err error) {
			if err != nil && !isVerdict(err) {
				select {
				case errs <- err:
				default: // one is enough
				}
			}
		}
		for i := range 120 {
			f := aFamily(subjects[i%3])
			f.ClientID, f.KeepUntil = clients[i/3%3], now.Add(-time.Hour)
			r := aRecord(f)
			r.KeepUntil = now.Add(-time.Hour)
			named := store.Family{ID: f.ID, Subject: f.Subject, Session: "of the browser"}
			if i%4 > 1 {
				f.Subject = ""
			}
			report(s.Exchange(t.Context(), &store.Change{Family: f, Begin: true, Issue: []store.Record{r, aRecord(f)}}))
			if f.Subject == "" {
				all.Go(func() { report(s.Exchange(context.Background(), &store.Change{Family: named})) })
			}
			if i%2 == 0 {
				all.Go(func() {
					for turn := range 3 {
						change, next := rotation(f, r, fmt.Sprint(turn))
						change.Extend = &store.Extension{Key: r.Key}
						change.Issue[0].KeepUntil = now.Add(-time.Hour)
						report(s.Exchange(context.Background(), change))
						r = next
					}
				})
			}
		}
		for i := range 3 {
			all.Go(func() { _, err := s.Revoke(context.Background(), store.Match{Subject: subjects[i]}, now); report(err) })
			all.Go(func() { _, err := s.Revoke(context.Background(), store.Match{ClientID: clients[i]}, now); report(err) })
			all.Go(func() { _, err := s.Families(context.Background(), subjects[i]); report(err) })
			all.Go(func() { _, err := s.Purge(context.Background(), now, 50); report(err) })
		}
		all.Wait()
		close(errs)
		for err := range errs {
			t.Fatalf("round %d: %v", round, err)
		}
	}
}

func TestARevocationLocksFamiliesInTheOrderOfTheirIDs(t *testing.T) {
	url := newSchema(t)
	s := open(t, url)
	for _, id := range []string{"second", "first"} { // in the table the other way round
		f := aFamily("alice")
		f.ID = id
		if err := s.Exchange(t.Context(), &store.Change{Family: f, Begin: true}); err != nil {
			t.Fatal(err)
		}
	}
	h := hold(t, url)
	if _, err := h.Exec(t.Context(), "SELECT FROM grantor_families WHERE id = 'first' FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	err := h.waited(url, func(ctx context.Context) error {
		if _, err := h.Exec(ctx, "SELECT FROM grantor_families WHERE id = 'second' FOR UPDATE NOWAIT"); err != nil {
			t.Errorf("it locked the second before the first: %v", err)
		}
		return h.Rollback(ctx)
	}, func() error {
		_, err := s.Revoke(context.Background(), store.Match{Subject: "alice"}, now)
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestARevocationBySubjectIsSeenWholeOrNotAtAll(t *testing.T) {
	s := open(t, newSchema(t))
	var keys []store.Key
	for range 20 {
		_, r := begun(t, s, "alice")
		keys = append(keys, r.Key)
	}
	bystander, _ := begun(t, s, "Alice")
	if n, err := s.Revoke(t.Context(), store.Match{Subject: "alice", ClientID: "app"}, now); n != len(keys) || err != nil {
		t.Fatalf("Revoke: %d, %v; want %d", n, err, len(keys))
	}
	if live, err := s.FamilyLive(t.Context(), bystander.ID); !live || err != nil {
		t.Errorf("a family of another subject: %t, %v", live, err)
	}
	if n, err := s.Revoke(t.Context(), store.Match{Subject: "alice"}, now.Add(time.Hour)); n != 0 || err != nil {
		t.Errorf("Revoke again: %d, %v; want 0", n, err)
	}
	if _, f := find(t, s, keys[0]); !f.RevokedAt.Equal(now) {
		t.Errorf("RevokedAt is %v, want the first, %v", f.RevokedAt, now)
	}
}

func TestAnExchangeThatWasGivenUpIsNotMadeLater(t *testing.T) {
	url := newSchema(t)
	s := open(t, url)
	f, r := begun(t, s, "alice")
	change, _ := rotation(f, r, "given up")
	h := hold(t, url)
	if _, err := h.Exec(t.Context(), "SELECT FROM grantor_families WHERE id = $1 FOR UPDATE", f.ID); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	// It is cancelled while it waits, and has returned before the lock is free.
	err := h.waited(url, func(context.Context) error { cancel(); return nil }, func() error { return s.Exchange(ctx, change) })
	if isVerdict(err) {
		t.Errorf("the error is %v, want one that is no verdict", err)
	}
	wantError(t, "the exchange", err, context.Canceled)
	var said *pgconn.PgError
	if !errors.As(err, &said) || said.Code != "57014" {
		t.Errorf("the error is %v, want the engine's word that the statement was cancelled", err)
	}
	var waiting int
	if err := h.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))", h.pid).Scan(&waiting); err != nil || waiting != 0 {
		t.Errorf("%d statements still wait for the family (%v): one could be made after Find", waiting, err)
	}
	if err := h.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, _ := find(t, s, r.Key); got == nil || got.SpentBy != "" {
		t.Errorf("the record is %+v, want it not spent", got)
	}
}
