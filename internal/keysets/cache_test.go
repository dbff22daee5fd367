package keysets

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheURLThatWasUnusedForLongestGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := connect(`{"keys":[]}`)
		use := func(i int) {
			t.Helper()
			if _, err := find(r, t.Context(), fmt.Sprint(there, i), "", "ES256"); err != nil {
				t.Fatal(err)
			}
		}
		fetched := func(i, want int) {
			t.Helper()
			if got := w.fetches[fmt.Sprint(there, i)]; got != want {
				t.Errorf("URL %d: %d fetches, want %d", i, got, want)
			}
		}
		for i := range maxURLs {
			use(i)
		}
		use(0)
		fetched(0, 1)
		use(maxURLs)
		use(0)
		fetched(0, 1)
		use(1)
		fetched(1, 2)
		use(3)
		fetched(3, 1)
		use(2)
		fetched(2, 2)
		if len(r.cache.elements) != maxURLs || r.cache.used.Len() != maxURLs {
			t.Errorf("%d and %d URLs are kept, want %d", len(r.cache.elements), r.cache.used.Len(), maxURLs)
		}
	})
}

// A bubble fails if a goroutine of it is left behind.
func TestAURLThatGoesWhileItIsFetchedServesWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := connect(setOf("a"))
		w.hangs[here] = true
		go outage(t, r, "a")
		synctest.Wait()
		for i := range maxURLs {
			if _, err := find(r, t.Context(), fmt.Sprint(there, i), "", "ES256"); err != nil {
				t.Fatal(err)
			}
		}
		if r.cache.elements[here] != nil {
			t.Error("it is still there")
		}
		time.Sleep(fetchTimeout)
	})
}
