package redis

import (
	"fmt"
	"testing"
	"time"
)

func BenchmarkUse(b *testing.B) {
	for _, n := range []int{1e3, 1e6} {
		b.Run(fmt.Sprint("kept=", n), func(b *testing.B) {
			e := newEngine(b, "redis-server", "--auto-aof-rewrite-percentage", "0")
			s := newStore(b, e.client(), "grantor:")
			s.client.ConfigSet(b.Context(), "appendfsync", "no")
			pipe := s.client.Pipeline()
			for i := range n {
				pipe.Set(b.Context(), s.usedKey(random(32)), "1", 3*time.Hour)
				if pipe.Len() > 5000 || i == n-1 {
					if _, err := pipe.Exec(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
			}
			s.client.ConfigSet(b.Context(), "appendfsync", "always")
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
				b.SetParallelism(4)
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
