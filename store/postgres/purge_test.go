package postgres

import (
	"context"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
)

func purged(t *testing.T, s *Store, at time.Time, limit, want int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience/3) // it is to wait for nobody
	defer cancel()
	if n, err := s.Purge(ctx, at, limit); n != want || err != nil {
		t.Fatalf("Purge: %d, %v; want %d", n, err, want)
	}
}

func TestPurge(t *testing.T) {
	url := newSchema(t)
	s, later := open(t, url), now.Add(24*time.Hour)

	t.Run("removes what is due in batches, and a family only when it is empty", func(t *testing.T) {
		f := aFamily("alice")
		var records []store.Record
		for range 7 {
			r := aRecord(f)
			r.KeepUntil = time.Time{}
			records = append(records, r)
		}
		if err := s.Exchange(t.Context(), &store.Change{Family: f, Begin: true, Issue: records}); err != nil {
			t.Fatal(err)
		}
		purged(t, s, now, 5, 0)
		purged(t, s, later, 0, 0)
		purged(t, s, later, 5, 5)
		if live, err := s.FamilyLive(t.Context(), f.ID); !live || err != nil {
			t.Fatalf("the family that still has records: %t, %v", live, err)
		}
		purged(t, s, later, 2, 2)
		purged(t, s, later, 5, 1)
		purged(t, s, later, 5, 0)
	})
	t.Run("passes over what an open exchange extends, and leaves it then", func(t *testing.T) {
		f, r := begun(t, s, "alice")
		g, _ := begun(t, s, "bob")
		h := hold(t, url)
		long := now.Add(48 * time.Hour)
		change := &store.Change{Family: f, Extend: &store.Extension{Key: r.Key, KeepUntil: long}}
		change.Family.KeepUntil = long
		h.exchange(change)
		purged(t, s, later, 100, 2) // g and its record
		if err := h.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		purged(t, s, later, 100, 0)
		if got, _ := find(t, s, r.Key); got == nil {
			t.Error("the record that was extended is gone")
		}
		if live, err := s.FamilyLive(t.Context(), g.ID); live || err != nil {
			t.Errorf("the family that nobody extended: %t, %v", live, err)
		}
		purged(t, s, long, 100, 2)
	})
	t.Run("leaves the records of a family that an open exchange keeps for longer", func(t *testing.T) {
		f := aFamily("alice")
		r := aRecord(f)
		r.KeepUntil = time.Time{}
		if err := s.Exchange(t.Context(), &store.Change{Family: f, Begin: true, Issue: []store.Record{r}}); err != nil {
			t.Fatal(err)
		}
		h := hold(t, url)
		f.KeepUntil = now.Add(48 * time.Hour)
		h.exchange(&store.Change{Family: f})
		purged(t, s, later, 100, 0)
		if err := h.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, _ := find(t, s, r.Key); got == nil {
			t.Error("the record is gone, and its family lives")
		}
		purged(t, s, f.KeepUntil, 100, 2)
	})
	t.Run("makes an exchange wait that comes while it deletes", func(t *testing.T) {
		f, r := begun(t, s, "alice")
		change, next := rotation(f, r, "late")
		h := hold(t, url)
		if _, err := h.Exec(t.Context(), "SELECT grantor_purge($1, 100)", store.Micros(later)); err != nil {
			t.Fatal(err)
		}
		err := h.waited(url, h.Commit, func() error { return s.Exchange(context.Background(), change) })
		wantError(t, "the exchange", err, store.ErrNotFound)
		if got, _ := find(t, s, next.Key); got != nil {
			t.Error("the exchange added to a family that was removed")
		}
	})
	t.Run("passes over what another removes", func(t *testing.T) {
		begun(t, s, "alice")
		h := hold(t, url)
		if _, err := h.Exec(t.Context(), "SELECT grantor_purge($1, 1)", store.Micros(later)); err != nil {
			t.Fatal(err) // the record, not the family
		}
		purged(t, s, later, 100, 0)
		if err := h.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
		purged(t, s, later, 100, 2)
	})
}
