package keysets

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestASetIsKeptForItsTime(t *testing.T) {
	for maxAge, want := range map[time.Duration]time.Duration{
		-1: 10 * time.Minute, 0: time.Minute, 30 * time.Second: time.Minute, 40 * time.Minute: 40 * time.Minute,
		24 * time.Hour: time.Hour, 1 << 31 * time.Second: time.Hour,
	} {
		t.Run(fmt.Sprintf("max-age %v means %v", maxAge, want), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, w := connect(setOf("a"))
				w.maxAge = maxAge
				finds(t, r, "a", "ES256", "a")
				time.Sleep(want - 1)
				finds(t, r, "a", "ES256", "a")
				synctest.Wait()
				w.have(t, 1, "before its end")
				time.Sleep(time.Nanosecond)
				w.body = setOf("b")
				finds(t, r, "a", "ES256", "a") // nobody waits
				synctest.Wait()
				w.have(t, 2, "at its end")
				finds(t, r, "b", "ES256", "b")
				w.have(t, 2, "afterwards")
			})
		})
	}
}

func TestTheClockIsTheCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := connect(setOf("a"))
		now := time.Unix(0, 0)
		r.Now = func() time.Time { return now }
		finds(t, r, "a", "ES256", "a")
		now = now.Add(10 * time.Minute)
		finds(t, r, "a", "ES256", "a")
		synctest.Wait()
		w.have(t, 2, "by its clock")
	})
}

func TestKeysAreFoundByKidAndAlg(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := connect(setOf("a", "b", "a"))
		for _, c := range []struct {
			kid, alg string
			want     []string
		}{
			{"a", "ES256", []string{"a", "a"}},
			{"b", "ES256", []string{"b"}},
			{"", "ES256", []string{"a", "b", "a"}},
			{"a", "RS256", nil},
			{"", "none", nil},
			{"A", "ES256", nil},
		} {
			finds(t, r, c.kid, c.alg, c.want...)
		}
		w.have(t, 2, "for all, of which one was for what was not there")
		if keys, err := find(r, t.Context(), here, "", "ES256"); err != nil || len(keys) != 3 {
			t.Errorf("Keys: %v, %v, want three", keys, err)
		}
	})
}

func TestASetWithoutKeysIsNoOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := connect(`{"keys":[]}`)
		finds(t, r, "a", "ES256")
		finds(t, r, "", "ES256")
		if keys, err := find(r, t.Context(), here, "", "ES256"); err != nil || len(keys) != 0 {
			t.Errorf("Keys: %v, %v, want none", keys, err)
		}
		w.have(t, 1, "for all")
	})
}

// X-JWKS-FETCH-02: a key that the client has just begun to use is found, and who makes
// kids up costs a fetch every 10 seconds.
func TestAnUnknownKidFetchesAgain(t *testing.T) {
	t.Run("at once, also a moment after the first fetch", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r, w := connect(setOf("a"))
			finds(t, r, "a", "ES256", "a")
			w.body = setOf("b")
			finds(t, r, "b", "ES256", "b")
			finds(t, r, "b", "ES256", "b")
			w.have(t, 2, "for the new key")
		})
	})
	t.Run("every 10 seconds, however many there are", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r, w := connect(setOf("a"))
			finds(t, r, "a", "ES256", "a")
			for round := range 3 {
				for i := range 10_000 {
					finds(t, r, fmt.Sprint("unknown", i), "ES256")
				}
				w.have(t, 2+round, "after ten thousand")
				time.Sleep(10*time.Second - 1)
				finds(t, r, "unknown", "ES256")
				w.have(t, 2+round, "before they are over")
				time.Sleep(time.Nanosecond)
			}
		})
	})
	t.Run("not if the set was fetched for it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r, w := connect(setOf("a"))
			finds(t, r, "unknown", "ES256")
			finds(t, r, "unknown", "ES256")
			w.have(t, 1, "for an unknown kid and no set")
			time.Sleep(10 * time.Second)
			finds(t, r, "unknown", "ES256")
			w.have(t, 2, "10 seconds later")
		})
	})
	t.Run("and one fetch serves all who look for it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r, w := connect(setOf("a"))
			finds(t, r, "a", "ES256", "a")
			w.body = setOf("b")
			for range 100 {
				go func() { finds(t, r, "b", "ES256", "b") }()
			}
			synctest.Wait()
			w.have(t, 2, "for a hundred at once")
		})
	})
	t.Run("for its own URL alone", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r, w := connect(setOf("a"))
			finds(t, r, "unknown", "ES256")
			if keys, err := find(r, t.Context(), there, "a", "ES256"); err != nil || len(keys) != 1 {
				t.Errorf("%v, %v", keys, err)
			}
			w.body = setOf("b")
			if keys, err := find(r, t.Context(), there, "b", "ES256"); err != nil || len(keys) != 1 {
				t.Errorf("%v, %v", keys, err)
			}
			if w.fetches[here] != 1 || w.fetches[there] != 2 {
				t.Errorf("fetches: %v", w.fetches)
			}
		})
	})
}
