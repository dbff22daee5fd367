package sqlite

import (
	"fmt"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
)

func BenchmarkUse(b *testing.B) {
	for _, n := range []int{1e3, 1e6} {
		b.Run(fmt.Sprint("kept=", n), func(b *testing.B) {
			s := openAt(b, newPath(b))
			_, err := s.writer.Exec(`PRAGMA synchronous = OFF;
				WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < ?2)
				INSERT INTO replays SELECT substr(hex(randomblob(32)), 1, 43), ?1 + value FROM n;
				PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE)`, store.Micros(time.Now().Add(time.Hour)), n)
			must(b, err)
			b.Run("Use", func(b *testing.B) {
				for b.Loop() {
					_, err := s.Use(b.Context(), newID(), time.Hour)
					must(b, err)
				}
			})
			b.Run("Use of what was used", func(b *testing.B) {
				_, err := s.Use(b.Context(), "id", time.Hour)
				must(b, err)
				for b.Loop() {
					_, err := s.Use(b.Context(), "id", time.Hour)
					must(b, err)
				}
			})
		})
	}
}
