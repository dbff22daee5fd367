package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/storetest"
)

func init() { roles["use"], roles["use for ever"] = useRole, useForEverRole }

func TestReplays(t *testing.T) {
	t.Parallel()
	storetest.TestReplayStore(t, func(t *testing.T) (a, b store.ReplayStore) {
		path := newPath(t)
		return openAt(t, path), openAt(t, path)
	})
	storetest.TestFullReplayStore(t, func(t *testing.T) store.ReplayStore {
		s := openAt(t, newPath(t))
		_, err := s.writer.Exec("PRAGMA max_page_count = 28")
		must(t, err)
		return s
	})
}

// ids returns n of them, always the same.
func ids(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = hash(fmt.Sprint("id ", i))
	}
	return all
}

func TestOfManyProcessesThatUseOneIDExactlyOneIsFirst(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s := openAt(t, path)
	for _, id := range ids(10) { // some that have ended and are still there
		if first, err := s.Use(t.Context(), id, 1); !first || err != nil {
			t.Fatal(first, err)
		}
	}
	processes := make([]*process, 6)
	for i := range processes {
		processes[i] = startRole(t, "use", path)
	}
	for _, p := range processes {
		if line := p.line(); line != "ready" {
			t.Fatal(line)
		}
	}
	for _, p := range processes {
		p.proceed()
	}
	firsts, winners := make(map[string]int), 0
	for _, p := range processes {
		won := false
		for p.out.Scan() && p.out.Text() != "done" {
			id, ok := strings.CutPrefix(p.out.Text(), "first ")
			if !ok {
				t.Fatal(p.out.Text())
			}
			firsts[id]++
			won = true
		}
		if won {
			winners++
		}
	}
	for _, id := range ids(60) {
		if firsts[id] != 1 {
			t.Errorf("%d processes were first with one id", firsts[id])
		}
	}
	if winners < 2 {
		t.Log("one process was first with all: there was no race")
	}
}

// useRole uses all ids and prints those that it is first with.
func useRole(ctx context.Context, args []string) error {
	s, err := Open(ctx, args[0])
	if err != nil {
		return err
	}
	defer s.Close()
	fmt.Println("ready")
	waitForParent()
	for _, id := range ids(60) {
		first, err := s.Use(ctx, id, time.Hour)
		if err != nil {
			return err
		}
		if first {
			fmt.Println("first", id)
		}
	}
	fmt.Println("done")
	return nil
}

func TestWhatWasUsedStaysUsedWhenProcessesAreKilled(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s, answered := openAt(t, path), 0
	for round := range 6 {
		workers := []*process{startRole(t, "use for ever", path), startRole(t, "use for ever", path)}
		var lines []string
		for range 10 + 7*round { // so that each round ends at another step
			for _, p := range workers {
				lines = append(lines, p.line())
			}
		}
		for _, p := range workers {
			p.kill()
		}
		for _, p := range workers {
			for p.out.Scan() {
				lines = append(lines, p.out.Text())
			}
		}
		for _, line := range lines {
			id, whole := strings.CutSuffix(line, " .") // the last line of a process may be cut off
			if !whole {
				continue
			}
			if first, err := s.Use(t.Context(), id, time.Hour); first || err != nil {
				t.Errorf("a process was told that it was first with %q; now Use is %t, %v", id, first, err)
			}
			answered++
		}
	}
	if answered < 6*2*10 {
		t.Errorf("only %d were answered", answered)
	}
}

func useForEverRole(ctx context.Context, args []string) error {
	s, err := Open(ctx, args[0])
	if err != nil {
		return err
	}
	for {
		id := newID()
		if first, err := s.Use(ctx, id, time.Hour); !first || err != nil {
			return fmt.Errorf("use of a new id: %t, %w", first, err)
		}
		fmt.Println(id, ".")
	}
}

func TestPurgeCountsIDsAndKeepsToItsLimit(t *testing.T) {
	s := openAt(t, newPath(t))
	must(t, s.Exchange(t.Context(), begun("alice"))) // a family and a record
	for _, id := range ids(7) {
		_, err := s.Use(t.Context(), id, 1)
		must(t, err)
	}
	_, err := s.Use(t.Context(), "stays", time.Hour)
	must(t, err)
	for i, want := range []int{5, 4, 0} {
		if n, err := s.Purge(t.Context(), end, 5); n != want || err != nil {
			t.Errorf("batch %d removed %d, %v; want %d", i, n, err, want)
		}
	}
	var left int
	must(t, s.reader.QueryRow("SELECT count(*) FROM replays").Scan(&left))
	if left != 1 {
		t.Errorf("%d ids are left, want the one that has not ended", left)
	}
}

func TestAFileOfTheReleaseBeforeGetsTheTableOfIDs(t *testing.T) {
	path := newPath(t)
	s := openAt(t, path)
	kept := begun("alice")
	must(t, s.Exchange(t.Context(), kept))
	_, err := s.writer.Exec("DROP TABLE replays; PRAGMA user_version = 1")
	must(t, err)
	after := openAt(t, path)
	if first, err := after.Use(t.Context(), "id", time.Hour); !first || err != nil {
		t.Error(first, err)
	}
	_, _, err = after.Find(t.Context(), kept.Issue[0].Key)
	must(t, err)
}

func TestAUseThatCannotBeMadeIsAnErrorOfThisPackage(t *testing.T) {
	s := openAt(t, newPath(t))
	_, err := s.writer.Exec("DROP TABLE replays")
	must(t, err)
	first, err := s.Use(t.Context(), "canary", time.Hour)
	contains(t, err, "sqlite: ")
	if first || strings.Contains(err.Error(), "canary") || errors.Is(err, store.ErrNotFound) {
		t.Errorf("%t, %v", first, err)
	}
}
