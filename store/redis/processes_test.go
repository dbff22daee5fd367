package redis

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
)

func TestProcesses(t *testing.T) {
	e := newEngine(t, "redis-server")

	t.Run("of many processes that spend one record exactly one succeeds", func(t *testing.T) {
		p, f := prefix(), newFamily(time.Hour)
		s := newStore(t, e.client(), p)
		records := make([]store.Record, 100)
		var todo strings.Builder
		for i := range records {
			records[i] = newRecord(f)
			fmt.Fprintln(&todo, f.ID, records[i].Key.Hash)
		}
		begin(t, s, f, records...)
		var workers []*worker
		for i := range 6 {
			w := newWorker(t, e, "spend", p, fmt.Sprint("process ", i))
			if line := <-w.out; line != "ready" {
				t.Fatal(line)
			}
			workers = append(workers, w)
		}
		for _, w := range workers {
			if _, err := io.WriteString(w.in, todo.String()); err != nil {
				t.Fatal(err)
			}
			w.in.Close()
		}
		winner, winners := make(map[string]string), make(map[string]bool)
		for i, w := range workers {
			for _, line := range w.wait() {
				hash, won := strings.CutPrefix(line, "won ")
				if !won || winner[hash] != "" {
					t.Fatalf("process %d: %s; that was won by %q", i, line, winner[hash])
				}
				winner[hash] = fmt.Sprint("process ", i)
				winners[winner[hash]] = true
			}
		}
		for _, r := range records {
			if by := find(t, s, r.Key).SpentBy; by == "" || by != winner[r.Key.Hash] {
				t.Errorf("spent by %q, but %q was told so", by, winner[r.Key.Hash])
			}
		}
		t.Logf("%d processes won something", len(winners))
		if fields := s.client.HLen(t.Context(), s.familyKey(f.ID)).Val(); fields != int64(7-1+2*len(records)) {
			t.Errorf("the family has %d fields", fields)
		}
	})
}

func TestCrashes(t *testing.T) {
	t.Parallel()
	t.Run("a process that is killed leaves everything that it was answered, and nothing half", func(t *testing.T) {
		e, p := newEngine(t, "redis-server"), prefix()
		var lines []string
		for round := range 8 {
			w := newWorker(t, e, "load", p, fmt.Sprint("process ", round))
			for range 40 + 13*round {
				lines = append(lines, <-w.out)
			}
			w.kill()
			lines = append(lines, w.wait()...)
		}
		audit(t, newStore(t, e.client(), p), lines)
	})

	t.Run("an engine that is killed has kept everything that it answered, and nothing half", func(t *testing.T) {
		e, p := newEngine(t, "redis-server"), prefix()
		var workers []*worker
		for i := range 3 {
			workers = append(workers, newWorker(t, e, "load", p, fmt.Sprint("process ", i)))
		}
		var lines []string
		for range 6 {
			for range 150 {
				for _, w := range workers {
					lines = append(lines, <-w.out)
				}
			}
			e.kill()
			e.start(t)
		}
		for _, w := range workers {
			w.kill()
			lines = append(lines, w.wait()...)
		}
		audit(t, newStore(t, e.client(), p), lines)
	})
}

// audit compares what workers wrote down with what is kept.
func audit(t *testing.T, s *Store, lines []string) {
	t.Helper()
	count, families, sessions := make(map[string]int), make(map[string]string), make(map[string]bool)
	successor := make(map[string]string)
	for _, line := range lines {
		words := strings.SplitN(line, " ", 5)
		if words[0] == "revoked" {
			count["revoked"]++
			sessions[strings.TrimPrefix(line, "revoked ")] = true
			continue
		}
		if len(words) < 5 {
			continue // killed while it wrote
		}
		count[words[0]]++
		switch key := (store.Key{Family: words[1], Hash: words[2]}); words[0] {
		case "began":
			families[words[1]] = words[3] + " " + words[4]
			find(t, s, key)
		case "tries":
			_, _, err := s.Find(t.Context(), store.Key{Family: words[1], Hash: words[3]})
			if issued := err == nil; issued != (find(t, s, key).SpentBy == words[4]) || err != nil && !errors.Is(err, store.ErrNotFound) {
				t.Errorf("half an exchange: issued %v, %v", issued, err)
			}
		case "spent":
			if by := find(t, s, key).SpentBy; by != words[4] || successor[words[2]] != "" {
				t.Errorf("%q was told that it spent a record, which says %q; its successor was %q", words[4], by, successor[words[2]])
			}
			successor[words[2]] = words[3]
			find(t, s, store.Key{Family: words[1], Hash: words[3]})
		}
	}
	lived := 0
	for id, session := range families {
		switch lives := live(t, s, id); {
		case lives && sessions[session]:
			t.Errorf("the session %q was revoked, its family lives", session)
		case lives:
			lived++
		}
	}
	n, err := s.Revoke(t.Context(), store.Match{Subject: "alice"}, in(0))
	if err != nil || n < lived {
		t.Errorf("Revoke of the subject found %d of %d families, %v", n, lived, err)
	}
	for id := range families {
		if live(t, s, id) {
			t.Error("Revoke of the subject did not find a family that had begun")
		}
	}
	if t.Logf("%v, %d families lived", count, lived); count["spent"] == 0 || count["revoked"] == 0 || lived == 0 {
		t.Error("the load was none")
	}
}
