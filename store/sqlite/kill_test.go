package sqlite

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/store"
)

func TestWhatWasAnsweredSurvivesTheKillingOfProcesses(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s := openAt(t, path)
	answered := make(map[string]int)
	for round := range 6 {
		workers := []*process{startRole(t, "load", path, fmt.Sprint(round, "a")), startRole(t, "load", path, fmt.Sprint(round, "b"))}
		for range 7 + 9*round { // so that each round ends at another step
			for _, p := range workers {
				if !check(t, s, p.line(), answered) {
					t.Fatalf("a process says: %s", p.out.Text())
				}
			}
		}
		for _, p := range workers {
			p.kill()
		}
		for _, p := range workers {
			for p.out.Scan() {
				check(t, s, p.out.Text(), answered) // the last line may be cut off
			}
		}
		checkWhole(t, s)
	}
	for _, kind := range []string{"begun", "rotated", "revoked"} {
		if answered[kind] == 0 {
			t.Errorf("no process was killed after it had %s anything", kind)
		}
	}
	t.Log(answered)
}

// loadRole prints what was answered, each with a full stop, so that a line that
// was cut off can be told.
func loadRole(ctx context.Context, args []string) error {
	s, err := Open(ctx, args[0])
	if err != nil {
		return err
	}
	defer s.Close()
	for i := 0; ; i++ {
		subject := fmt.Sprint(args[1], "-", i)
		for range 3 {
			change := begun(subject)
			if err := s.Exchange(ctx, change); err != nil {
				return err
			}
			handle := change.Family.ID
			fmt.Println("begun", change.Family.ID, handle, handle, ".")
			for range 2 {
				if handle, err = rotateOnce(ctx, s, change.Family.ID, handle); err != nil {
					return err
				}
			}
		}
		if _, err := s.Revoke(ctx, store.Match{Subject: subject}, end); err != nil {
			return err
		}
		fmt.Println("revoked", subject, "- - .")
	}
}

func rotateOnce(ctx context.Context, s *Store, family, handle string) (string, error) {
	found, _, err := s.Find(ctx, store.Key{Family: family, Hash: hash(handle)})
	if err != nil {
		return "", err
	}
	successor := newID()
	if err := s.Exchange(ctx, rotation(found, successor)); err != nil {
		return "", err
	}
	fmt.Println("rotated", family, handle, successor, ".")
	return successor, nil
}

// check holds one printed answer, if it is whole, against what is kept now.
func check(t *testing.T, s *Store, line string, answered map[string]int) bool {
	t.Helper()
	fields := strings.Fields(line)
	if len(fields) != 5 {
		return false
	}
	answered[fields[0]]++
	if fields[0] == "revoked" {
		var live int
		must(t, s.reader.QueryRow("SELECT count(*) FROM families WHERE subject = ? AND revoked_at = 0", fields[1]).Scan(&live))
		if live != 0 {
			t.Errorf("of the revoked subject %s %d families live", fields[1], live)
		}
		return true
	}
	record, _, err := s.Find(t.Context(), store.Key{Family: fields[1], Hash: hash(fields[2])})
	if err != nil {
		t.Errorf("%q was answered: %v", line, err)
		return true
	}
	if fields[0] == "rotated" && record.SpentBy != fields[3] {
		t.Errorf("%q was answered, and it was spent by %q", line, record.SpentBy)
	}
	if _, _, err := s.Find(t.Context(), store.Key{Family: fields[1], Hash: hash(fields[3])}); err != nil {
		t.Errorf("the successor of %q: %v", line, err)
	}
	return true
}

// checkWhole finds changes of which a part is missing.
func checkWhole(t *testing.T, s *Store) {
	t.Helper()
	for _, test := range []struct{ fault, query string }{
		{"families in which not exactly one record is unspent",
			"SELECT count(*) FROM (SELECT 1 FROM records GROUP BY family HAVING sum(version = 0) <> 1)"},
		{"records that were spent twice", "SELECT count(*) FROM records WHERE version > 1"},
		{"families without a record", "SELECT count(*) FROM families WHERE id NOT IN (SELECT family FROM records)"},
		{"records without a family", "SELECT count(*) FROM records WHERE family NOT IN (SELECT id FROM families)"},
		{"subjects of which some families are revoked and some are not",
			"SELECT count(*) FROM (SELECT 1 FROM families GROUP BY subject HAVING count(DISTINCT revoked_at) > 1)"},
		{"faults of the file", "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"},
	} {
		var n int
		must(t, s.reader.QueryRow(test.query).Scan(&n))
		if n != 0 {
			t.Errorf("%d %s", n, test.fault)
		}
	}
}
