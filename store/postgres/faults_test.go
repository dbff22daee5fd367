package postgres

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
)

func TestAnEngineThatIsKilledKeepsWhatItAnswered(t *testing.T) {
	e := newEngine(t)
	url := schemaIn(t, e.url())
	s := open(t, with(url, "pool_max_conns", "16"))
	const chains, subjects, families = 8, 2000, 5

	// Some rotate one family each; others revoke one subject of several families after
	// the other.
	var first [chains]store.Key
	var answered [chains][]string
	for i := range first {
		_, r := begun(t, s, "the rotated")
		first[i], answered[i] = r.Key, []string{r.Key.Hash}
	}
	do(t, connect(t, url), `INSERT INTO grantor_families
		SELECT 'family ' || f || ' of ' || s, 'app', 'revoked ' || s, '', 1, 0, 1
		FROM generate_series(0, $1 - 1) s, generate_series(1, $2) f`, subjects, families)

	var done atomic.Int64
	enough, load := make(chan struct{}), sync.WaitGroup{}
	count := func() {
		if done.Add(1) == 200 {
			close(enough)
		}
	}
	for i := range first {
		load.Go(func() {
			key := first[i]
			for {
				r, f, err := s.Find(context.Background(), key)
				if err == nil {
					change, next := rotation(*f, *r, "me")
					if err = s.Exchange(context.Background(), change); err == nil {
						key = next.Key
						answered[i] = append(answered[i], key.Hash)
						count()
						continue
					}
				}
				if isVerdict(err) {
					t.Errorf("the engine was killed, and the error is a verdict: %v", err)
				}
				return
			}
		})
	}
	revoked := make([]bool, subjects)
	for worker := range 4 {
		load.Go(func() {
			for i := worker; i < subjects; i += 4 {
				if _, err := s.Revoke(context.Background(), store.Match{Subject: fmt.Sprint("revoked ", i)}, now); err != nil {
					return
				}
				revoked[i] = true
				count()
			}
		})
	}
	<-enough
	e.kill()
	load.Wait()
	if err := e.start(); err != nil {
		t.Fatal(err)
	}

	for i := range first {
		chain := recovered(t, s, first[i])
		if extra := len(chain) - len(answered[i]); extra < 0 || extra > 1 {
			t.Fatalf("%d exchanges were answered, and %d are kept", len(answered[i])-1, len(chain)-1)
		}
		for n, hash := range answered[i] {
			if chain[n] != hash {
				t.Fatalf("record %d is not the one that was answered", n)
			}
		}
	}
	dead := 0
	for i := range subjects {
		var n int
		err := s.pool.QueryRow(t.Context(), "SELECT count(*) FROM grantor_families WHERE subject = $1 AND revoked_at <> 0", fmt.Sprint("revoked ", i)).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		if n != 0 && n != families || revoked[i] && n == 0 {
			t.Errorf("of %d families of a subject %d are revoked; Revoke had answered: %t", families, n, revoked[i])
		}
		if n != 0 {
			dead++
		}
	}
	if dead == 0 || dead == subjects {
		t.Errorf("%d of %d subjects are revoked: the engine was not killed in the middle", dead, subjects)
	}
}

// recovered waits until the pool is rid of the connections that died.
func recovered(t *testing.T, s *Store, key store.Key) []string {
	t.Helper()
	usable(t, s, key)
	return whole(t, s, key)
}

func usable(t *testing.T, s *Store, key store.Key) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		_, _, err := s.Find(t.Context(), key)
		if err == nil {
			return
		}
		if isVerdict(err) || time.Now().After(deadline) {
			t.Fatalf("the store does not recover: %v", err)
		}
	}
}

func TestAnEngineThatHangsIsAnOutageUntilItGoesOn(t *testing.T) {
	e := newEngine(t)
	url := with(schemaIn(t, e.url()), "application_name", "hung")
	s := open(t, with(url, "pool_max_conns", "2"))
	f, r := begun(t, s, "alice")
	e.signal(syscall.SIGSTOP)
	var calls sync.WaitGroup
	for i := range 8 { // more than there are connections
		calls.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
			defer cancel()
			change, _ := rotation(f, r, fmt.Sprint(i))
			if err := s.Exchange(ctx, change); err == nil || isVerdict(err) {
				t.Errorf("Exchange: %v, want an error that is no verdict", err)
			}
			if _, _, err := s.Find(ctx, r.Key); err == nil || isVerdict(err) {
				t.Errorf("Find: %v, want an error that is no verdict", err)
			}
		})
	}
	answered := make(chan struct{})
	go func() { calls.Wait(); close(answered) }()
	select {
	case <-answered:
	case <-time.After(patience / 2):
		t.Error("calls outlive their deadline while the engine hangs")
	}
	e.signal(syscall.SIGCONT)
	// What the engine had heard before it hung it may still do. Then it sees that
	// whoever asked is gone.
	watch := connect(t, e.url())
	for gone := false; !gone; {
		err := watch.QueryRow(t.Context(), "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'hung' AND query LIKE '%grantor%'").Scan(&gone)
		if err != nil {
			t.Fatal(err)
		}
	}
	chain := recovered(t, s, r.Key)
	last, _ := find(t, s, store.Key{Family: f.ID, Hash: chain[len(chain)-1]})
	change, _ := rotation(f, *last, "after")
	if err := s.Exchange(t.Context(), change); err != nil {
		t.Errorf("Exchange after the engine went on: %v", err)
	}
}
