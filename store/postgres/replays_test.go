package postgres

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/storetest"
)

func TestReplays(t *testing.T) {
	url := newSchema(t)
	a, b, conn := open(t, url), open(t, url), connect(t, url)
	storetest.TestReplayStore(t, func(t *testing.T) (store.ReplayStore, store.ReplayStore) {
		do(t, conn, "DELETE FROM grantor_replays")
		return a, b
	})
}

// used fails the test unless Use says what is wanted.
func used(t *testing.T, s *Store, id string, want bool) {
	t.Helper()
	if first, err := s.Use(t.Context(), id, time.Hour); first != want || err != nil {
		t.Errorf("Use(%q) is %t, %v; want %t", id, first, err, want)
	}
}

func TestUseBesideAnOpenTransaction(t *testing.T) {
	url := newSchema(t)
	s, conn := open(t, url), connect(t, url)
	end := func(id string) { // as if its lifetime were over
		t.Helper()
		do(t, conn, "INSERT INTO grantor_replays VALUES ($1, 1)", id)
	}
	for _, test := range []struct {
		name    string
		ended   bool // whether the id was used before, and has ended
		held    string
		end     func(holding) func(context.Context) error
		isFirst bool
	}{
		{"a use waits for another, and is not the first", false, useID, committing, false},
		{"a use waits for another, and is the first if that is undone", false, useID, undoing, true},
		{"a use of what has ended waits for another, and is not the first", true, useID, committing, false},
		{"a use of what has ended waits for another, and is the first if that is undone", true, useID, undoing, true},
		{"a use waits for the purge of what has ended, and is the first", true, "DELETE FROM grantor_replays WHERE id = $1 AND $2::bigint > 0", committing, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			id := random(32)
			if test.ended {
				end(id)
			}
			h := hold(t, url)
			if _, err := h.Exec(t.Context(), test.held, id, time.Hour.Microseconds()); err != nil {
				t.Fatal(err)
			}
			var first bool
			err := h.waited(url, test.end(h), func() (err error) {
				first, err = s.Use(context.Background(), id, time.Hour)
				return err
			})
			if first != test.isFirst || err != nil {
				t.Errorf("Use is %t, %v; want %t", first, err, test.isFirst)
			}
			used(t, s, id, false)
		})
	}
	t.Run("a purge passes over what an open use takes for longer", func(t *testing.T) {
		id := random(32)
		end(id)
		h := hold(t, url)
		if _, err := h.Exec(t.Context(), useID, id, time.Hour.Microseconds()); err != nil {
			t.Fatal(err)
		}
		purged(t, s, now, 100, 0)
		if err := h.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		purged(t, s, now, 100, 0)
		used(t, s, id, false)
	})
}

func committing(h holding) func(context.Context) error { return h.Commit }
func undoing(h holding) func(context.Context) error    { return h.Rollback }

func TestPurgeCountsIDsAndKeepsToItsLimit(t *testing.T) {
	url := newSchema(t)
	s, conn := open(t, url), connect(t, url)
	begun(t, s, "alice")
	do(t, conn, "INSERT INTO grantor_replays SELECT 'ended ' || n, n FROM generate_series(1, 7) n")
	used(t, s, "stays", true)
	later := now.Add(24 * time.Hour)
	for _, want := range []int{5, 4, 0} {
		purged(t, s, later, 5, want)
	}
	used(t, s, "stays", false)
}

func TestIDsThatHaveEndedAreFoundByAnIndex(t *testing.T) {
	url := newSchema(t)
	open(t, url)
	conn := connect(t, url)
	do(t, conn, "SET enable_seqscan = off")
	rows, err := conn.Query(t.Context(), "EXPLAIN SELECT id FROM grantor_replays WHERE ends_at <= 7 ORDER BY ends_at LIMIT 5 FOR UPDATE SKIP LOCKED")
	if err != nil {
		t.Fatal(err)
	}
	plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if all := strings.Join(plan, "\n"); err != nil || !strings.Contains(all, "grantor_replays_ends_at") || strings.Contains(all, "Sort") {
		t.Errorf("%v, the plan is\n%s", err, all)
	}
}

func TestAUseWhoseConnectionIsCutIsAnOutage(t *testing.T) {
	p := newProxy(t, newSchema(t))
	s := open(t, p.url)
	for _, where := range []struct {
		name string
		cut  cut
		made bool
	}{
		{"before the statement arrives", request, false},
		{"between commit and answer", answer, true},
		{"in the answer, before the commit is certain", lastOfAnswer, true},
	} {
		t.Run(where.name, func(t *testing.T) {
			used(t, s, random(32), true) // the connection has prepared the statement by now
			id := random(32)
			p.cutNext(where.cut)
			first, err := s.Use(t.Context(), id, time.Hour)
			if first || err == nil || isVerdict(err) || strings.Contains(err.Error(), id) {
				t.Errorf("Use is %t, %v; want an error that is no verdict and does not quote", first, err)
			}
			used(t, s, id, !where.made)
		})
	}
}

func TestAnEngineThatIsKilledRemembersWhatWasUsed(t *testing.T) {
	e := newEngine(t)
	url := schemaIn(t, e.url())
	s := open(t, with(url, "pool_max_conns", "8"))
	var load sync.WaitGroup
	var done atomic.Int64
	var answered [8][]string
	enough := make(chan struct{})
	for i := range answered {
		load.Go(func() {
			for {
				id := random(32)
				first, err := s.Use(context.Background(), id, time.Hour)
				if err != nil {
					if isVerdict(err) {
						t.Errorf("the engine was killed, and the error is a verdict: %v", err)
					}
					return
				}
				if !first {
					t.Error("a Use of a new id is false")
				}
				answered[i] = append(answered[i], id)
				if done.Add(1) == 300 {
					close(enough)
				}
			}
		})
	}
	<-enough
	e.kill()
	load.Wait()
	if err := e.start(); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); time.Since(began) < patience; { // until the pool is rid of the connections that died
		if _, err := s.Use(t.Context(), random(32), time.Hour); err == nil {
			break
		}
	}
	for _, ids := range answered {
		for _, id := range ids {
			used(t, s, id, false)
		}
	}
}

func TestAUseOfAnEngineThatHangsIsAnOutage(t *testing.T) {
	e := newEngine(t)
	s := open(t, schemaIn(t, e.url()))
	used(t, s, "one", true)
	e.signal(syscall.SIGSTOP)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	for _, id := range []string{"one", "two"} {
		if first, err := s.Use(ctx, id, time.Hour); first || err == nil || isVerdict(err) {
			t.Errorf("Use is %t, %v; want an error that is no verdict", first, err)
		}
	}
	e.signal(syscall.SIGCONT)
	used(t, s, "one", false)
}

func TestOfManyProcessesOneIsFirst(t *testing.T) {
	url := newSchema(t)
	conn := connect(t, url)
	open(t, url)
	ids := make([]string, 100)
	for i := range ids {
		if ids[i] = random(32); i%4 == 0 {
			do(t, conn, "INSERT INTO grantor_replays VALUES ($1, 1)", ids[i]) // has ended
		}
	}
	var workers []worker
	for range 5 {
		workers = append(workers, newWorker(t, "use", url))
	}
	for _, w := range workers {
		if _, err := w.in.WriteString(strings.Join(ids, "\n") + "\n"); err != nil {
			t.Fatal(err)
		}
		_ = w.in.Close()
	}
	firsts, by := make(map[string]int), make(map[int]int)
	for _, w := range workers {
		for w.out.Scan() {
			var id, first, failed string
			if _, err := fmt.Sscan(w.out.Text(), &id, &first, &failed); err != nil || failed != "<nil>" {
				t.Fatalf("worker %d: %s", w.Process.Pid, w.out.Text())
			}
			if first == "true" {
				firsts[id]++
				by[w.Process.Pid]++
			}
		}
	}
	for _, id := range ids {
		if firsts[id] != 1 {
			t.Errorf("%d processes were first with one id, want 1", firsts[id])
		}
	}
	if len(by) < 2 {
		t.Logf("one was first with all: %v; there was no race", by)
	}
}
