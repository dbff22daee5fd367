package sqlite

import (
	"errors"
	"fmt"
	"testing"

	"github.com/grantor-go/grantor/store"
)

func TestAFullDiskLosesNothingThatWasAnswered(t *testing.T) {
	path := newPath(t)
	s := openAt(t, path)
	limit := func(pages int) {
		if _, err := s.writer.Exec(fmt.Sprint("PRAGMA max_page_count = ", pages)); err != nil {
			t.Fatal(err)
		}
	}
	first, undecided := begun("alice"), begun("")
	must(t, s.Exchange(t.Context(), first))
	must(t, s.Exchange(t.Context(), undecided))
	limit(20)
	answered := []store.Key{first.Issue[0].Key}
	var failure error
	for range 1000 {
		change := begun("alice")
		if failure = s.Exchange(t.Context(), change); failure != nil {
			break
		}
		answered = append(answered, change.Issue[0].Key)
	}
	contains(t, failure, "sqlite: ", "full")
	for _, verdict := range []error{store.ErrNotFound, store.ErrConflict, store.ErrRevoked, store.ErrCorrupt} {
		if errors.Is(failure, verdict) {
			t.Errorf("a full disk became a verdict: %v", failure)
		}
	}

	// A rotation does not fit either, and must not be half made.
	found, _, err := s.Find(t.Context(), first.Issue[0].Key)
	must(t, err)
	big := rotation(found, "big")
	big.Issue[0].Data = make([]byte, 100_000)
	contains(t, s.Exchange(t.Context(), big), "full")
	found, _, err = s.Find(t.Context(), undecided.Issue[0].Key)
	must(t, err)
	big = rotation(found, "big")
	big.Family.Subject, big.Issue[0].Data = "bob", make([]byte, 100_000)
	contains(t, s.Exchange(t.Context(), big), "full")
	if families, err := s.Families(t.Context(), "bob"); err != nil || len(families) != 0 {
		t.Errorf("of who was named by what failed are listed %+v, %v", families, err)
	}

	other := openAt(t, path)
	for _, key := range answered {
		record, _, err := other.Find(t.Context(), key)
		if err != nil || record.Version != 0 {
			t.Fatalf("of %d that were answered one is now %v with the error %v", len(answered), record, err)
		}
	}
	checkWhole(t, other)
	n, err := s.Revoke(t.Context(), store.Match{Family: first.Family.ID}, start)
	if err != nil || n != 1 {
		t.Errorf("on a full disk Revoke returned %d and %v", n, err)
	}

	limit(100_000)
	again := begun("bob")
	again.Issue[0].Data = make([]byte, 100_000)
	must(t, s.Exchange(t.Context(), again))
	_, _, err = other.Find(t.Context(), again.Issue[0].Key)
	must(t, err)
}
