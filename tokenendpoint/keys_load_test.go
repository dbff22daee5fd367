package tokenendpoint_test

import (
	"encoding/json"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The clock goes on by an hour in the middle of each round, and so over eight
// rolls in all. No request may notice.
func TestKeysRollUnderLoad(t *testing.T) {
	const rounds, callers, each = 80, 8, 2
	for name, dir := range map[string]string{"in memory": "", "in a folder": t.TempDir()} {
		t.Run("No request fails while keys roll "+name, func(t *testing.T) {
			clock := newKeysClock(keysStart)
			endpoint := keysEndpoint(t, keysQuick(dir, clock), clock)
			var failures atomic.Int64
			kids := map[string]bool{}
			for range rounds {
				tokens := make(chan string, callers*each)
				var all sync.WaitGroup
				for caller := range callers {
					all.Go(func() {
						if caller == callers/2 {
							clock.Advance(time.Hour)
						}
						for range each {
							w := keysAsk(endpoint)
							var answer struct {
								AccessToken string `json:"access_token"`
							}
							if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusOK {
								failures.Add(1)
								t.Logf("status %d: %s", w.Code, w.Body)
								continue
							}
							tokens <- answer.AccessToken
						}
					})
				}
				all.Wait()
				close(tokens)
				set := keysPublished(t, endpoint)
				for token := range tokens {
					kids[keysVerify(t, set, token).Kid] = true
				}
			}
			if n := failures.Load(); n != 0 {
				t.Errorf("%d of %d requests failed", n, rounds*callers*each)
			}
			if len(kids) != 9 {
				t.Errorf("%d keys signed in eighty hours, want 9", len(kids))
			}
		})
	}
}

// Many that come at once to a source that has no key yet wait for one and the same.
func TestTheFirstCallersOfKeysAgree(t *testing.T) {
	clock := newKeysClock(keysStart)
	source := keysQuick("", clock)
	got := make(chan string, 16)
	var all sync.WaitGroup
	for range cap(got) {
		all.Go(func() {
			keys, err := source.Keys(t.Context())
			if err != nil || len(keys) != 1 {
				t.Errorf("%d keys, %v", len(keys), err)
				return
			}
			got <- keys[0].ID
		})
	}
	all.Wait()
	close(got)
	first := <-got
	for kid := range got {
		if kid != first {
			t.Errorf("got keys %q and %q, want one", first, kid)
		}
	}
}

// Whoever comes while another rolls does not wait: there is a key to go on with.
func TestNobodyWaitsForARollWhileThereIsAKey(t *testing.T) {
	clock := newKeysClock(keysStart)
	began, goOn := make(chan struct{}), make(chan struct{})
	var hold atomic.Bool
	log := &keysHeldLog{began: began, goOn: goOn, hold: &hold}
	source := keysQuick("", clock)
	source.Logger = log.Logger()
	before, err := source.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	// A roll that fails tells the log, which is where this one is held back.
	source.Alg = "none"
	clock.Advance(8 * time.Hour)
	hold.Store(true)
	rolled := make(chan error, 1)
	go func() {
		_, err := source.Keys(t.Context())
		rolled <- err
	}()
	<-began
	if keys, err := source.Keys(t.Context()); err != nil || &keys[0] != &before[0] {
		t.Errorf("got %v, %v, want the keys from before", keys, err)
	}
	hold.Store(false)
	close(goOn)
	if err := <-rolled; err != nil {
		t.Error(err)
	}
}
