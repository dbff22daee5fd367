package redis

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/grantor-go/grantor/store"
)

const perFamily, perSubject = 10, 10 // records, families

// fill keeps n records, as Exchange would have, in fewer round trips.
func fill(b *testing.B, s *Store, n int) (families []store.Family, records []store.Record) {
	b.Helper()
	ctx := b.Context()
	s.client.ConfigSet(ctx, "appendfsync", "no")
	pipe := s.client.Pipeline()
	for i := range n / perFamily {
		f := newFamily(30 * 24 * time.Hour)
		f.Subject, f.Session = "subject "+strconv.Itoa(i/perSubject), "session "+strconv.Itoa(i)
		ends := f.KeepUntil.Add(30 * 24 * time.Hour)
		fields := []any{"t", micros(f.CreatedAt), "k", micros(f.KeepUntil), "i", micros(ends), "c", f.ClientID, "s", f.Subject, "n", f.Session}
		for range perFamily {
			r := newRecord(f)
			value, err := encodeRecord(&r)
			if err != nil {
				b.Fatal(err)
			}
			fields = append(fields, "r"+r.Key.Hash, value)
			records = append(records, r)
		}
		families = append(families, f)
		pipe.HSet(ctx, s.familyKey(f.ID), fields...)
		pipe.PExpireAt(ctx, s.familyKey(f.ID), f.KeepUntil)
		for _, key := range s.indexKeys(f.ClientID, f.Subject, f.Session) {
			pipe.ZAdd(ctx, key, redis.Z{Score: float64(ends.UnixMicro()), Member: f.ID})
		}
		if pipe.Len() > 5000 || len(records) == n {
			if _, err := pipe.Exec(ctx); err != nil {
				b.Fatal(err)
			}
		}
	}
	s.client.ConfigSet(ctx, "appendfsync", "always")
	return families, records
}

func Benchmark(b *testing.B) {
	for _, n := range []int{1e3, 1e5, 1e6} {
		b.Run(fmt.Sprint("records=", n), func(b *testing.B) {
			e := newEngine(b, "redis-server", "--auto-aof-rewrite-percentage", "0")
			s := newStore(b, e.client(), "grantor:")
			families, records := fill(b, s, n)
			b.Run("Find", func(b *testing.B) {
				for i := 0; b.Loop(); i++ {
					find(b, s, records[i*7919%n].Key)
				}
			})
			b.Run("Exchange", func(b *testing.B) {
				for i := 0; b.Loop(); i++ {
					r := &records[i*7919%n]
					next := newRecord(store.Family{ID: r.Key.Family, KeepUntil: r.KeepUntil})
					if err := s.Exchange(b.Context(), rotation(*r, next, "me")); err != nil {
						b.Fatal(err)
					}
					*r = next
				}
			})
			b.Run("Begin", func(b *testing.B) {
				for b.Loop() {
					f := newFamily(time.Hour)
					begin(b, s, f, newRecord(f))
				}
			})
			b.Run("Revoke", func(b *testing.B) {
				for i := 0; b.Loop(); i++ {
					match := store.Match{Subject: families[i*perSubject%len(families)].Subject}
					if _, err := s.Revoke(b.Context(), match, in(0)); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}
