package redis

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
)

func TestTheEngineCollects(t *testing.T) {
	e := newEngine(t, "redis-server")

	t.Run("a family goes some minutes after its end, and never at once", func(t *testing.T) {
		s := newStore(t, e.client(), prefix())
		for keep, want := range map[time.Duration]time.Duration{time.Hour: 70 * time.Minute, -time.Hour: 10 * time.Minute, 0: 10 * time.Minute} {
			f := newFamily(keep)
			r := newRecord(f)
			begin(t, s, f, r)
			find(t, s, r.Key)
			if left := s.client.PTTL(t.Context(), s.familyKey(f.ID)).Val(); left > want || left < want-time.Minute {
				t.Errorf("kept for %v: the key lasts for %v, want %v", keep, left, want)
			}
		}
	})

	t.Run("records that have ended do not pile up in a family, and the others stay", func(t *testing.T) {
		s, f := newStore(t, e.client(), prefix()), newFamily(time.Hour)
		var stay []store.Record
		begin(t, s, f)
		for i := range 400 {
			r := newRecord(f)
			switch {
			case i%20 == 0:
				stay = append(stay, r)
			case i%20 == 1: // it has ended by less than the margin
				r.KeepUntil = in(-5 * time.Minute)
				stay = append(stay, r)
			case i%20 == 2: // as long as its family
				r.KeepUntil = time.Time{}
				stay = append(stay, r)
			default:
				r.KeepUntil = in(-time.Hour)
			}
			if err := s.Exchange(t.Context(), &store.Change{Family: store.Family{ID: f.ID}, Issue: []store.Record{r}}); err != nil {
				t.Fatal(err)
			}
		}
		for _, r := range stay {
			find(t, s, r.Key)
		}
		if n := s.client.HLen(t.Context(), s.familyKey(f.ID)).Val(); n > 150 {
			t.Errorf("of 400 records, %d of them needed, %d fields are kept", len(stay), n)
		}
	})

	t.Run("a record that is spent and extended at once is both", func(t *testing.T) {
		s, f := newStore(t, e.client(), prefix()), newFamily(time.Hour)
		r := newRecord(f)
		begin(t, s, f, r)
		change := rotation(r, newRecord(f), "me")
		change.Extend = &store.Extension{Key: r.Key, ExpiresAt: in(2 * time.Hour), KeepUntil: in(3 * time.Hour)}
		if err := s.Exchange(t.Context(), change); err != nil {
			t.Fatal(err)
		}
		if r := find(t, s, r.Key); r.SpentBy != "me" || r.Version != 1 || !r.ExpiresAt.Equal(change.Extend.ExpiresAt) || !r.KeepUntil.Equal(change.Extend.KeepUntil) {
			t.Errorf("kept as %+v", r)
		}
	})

	t.Run("what an exchange spends and extends it does not collect", func(t *testing.T) {
		s, f := newStore(t, e.client(), prefix()), newFamily(time.Hour)
		records := make([]store.Record, 40)
		for i := range records {
			records[i] = newRecord(f)
			records[i].KeepUntil = in(-time.Hour)
		}
		begin(t, s, f, records...)
		for range 40 {
			spend := rotation(records[0], newRecord(f), "me")
			spend.Spend.Version, spend.Spend.KeepUntil = find(t, s, records[0].Key).Version, in(-time.Hour)
			spend.Extend = &store.Extension{Key: records[1].Key, ExpiresAt: in(2 * time.Hour)}
			if err := s.Exchange(t.Context(), spend); errors.Is(err, store.ErrNotFound) {
				return // an exchange before collected one of them, as it may
			} else if err != nil {
				t.Fatal(err)
			}
			if find(t, s, records[0].Key).SpentBy != "me" || !find(t, s, records[1].Key).ExpiresAt.After(in(time.Hour)) {
				t.Fatal("a part of the exchange is missing")
			}
		}
	})
}

func TestWhatCannotBeReadIsCorrupt(t *testing.T) {
	e := newEngine(t, "redis-server")
	for name, spoil := range map[string]func(s *Store, family, field string){
		"a family that is a string": func(s *Store, family, _ string) {
			s.client.Del(t.Context(), family)
			s.client.Set(t.Context(), family, "canary", 0)
		},
		"a record without a head": func(s *Store, family, field string) {
			s.client.HSet(t.Context(), family, field, "canary")
		},
		"a record whose version is no number": func(s *Store, family, field string) {
			s.client.HSet(t.Context(), family, field, "canary 0 0 0 r\n{}")
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, f := newStore(t, e.client(), prefix()), newFamily(time.Hour)
			r := newRecord(f)
			begin(t, s, f, r)
			spoil(s, s.familyKey(f.ID), "r"+r.Key.Hash)
			_, _, found := s.Find(t.Context(), r.Key)
			extend := &store.Change{Family: f, Extend: &store.Extension{Key: r.Key, ExpiresAt: in(time.Hour)}}
			for what, err := range map[string]error{
				"Find": found, "Update": s.Update(t.Context(), &r), "Exchange": s.Exchange(t.Context(), extend),
			} {
				if !errors.Is(err, store.ErrCorrupt) || strings.Contains(err.Error(), "canary") {
					t.Errorf("%s returned %v", what, err)
				}
			}
		})
	}
	t.Run("the body of a record", func(t *testing.T) {
		s, f := newStore(t, e.client(), prefix()), newFamily(time.Hour)
		r := newRecord(f)
		begin(t, s, f, r)
		for _, value := range []string{"0 0 0 0 r\ncanary", "0 0 0 0 r", "0 0 0 0", "", "\n"} {
			s.client.HSet(t.Context(), s.familyKey(f.ID), "r"+r.Key.Hash, value)
			if _, _, err := s.Find(t.Context(), r.Key); !errors.Is(err, store.ErrCorrupt) || strings.Contains(err.Error(), "canary") {
				t.Errorf("Find of %q returned %v", value, err)
			}
		}
	})
	t.Run("the times of a family", func(t *testing.T) {
		s, f := newStore(t, e.client(), prefix()), newFamily(time.Hour)
		r := newRecord(f)
		begin(t, s, f, r)
		for _, field := range []string{"t", "k", "x"} {
			s.client.HSet(t.Context(), s.familyKey(f.ID), field, "canary")
			if _, _, err := s.Find(t.Context(), r.Key); !errors.Is(err, store.ErrCorrupt) || strings.Contains(err.Error(), "canary") {
				t.Errorf("Find with a spoilt %s returned %v", field, err)
			}
			s.client.HSet(t.Context(), s.familyKey(f.ID), field, "1")
		}
	})
	t.Run("an index that is a string", func(t *testing.T) {
		s := newStore(t, e.client(), prefix())
		s.client.Set(t.Context(), s.indexKeys("", "alice", "")[0], "canary", 0)
		if _, err := s.Revoke(t.Context(), store.Match{Subject: "alice"}, in(0)); !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("Revoke returned %v", err)
		}
	})
}
