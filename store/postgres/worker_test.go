package postgres

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
)

// work is what the test binary does when it was started as a worker: one job, on
// what it reads from its standard input: keys, a line "family hash" each, or ids.
func work(job string) int {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := Open(ctx, with(os.Getenv("GRANTOR_TEST_URL"), "pool_max_conns", "2"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer s.Close()
	fmt.Println("ready")
	lines := bufio.NewScanner(os.Stdin)
	for job == "use" && lines.Scan() {
		first, err := s.Use(ctx, lines.Text(), time.Hour)
		fmt.Println(lines.Text(), first, err)
	}
	for lines.Scan() {
		var key store.Key
		if _, err := fmt.Sscan(lines.Text(), &key.Family, &key.Hash); err != nil {
			return 1
		}
		for job == "rotate" {
			key = rotate(ctx, s, key)
		}
		rotate(ctx, s, key)
	}
	return 0
}

// rotate spends a record, says so once that was answered, and returns the next.
func rotate(ctx context.Context, s *Store, key store.Key) store.Key {
	r, f, err := s.Find(ctx, key)
	if err == nil && r.SpentBy == "" {
		change, next := rotation(*f, *r, fmt.Sprint(os.Getpid()))
		if err = s.Exchange(ctx, change); err == nil {
			fmt.Println("spent", key.Hash, next.Key.Hash)
			return next.Key
		}
	}
	if err != nil && !isVerdict(err) {
		fmt.Println("failed", err)
		os.Exit(1)
	}
	return key
}

// worker is another process on the same store.
type worker struct {
	*exec.Cmd
	in  *os.File
	out *bufio.Scanner
}

// newWorker starts one, and returns when it is ready.
func newWorker(t *testing.T, job, url string) worker {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	w := worker{exec.Command(os.Args[0]), write, nil}
	w.Env = append(os.Environ(), "GRANTOR_TEST_WORKER="+job, "GRANTOR_TEST_URL="+url)
	w.Stdin, w.Stderr = read, os.Stderr
	out, err := w.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	_ = read.Close()
	t.Cleanup(func() {
		_ = write.Close()
		if w.ProcessState == nil {
			_ = w.Process.Kill()
			_ = w.Wait()
		}
	})
	if w.out = bufio.NewScanner(out); !w.out.Scan() || w.out.Text() != "ready" {
		t.Fatalf("a worker did not start: %q", w.out.Text())
	}
	return w
}

func TestOfManyProcessesOneSpendsARecord(t *testing.T) {
	url := newSchema(t)
	s := open(t, url)
	var keys strings.Builder
	var records []store.Record
	for range 100 {
		_, r := begun(t, s, "alice")
		records = append(records, r)
		fmt.Fprintln(&keys, r.Key.Family, r.Key.Hash)
	}
	var workers []worker
	for range 6 {
		workers = append(workers, newWorker(t, "spend", url))
	}
	for _, w := range workers {
		if _, err := w.in.WriteString(keys.String()); err != nil {
			t.Fatal(err)
		}
		_ = w.in.Close()
	}
	winners, by := make(map[string]int), make(map[int]int)
	for _, w := range workers {
		for w.out.Scan() {
			hash, isSpent := strings.CutPrefix(w.out.Text(), "spent ")
			if !isSpent {
				t.Fatalf("worker %d: %s", w.Process.Pid, w.out.Text())
			}
			hash, _, _ = strings.Cut(hash, " ")
			winners[hash]++
			by[w.Process.Pid]++
		}
	}
	for _, r := range records {
		if winners[r.Key.Hash] != 1 {
			t.Errorf("a record was spent by %d processes, want 1", winners[r.Key.Hash])
		}
		if got, _ := find(t, s, r.Key); got == nil || got.Version != 1 {
			t.Errorf("the record is %+v, want it spent once", got)
		}
	}
	if len(by) < 2 {
		t.Logf("all were spent by one process: %v; there was no race", by)
	}
}

func TestAProcessThatIsKilledLeavesWholeExchanges(t *testing.T) {
	url := newSchema(t)
	s := open(t, url)
	w := newWorker(t, "rotate", url)
	_, r := begun(t, s, "alice")
	first := r.Key
	if _, err := fmt.Fprintln(w.in, first.Family, first.Hash); err != nil {
		t.Fatal(err)
	}
	var answered []string
	for w.out.Scan() {
		answered = append(answered, w.out.Text())
		if len(answered) == 50 {
			_ = w.Process.Kill()
		}
	}
	_ = w.Wait()
	if len(answered) < 50 {
		t.Fatalf("the worker ended by itself: %q", answered)
	}
	chain := whole(t, s, first)
	for i, line := range answered {
		if line != fmt.Sprint("spent ", chain[i], " ", chain[i+1]) {
			t.Fatalf("answer %d is %q; the store has %s and %s", i, line, chain[i], chain[i+1])
		}
	}
	// Nothing that the process held is in the way.
	_, f := find(t, s, first)
	last, _ := find(t, s, store.Key{Family: first.Family, Hash: chain[len(chain)-1]})
	change, _ := rotation(*f, *last, "the next process")
	if err := s.Exchange(t.Context(), change); err != nil {
		t.Error(err)
	}
}

// whole follows a family from its first record to the one that is not spent, and
// fails unless each that is spent has the one that its exchange issued.
func whole(t *testing.T, s *Store, key store.Key) (hashes []string) {
	t.Helper()
	for {
		r, _ := find(t, s, key)
		if r == nil {
			t.Fatalf("record %d is missing, which an exchange issued", len(hashes))
		}
		hashes = append(hashes, key.Hash)
		if r.SpentBy == "" {
			break
		}
		key.Hash = string(r.Sealed)
	}
	var n int
	err := s.pool.QueryRow(t.Context(), "SELECT count(*) FROM grantor_records WHERE family = $1", key.Family).Scan(&n)
	if err != nil || n != len(hashes) {
		t.Fatalf("the family has %d records (%v), and %d descend from each other", n, err, len(hashes))
	}
	return hashes
}
