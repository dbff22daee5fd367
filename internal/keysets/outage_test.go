package keysets

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grantor-go/grantor/internal/fetch"
	"github.com/grantor-go/grantor/internal/jose"
)

func TestAKnownSetOutlastsAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := connect(setOf("a"))
		finds(t, r, "a", "ES256", "a")
		w.err = errDown
		time.Sleep(10*time.Minute + 24*time.Hour - 1)
		finds(t, r, "a", "ES256", "a")
		synctest.Wait()
		w.have(t, 2, "in the outage")
		time.Sleep(time.Nanosecond)
		outage(t, r, "a")
		time.Sleep(time.Minute)
		w.err = nil
		finds(t, r, "a", "ES256", "a")
	})
}

func TestNobodyWaitsForASlowURLWhoseSetIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := connect(setOf("a"))
		finds(t, r, "a", "ES256", "a")
		w.hangs[here] = true
		time.Sleep(10*time.Minute + 30*time.Second)
		before := time.Now()
		for range 100 {
			finds(t, r, "a", "ES256", "a")
		}
		if passed := time.Since(before); passed != 0 { // no time passes in a bubble while nobody waits
			t.Errorf("they waited %v", passed)
		}
		synctest.Wait()
		w.have(t, 2, "while a hundred asked")
		time.Sleep(fetchTimeout)
	})
}

// That the old set has no such key does not say that the new one has none.
func TestAnUnknownKidIsAnOutageIfTheSetCannotBeFetched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := connect(setOf("a"))
		finds(t, r, "a", "ES256", "a")
		w.err = errDown
		for range 1000 {
			outage(t, r, "b")
			finds(t, r, "a", "ES256", "a")
		}
		time.Sleep(5 * time.Second) // one may fetch again, but not yet for a kid
		outage(t, r, "b")
		w.have(t, 2, "within 10 seconds")
		time.Sleep(5 * time.Second)
		w.err, w.body = nil, setOf("b")
		finds(t, r, "b", "ES256", "b")
		finds(t, r, "c", "ES256")
	})
}

func TestAFailureIsNotRepeatedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := connect(setOf("a"))
		w.err = errDown
		for round := range 2 { // a success begins anew
			for i, pause := range []time.Duration{5, 10, 20, 40, 40, 40} {
				for range 100 {
					outage(t, r, "a")
				}
				w.have(t, round*7+i+1, "before the pause is over")
				time.Sleep(pause*time.Second - 1)
				outage(t, r, "a")
				w.have(t, round*7+i+1, "just before the pause is over")
				time.Sleep(time.Nanosecond)
			}
			w.err = nil
			finds(t, r, "a", "ES256", "a")
			w.have(t, round*7+7, "when it is there again")
			w.err = errDown
			time.Sleep(10*time.Minute + 24*time.Hour)
		}
	})
}

func TestMistakesOfClientsAreToldFromOutages(t *testing.T) {
	for _, c := range []struct {
		name, body string
		err, want  error
	}{
		{"a network that is down", "", errDown, ErrUnavailable},
		{"an address that may not be reached", "", fmt.Errorf("%w: x", fetch.ErrRefused), ErrUnusable},
		{"an answer that is no document", "", fmt.Errorf("%w: x", fetch.ErrAnswer), ErrUnusable},
		{"a document that is no set", `{"secret":[]}`, nil, ErrUnusable},
		{"a set with a private key", `{"keys":[{"kty":"EC","d":"secret"}]}`, nil, ErrUnusable},
		{"a set with a symmetric key", `{"keys":[{"kty":"oct","k":"secret"}]}`, nil, ErrUnusable},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, w := connect(c.body)
				w.err = c.err
				for range 2 { // also from the cache
					keys, err := find(r, t.Context(), here, "a", "ES256")
					if keys != nil || !errors.Is(err, c.want) || errors.Is(err, ErrUnusable) == errors.Is(err, ErrUnavailable) {
						t.Errorf("%v, %v, want %v", keys, err, c.want)
					}
					if c.err != nil && !errors.Is(err, c.err) {
						t.Errorf("%v does not wrap its cause", err)
					}
					if err != nil && strings.Contains(err.Error(), "secret") {
						t.Errorf("%v quotes what was there", err)
					}
				}
				w.have(t, 1, "for both")
			})
		})
	}
}

// Its owner may have withdrawn it.
func TestASetThatGoesBadIsKeptForAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := connect(setOf("a"))
		finds(t, r, "a", "ES256", "a")
		w.body = "<html>"
		time.Sleep(30 * time.Minute)
		finds(t, r, "a", "ES256", "a")
		synctest.Wait()
		finds(t, r, "a", "ES256", "a")
		w.have(t, 2, "when it went bad")
		time.Sleep(40*time.Minute - 1)
		finds(t, r, "a", "ES256", "a")
		time.Sleep(2 * time.Minute)
		if keys, err := find(r, t.Context(), here, "a", "ES256"); keys != nil || !errors.Is(err, ErrUnusable) {
			t.Errorf("%v, %v", keys, err)
		}
		w.body = setOf("a")
		time.Sleep(time.Minute)
		finds(t, r, "a", "ES256", "a")
	})
}

// A key that was replaced under its kid is sought like one that is new.
func TestTheSetIsFetchedAgainIfNoKeyIsTheOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := connect(setOf("a"))
		finds(t, r, "a", "ES256", "a")
		calls := 0
		try := func(keys []jose.JWK) bool { calls++; return calls == 2 && len(keys) == 1 }
		if ok, err := r.Try(t.Context(), here, try); !ok || err != nil || calls != 2 {
			t.Errorf("%v, %v after %d calls", ok, err, calls)
		}
		w.have(t, 2, "for the same kid")
		if ok, err := r.Try(t.Context(), here, func([]jose.JWK) bool { calls++; return false }); ok || err != nil || calls != 3 {
			t.Errorf("%v, %v after %d calls, want no second one without a fetch", ok, err, calls)
		}
	})
}

// A key that was withdrawn while nobody asked is not good once more.
func TestWhoComesLaterWaitsForTheSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := connect(setOf("a"))
		finds(t, r, "a", "ES256", "a")
		w.body = setOf("b")
		time.Sleep(20 * time.Hour)
		finds(t, r, "a", "ES256")
		finds(t, r, "b", "ES256", "b")
		w.have(t, 2, "after twenty hours")
	})
	t.Run("and an answer that is none is as a key that is gone", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r, w := connect(setOf("a"))
			finds(t, r, "a", "ES256", "a")
			w.body = "<html>"
			time.Sleep(20 * time.Hour)
			if keys, err := find(r, t.Context(), here, "a", "ES256"); keys != nil || !errors.Is(err, ErrUnusable) {
				t.Errorf("%v, %v", keys, err)
			}
		})
	})
	t.Run("but once alone, if the URL hangs", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r, w := connect(setOf("a"))
			finds(t, r, "a", "ES256", "a")
			w.hangs[here] = true
			time.Sleep(20 * time.Hour)
			begun := time.Now()
			finds(t, r, "a", "ES256", "a")
			if took := time.Since(begun); took != fetchTimeout {
				t.Errorf("it waited %v", took)
			}
			for range 10 {
				time.Sleep(30 * time.Second)
				begun = time.Now()
				finds(t, r, "a", "ES256", "a")
				if took := time.Since(begun); took != 0 {
					t.Errorf("it waited %v again", took)
				}
			}
			time.Sleep(time.Minute)
		})
	})
	t.Run("and leaves with its context", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r, w := connect(setOf("a"))
			finds(t, r, "a", "ES256", "a")
			w.hangs[here] = true
			time.Sleep(20 * time.Hour)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, err := find(r, ctx, here, "a", "ES256"); !errors.Is(err, ErrUnavailable) {
				t.Errorf("%v", err)
			}
			time.Sleep(time.Minute)
		})
	})
}

func TestAPanicIsAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &Remote{Get: func(context.Context, string) ([]byte, time.Duration, error) { panic("a bug") }}
		outage(t, r, "a")
	})
}
