package keysets

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestOneFetchServesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := connect(setOf("a"))
		for range 100 {
			go func() { finds(t, r, "a", "ES256", "a") }()
		}
		synctest.Wait()
		w.have(t, 1, "for a hundred at once")
	})
}

func TestItIsToldWhenAFetchCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := connect(setOf("a"))
		told := 0
		r.Fetched = func() {
			told++
			r.mu.Lock()
			defer r.mu.Unlock()
			if e := r.cache.entry(here); e.keys == nil || e.keys[0].Kid != "abc"[told-1:told] {
				t.Errorf("fetch %d: the keys are %v", told, e.keys)
			}
		}
		for _, kid := range []string{"a", "b", "c"} {
			w.body = setOf(kid)
			finds(t, r, kid, "ES256", kid)
			time.Sleep(10 * time.Second)
		}
		if told != 3 {
			t.Errorf("it was told %d times of 3 fetches", told)
		}
	})
}

func TestAWaiterLeavesWithItsContextAndTheFetchGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := connect("")
		answers := make(chan struct{})
		r.Get = func(ctx context.Context, url string) ([]byte, time.Duration, error) {
			w.get(ctx, url)
			select {
			case <-answers:
				return []byte(setOf("a")), -1, nil
			case <-ctx.Done():
				return nil, 0, ctx.Err()
			}
		}
		first, leave := context.WithCancel(t.Context())
		left := make(chan error)
		go func() {
			_, err := find(r, first, here, "a", "ES256")
			left <- err
		}()
		synctest.Wait()
		go func() { finds(t, r, "a", "ES256", "a") }()
		synctest.Wait()
		leave()
		if err := <-left; !errors.Is(err, ErrUnavailable) || !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want an outage that wraps context.Canceled", err)
		}
		close(answers)
		synctest.Wait()
		finds(t, r, "a", "ES256", "a")
		w.have(t, 1, "for all")
	})
}

func TestAFetchEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := connect(setOf("a"))
		w.hangs[here] = true
		begun := time.Now()
		outage(t, r, "a")
		if took := time.Since(begun); took != fetchTimeout {
			t.Errorf("it took %v, want %v", took, fetchTimeout)
		}
	})
}

func TestASlowURLDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := connect(setOf("a"))
		w.hangs[there] = true
		go find(r, t.Context(), there, "", "ES256")
		synctest.Wait()
		begun := time.Now()
		finds(t, r, "a", "ES256", "a")
		finds(t, r, "unknown", "ES256")
		if atOnce, _ := w.load(); time.Since(begun) != 0 || atOnce != 1 {
			t.Errorf("it took %v beside %d slow fetches", time.Since(begun), atOnce)
		}
		time.Sleep(fetchTimeout)
	})
}

// hang occupies n fetches for their whole time.
func hang(t *testing.T, r *Remote, w *web, n int) {
	for i := range n {
		w.hangs[fmt.Sprint(there, i)] = true
	}
	for i := range n {
		go find(r, t.Context(), fmt.Sprint(there, i), "", "ES256")
	}
	synctest.Wait()
}

func TestSoManyAreFetchedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := connect(setOf("a"))
		hang(t, r, w, maxFetches+4)
		if atOnce, _ := w.load(); atOnce != maxFetches {
			t.Errorf("%d at once", atOnce)
		}
		time.Sleep(fetchTimeout - 1)
		begun := time.Now()
		finds(t, r, "a", "ES256", "a") // when there is room
		if took := time.Since(begun); took != 1 {
			t.Errorf("it waited %v for room", took)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if atOnce, most := w.load(); most != maxFetches || atOnce != 0 {
			t.Errorf("%d at once, and %d in the end", most, atOnce)
		}
	})
}

func TestThatOthersFetchIsNotHeldAgainstAURL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := connect(setOf("a"))
		finds(t, r, "a", "ES256", "a")
		w.fetches[here] = 0
		time.Sleep(10*time.Minute + 24*time.Hour)
		hold := make(chan struct{})
		r.Get = func(ctx context.Context, url string) ([]byte, time.Duration, error) {
			if url != here {
				<-hold
			}
			return w.get(ctx, url)
		}
		hang(t, r, w, maxFetches)
		begun := time.Now()
		outage(t, r, "a")
		if took := time.Since(begun); took != slotTimeout {
			t.Errorf("it waited %v, want %v", took, slotTimeout)
		}
		w.have(t, 0, "without room")
		close(hold) // the time of the others is over
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		finds(t, r, "a", "ES256", "a") // no pause
		w.have(t, 1, "with room")
	})
}
