package redis

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/grantor-go/grantor/store"
)

func TestFamilies(t *testing.T) {
	t.Parallel()
	e := newEngine(t, "redis-server")

	t.Run("all of many that end at the same moment are listed once, and nothing else", func(t *testing.T) {
		s := newStore(t, e.client(), prefix())
		const n = 2*page + 500
		key := s.indexKeys("", "alice", "")[0]
		pipe := s.client.Pipeline()
		var want []string
		for i := range n {
			f := newFamily(time.Hour)
			ends := float64(in(time.Hour).UnixMicro())
			if i > 200 && i < n-200 {
				ends = float64(in(0).Truncate(24 * time.Hour).UnixMicro())
			}
			pipe.ZAdd(t.Context(), key, redis.Z{Score: ends, Member: f.ID})
			fields := []any{"t", n - i, "k", 1, "c", "shop", "s", "alice", "n", ""}
			switch i % 10 {
			case 0: // it has ended
				continue
			case 1: // a tombstone
				fields = []any{"x", 1}
			case 2: // revoked
				fields = append(fields, "x", 1)
			case 3: // another named its user first
				fields[7] = "bob"
			case 4: // nobody did yet
				fields[7] = ""
			default:
				want = append(want, f.ID)
			}
			pipe.HSet(t.Context(), s.familyKey(f.ID), fields...)
		}
		if _, err := pipe.Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
		families, err := s.Families(t.Context(), "alice")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range families {
			got = append(got, f.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d families are listed, want %d, newest first", len(got), len(want))
		}
		for trips := range 4 { // the first two are of the first page
			families, err = limited(t, e, s, trips+1).Families(t.Context(), "alice")
			if outage(t, "a list that is cut short", err); families != nil {
				t.Errorf("beside the error it returned %d families", len(families))
			}
		}
	})

	t.Run("what cannot be read is corrupt, and not left out", func(t *testing.T) {
		for name, spoil := range map[string]func(s *Store, f store.Family){
			"a family that is a string": func(s *Store, f store.Family) {
				s.client.Del(t.Context(), s.familyKey(f.ID))
				s.client.Set(t.Context(), s.familyKey(f.ID), "canary", 0)
			},
			"a family whose time is no number": func(s *Store, f store.Family) {
				s.client.HSet(t.Context(), s.familyKey(f.ID), "t", "canary")
			},
			"an index that is a string": func(s *Store, f store.Family) {
				key := s.indexKeys("", f.Subject, "")[0]
				s.client.Del(t.Context(), key)
				s.client.Set(t.Context(), key, "canary", 0)
			},
		} {
			s, f := newStore(t, e.client(), prefix()), newFamily(time.Hour)
			begin(t, s, f)
			begin(t, s, newFamily(time.Hour))
			spoil(s, f)
			families, err := s.Families(t.Context(), f.Subject)
			if !errors.Is(err, store.ErrCorrupt) || strings.Contains(err.Error(), "canary") || families != nil {
				t.Errorf("%s: Families returned %d families, %v", name, len(families), err)
			}
		}
	})
}
