package tokenendpoint

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// heldHashes counts the slow hashes under way and holds them until released.
type heldHashes struct {
	mu            sync.Mutex
	running, most int
	release       chan struct{}
}

func (h *heldHashes) computed(algorithm string) {
	if algorithm != "bcrypt" {
		return
	}
	h.mu.Lock()
	h.running++
	h.most = max(h.most, h.running)
	h.mu.Unlock()
	<-h.release
	h.mu.Lock()
	h.running--
	h.mu.Unlock()
}

func heldEndpoint(t *testing.T) (*Endpoint, *heldHashes) {
	held := &heldHashes{release: make(chan struct{})}
	return workEndpoint(t, "", held.computed, workClient("slow", workHash("bcrypt", workSecret))), held
}

func checkBusy(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "5" || w.Body.String() != `{"error":"temporarily_unavailable"}` {
		t.Errorf("answered %d %v %s", w.Code, w.Header(), w.Body)
	}
}

// X-HTTP-11: a flood of wrong secrets is told to come back. A bubble tells when
// all of its goroutines wait, so that no test has to sleep until they do.
func TestSlowHashesAreBounded(t *testing.T) {
	slots := max(1, runtime.GOMAXPROCS(0)/2) // half of the processors are left for those who do not guess
	t.Run("when the line behind the slots is full, the next is told to come back", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			e, held := heldEndpoint(t)
			var mu sync.Mutex
			var answers []*httptest.ResponseRecorder
			var flood sync.WaitGroup
			line := 0
			for ; line < 100*slots && len(answers) == 0; line++ { // until one is turned away
				flood.Go(func() {
					w := workAnswer(e, "slow", "wrong")
					mu.Lock()
					defer mu.Unlock()
					answers = append(answers, w)
				})
				synctest.Wait()
			}
			if len(answers) != 1 || line <= slots {
				t.Fatalf("%d answers to %d requests with %d slots", len(answers), line, slots)
			}
			checkBusy(t, answers[0])
			checkBusy(t, workAnswer(e, "slow", workSecret))
			if w := workAnswer(e, "unknown", "wrong"); w.Code != http.StatusUnauthorized { // a fast hash waits for no slow one
				t.Errorf("an unknown client was answered %d %s", w.Code, w.Body)
			}
			close(held.release)
			flood.Wait()
			for _, w := range answers[1:] {
				if w.Code != http.StatusUnauthorized {
					t.Errorf("one in the line was answered %d %s", w.Code, w.Body)
				}
			}
			if held.most != slots {
				t.Errorf("%d hashes at once in %d slots", held.most, slots)
			}
			if w := workAnswer(e, "slow", workSecret); w.Code != http.StatusOK {
				t.Errorf("after the flood: %d %s", w.Code, w.Body)
			}
		})
	})
	t.Run("whoever waits in the line longer than Config.Timeout is told to come back", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			e, held := heldEndpoint(t)
			var running sync.WaitGroup
			for range slots {
				running.Go(func() { workAnswer(e, "slow", "wrong") })
			}
			synctest.Wait()
			start := time.Now() // of the bubble, where time passes when all wait
			checkBusy(t, workAnswer(e, "slow", workSecret))
			if waited := time.Since(start); waited != e.config.Timeout {
				t.Errorf("it waited %v", waited)
			}
			close(held.release)
			running.Wait()
		})
	})
}
