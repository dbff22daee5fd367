package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
)

// BenchmarkStore measures each method in files of growing size: what is kept
// must not matter. Half as many families as records are kept, each of a subject
// of its own.
func BenchmarkStore(b *testing.B) {
	for _, size := range []int{1e3, 1e5, 1e6} {
		b.Run(fmt.Sprint("records=", size), func(b *testing.B) {
			s := openAt(b, newPath(b))
			keys := fill(b, s, size)
			b.Run("Find", func(b *testing.B) {
				for i := range b.N {
					_, _, err := s.Find(b.Context(), keys[i*7919%len(keys)])
					must(b, err)
				}
			})
			b.Run("Find/parallel", func(b *testing.B) {
				b.RunParallel(func(pb *testing.PB) {
					for i := 0; pb.Next(); i++ {
						_, _, err := s.Find(b.Context(), keys[i*7919%len(keys)])
						must(b, err)
					}
				})
			})
			used := 0 // keys that are spent
			b.Run("Exchange", func(b *testing.B) {
				for range b.N {
					b.StopTimer()
					found, _, err := s.Find(b.Context(), keys[used%len(keys)])
					must(b, err)
					change := rotation(found, newID())
					used++
					b.StartTimer()
					must(b, s.Exchange(b.Context(), change))
				}
			})
			b.Run("Revoke", func(b *testing.B) {
				for i := range b.N {
					_, err := s.Revoke(b.Context(), store.Match{Subject: fmt.Sprint("user-", i)}, start)
					must(b, err)
				}
			})
			b.Run("Purge of 100", func(b *testing.B) {
				for range b.N {
					b.StopTimer()
					addDue(b, s, 100)
					b.StartTimer()
					if n, err := s.Purge(b.Context(), start, 100); err != nil || n != 100 {
						b.Fatal(n, err)
					}
				}
			})
			b.Run("Purge of nothing", func(b *testing.B) {
				for range b.N {
					if n, err := s.Purge(b.Context(), start, 100); err != nil || n != 0 {
						b.Fatal(n, err)
					}
				}
			})
		})
	}
}

// BenchmarkEngine is what the engine itself takes for what Exchange does: one
// transaction that writes, in three sizes.
func BenchmarkEngine(b *testing.B) {
	s := openAt(b, newPath(b))
	_, err := s.writer.Exec("CREATE TABLE floor (n INTEGER PRIMARY KEY, body BLOB) STRICT")
	must(b, err)
	for _, rows := range []int{0, 1, 3} {
		b.Run(fmt.Sprint("commit/rows=", rows), func(b *testing.B) {
			body := make([]byte, 500)
			for range b.N {
				must(b, s.transact(b.Context(), func(tx *sql.Tx) error {
					for range rows {
						if _, err := tx.Exec("INSERT INTO floor (body) VALUES (?)", body); err != nil {
							return err
						}
					}
					return nil
				}))
			}
		})
	}
}

// fill keeps size records in half as many families, and returns a key of each
// family.
func fill(b *testing.B, s *Store, size int) []store.Key {
	b.Helper()
	_, err := s.writer.Exec("PRAGMA cache_size = -1000000; PRAGMA synchronous = OFF") // kibibytes; for filling alone
	must(b, err)
	keys := make([]store.Key, size/2)
	for done := 0; done < len(keys); {
		must(b, s.transact(b.Context(), func(tx *sql.Tx) error {
			for range min(10_000, len(keys)-done) {
				change := begun(fmt.Sprint("user-", done))
				change.Issue = append(change.Issue, newRecord(change.Family.ID, "another"))
				if err := keepIn(b.Context(), s, tx, change); err != nil {
					return err
				}
				keys[done] = change.Issue[0].Key
				done++
			}
			return nil
		}))
	}
	_, err = s.writer.Exec("PRAGMA cache_size = -2000; PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE)")
	must(b, err)
	return keys
}

func addDue(b *testing.B, s *Store, n int) {
	b.Helper()
	must(b, s.transact(b.Context(), func(tx *sql.Tx) error {
		for range n / 2 {
			change := begun("of the past")
			change.Family.KeepUntil, change.Issue[0].KeepUntil = start.Add(-time.Hour), time.Time{}
			if err := keepIn(b.Context(), s, tx, change); err != nil {
				return err
			}
		}
		return nil
	}))
}

// keepIn is Exchange in a transaction of the caller.
func keepIn(ctx context.Context, s *Store, tx *sql.Tx, change *store.Change) error {
	e := exchange{ctx, tx, s.changes, change.Family.ID}
	if err := e.family(change); err != nil {
		return err
	}
	return e.issue(change.Issue)
}
