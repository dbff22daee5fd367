package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	engine "modernc.org/sqlite/lib"

	"github.com/grantor-go/grantor/store"
)

func TestAFileLockedForLongerThanTheDeadlineIsAnOutage(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s := openAt(t, path)
	kept := begun("alice")
	must(t, s.Exchange(t.Context(), kept))
	found, _, err := s.Find(t.Context(), kept.Issue[0].Key)
	must(t, err)

	p := startRole(t, "lock", path)
	if line := p.line(); line != "locked" {
		t.Fatal(line)
	}
	for _, test := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"Exchange", func(ctx context.Context) error { return s.Exchange(ctx, rotation(found, "next")) }},
		{"Update", func(ctx context.Context) error { return s.Update(ctx, found) }},
		{"Revoke", func(ctx context.Context) error {
			_, err := s.Revoke(ctx, store.Match{Subject: "alice"}, start)
			return err
		}},
		{"Purge", func(ctx context.Context) error {
			_, err := s.Purge(ctx, end, 10)
			return err
		}},
		{"Use", func(ctx context.Context) error {
			_, err := s.Use(ctx, "id", time.Hour)
			return err
		}},
		{"PutClient", func(ctx context.Context) error { return s.PutClient(ctx, store.Client{}) }},
		{"Open", func(ctx context.Context) error {
			other, err := Open(ctx, path)
			if err == nil {
				other.Close()
			}
			return err
		}},
	} {
		t.Run(test.name+" waits no longer than its context", func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
			defer cancel()
			err := test.do(ctx)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the error is %v", err)
			}
			for _, verdict := range []error{store.ErrNotFound, store.ErrConflict, store.ErrRevoked, store.ErrCorrupt} {
				if errors.Is(err, verdict) {
					t.Errorf("a lock became a verdict: %v", err)
				}
			}
		})
	}
	t.Run("who waits in the same process waits no longer either", func(t *testing.T) {
		first := make(chan error, 1)
		long, stop := context.WithCancel(t.Context())
		go func() { first <- s.Exchange(long, rotation(found, "first")) }()
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
		defer cancel()
		if err := s.Exchange(ctx, rotation(found, "second")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the error is %v", err)
		}
		stop()
		if err := <-first; !errors.Is(err, context.Canceled) {
			t.Errorf("the error of the first is %v", err)
		}
	})
	t.Run("without a deadline it ends too", func(t *testing.T) {
		err := s.Exchange(context.WithoutCancel(t.Context()), rotation(found, "next"))
		contains(t, err, "sqlite: another process kept it locked")
	})
	t.Run("lookups go on", func(t *testing.T) {
		again, _, err := s.Find(t.Context(), kept.Issue[0].Key)
		must(t, err)
		if again.Version != 0 {
			t.Error("an exchange that failed changed the record")
		}
	})
	t.Run("all of this before the lock was released", func(t *testing.T) {
		db, err := sql.Open("sqlite", path)
		must(t, err)
		defer db.Close()
		if _, err := db.Exec("BEGIN IMMEDIATE"); code(err) != engine.SQLITE_BUSY {
			t.Errorf("the file is no longer locked: %v", err)
		}
	})
	p.end()
	must(t, s.Exchange(t.Context(), rotation(found, "next")))
}

func TestANewFileThatIsLockedIsWaitedFor(t *testing.T) {
	path := newPath(t)
	db, err := sql.Open("sqlite", path)
	must(t, err)
	defer db.Close()
	_, err = db.Exec("BEGIN EXCLUSIVE") // what another process does that opens it first
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
	defer cancel()
	s, err := Open(ctx, path)
	if err == nil {
		s.Close()
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the error is %v", err)
	}
}

// lockRole keeps others from writing until it is killed, or for half a minute:
// far longer than anyone may wait.
func lockRole(ctx context.Context, args []string) error {
	s, err := Open(ctx, args[0])
	if err != nil {
		return err
	}
	defer s.Close()
	return s.change(ctx, func(*sql.Tx) error {
		fmt.Println("locked")
		time.Sleep(30 * time.Second)
		return nil
	})
}
