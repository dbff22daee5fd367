package postgres

import (
	"fmt"
	"testing"
	"time"
)

func BenchmarkUse(b *testing.B) {
	for _, n := range []int{1e3, 1e6} {
		b.Run(fmt.Sprintf("kept=%d", n), func(b *testing.B) {
			url := newSchema(b)
			s, conn := open(b, url), connect(b, url)
			do(b, conn, `INSERT INTO grantor_replays
				SELECT left(md5(n::text) || md5(n::text), 43), grantor_clock() + 3600000000 + n FROM generate_series(1, $1::int) n`, n)
			do(b, conn, "VACUUM ANALYZE grantor_replays")
			do(b, conn, "CHECKPOINT")
			use := func(id string) {
				if _, err := s.Use(b.Context(), id, time.Hour); err != nil {
					b.Error(err)
				}
			}
			b.Run("Use", func(b *testing.B) {
				for b.Loop() {
					use(random(32))
				}
			})
			b.Run("Use/parallel", func(b *testing.B) {
				b.SetParallelism(2)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						use(random(32))
					}
				})
			})
			b.Run("Use of what was used", func(b *testing.B) {
				for b.Loop() {
					use("id")
				}
			})
		})
	}
}
