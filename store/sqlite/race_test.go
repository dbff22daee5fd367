package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/grantor-go/grantor/store"
)

func TestOfManyProcessesThatSpendOneRecordExactlyOneWins(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s := openAt(t, path)
	kept := begun("alice")
	must(t, s.Exchange(t.Context(), kept))

	processes := make([]*process, 8)
	for i := range processes {
		processes[i] = startRole(t, "spend", path, kept.Family.ID)
	}
	for _, p := range processes {
		if line := p.line(); line != "found" {
			t.Fatal(line)
		}
	}
	for _, p := range processes {
		p.proceed()
	}
	var winners []string
	for _, p := range processes {
		var outcome, handle string
		if _, err := fmt.Sscan(p.line(), &outcome, &handle); err != nil {
			t.Fatal(err)
		}
		switch outcome {
		case "won":
			winners = append(winners, handle)
		case "lost":
		default:
			t.Errorf("a process says %s %s", outcome, handle)
		}
	}
	if len(winners) != 1 {
		t.Fatalf("%d processes spent the record", len(winners))
	}
	spent, _, err := s.Find(t.Context(), kept.Issue[0].Key)
	must(t, err)
	if spent.SpentBy != winners[0] {
		t.Errorf("the record was spent by %q and the winner is %q", spent.SpentBy, winners[0])
	}
	_, _, err = s.Find(t.Context(), store.Key{Family: kept.Family.ID, Hash: hash(winners[0])})
	must(t, err)
}

func spendRole(ctx context.Context, args []string) error {
	s, err := Open(ctx, args[0])
	if err != nil {
		return err
	}
	defer s.Close()
	family := args[1]
	record, _, err := s.Find(ctx, store.Key{Family: family, Hash: hash(family)})
	if err != nil {
		return err
	}
	fmt.Println("found")
	waitForParent()
	handle := fmt.Sprint(os.Getpid())
	switch err := s.Exchange(ctx, rotation(record, handle)); {
	case err == nil:
		fmt.Println("won", handle)
	case errors.Is(err, store.ErrConflict):
		fmt.Println("lost", handle)
	default:
		return err
	}
	return nil
}
