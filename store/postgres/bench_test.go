package postgres

import (
	"crypto/md5"
	"fmt"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
)

// fill keeps n records, two in each family and four for each subject.
func fill(b *testing.B, url string, n int) {
	b.Helper()
	sample := aRecord(aFamily("user"))
	body, err := store.EncodeRecord(&sample)
	if err != nil {
		b.Fatal(err)
	}
	conn := connect(b, url)
	do(b, conn, "SET session_replication_role = replica") // no look at the families for each record
	do(b, conn, `INSERT INTO grantor_families
		SELECT left(md5(f::text), 22), 'app ' || f % 100, 'user ' || f / 2, 'session ' || f, $2::bigint, 0, $2::bigint + 86400000000
		FROM generate_series(0, $1::int / 2 - 1) f`, n, store.Micros(now))
	do(b, conn, `INSERT INTO grantor_records
		SELECT left(md5((r / 2)::text), 22), left(md5(r::text) || md5(r::text), 43), 'r', $2::bigint, $2::bigint + 86400000000, $2::bigint + 86400000000, 0, $3
		FROM generate_series(0, $1::int - 1) r`, n, store.Micros(now), body)
	do(b, conn, "VACUUM ANALYZE grantor_families")
	do(b, conn, "VACUUM ANALYZE grantor_records")
	do(b, conn, "CHECKPOINT")
}

// filled returns the key of a record that fill made.
func filled(r int) store.Key {
	family, hash := fmt.Sprintf("%x", md5.Sum(fmt.Append(nil, r/2))), fmt.Sprintf("%x", md5.Sum(fmt.Append(nil, r)))
	return store.Key{Family: family[:22], Hash: (hash + hash)[:43]}
}

func BenchmarkStore(b *testing.B) {
	for _, n := range []int{1e3, 1e5, 1e6} {
		b.Run(fmt.Sprintf("records=%d", n), func(b *testing.B) {
			url := newSchema(b)
			s, conn := open(b, url), connect(b, url)
			fill(b, url, n)
			step := 7919 // spreads over all records, whatever their number
			b.Run("Find", func(b *testing.B) {
				for i := 0; b.Loop(); i++ {
					if _, _, err := s.Find(b.Context(), filled(i*step%n)); err != nil {
						b.Fatal(err)
					}
				}
			})
			var chains [500]store.Record
			for i := range chains {
				r, _ := find(b, s, filled(i*step*2%n))
				chains[i] = *r
			}
			b.Run("ExchangeRotate", func(b *testing.B) {
				for i := 0; b.Loop(); i++ {
					r := &chains[i%len(chains)]
					change, next := rotation(store.Family{ID: r.Key.Family, KeepUntil: now.Add(time.Duration(24*60+i) * time.Minute)}, *r, "bench")
					if err := s.Exchange(b.Context(), change); err != nil {
						b.Fatal(err)
					}
					*r = next
				}
			})
			b.Run("RevokeSubject", func(b *testing.B) {
				for i := 0; b.Loop(); i++ {
					subject := fmt.Sprint("user ", i*step%(n/4))
					if count, err := s.Revoke(b.Context(), store.Match{Subject: subject}, now); count != 2 || err != nil {
						b.Fatal(count, err)
					}
					b.StopTimer()
					do(b, conn, "UPDATE grantor_families SET revoked_at = 0 WHERE subject = $1 AND revoked_at <> 0 AND id = ANY (ARRAY (SELECT left(md5(f::text), 22) FROM generate_series($2::int * 2, $2::int * 2 + 1) f))", subject, i*step%(n/4))
					b.StartTimer()
				}
			})
			b.Run("Purge100", func(b *testing.B) {
				for i := 0; b.Loop(); i++ {
					b.StopTimer()
					do(b, conn, `INSERT INTO grantor_records SELECT left(md5((r * 7919 % $2)::text), 22), 'due ' || $1::text || ' ' || r, 'r', 1, 1, 1, 0, ''
						FROM generate_series(1, 100) r`, fmt.Sprint(i), n/2)
					b.StartTimer()
					if count, err := s.Purge(b.Context(), now, 100); count != 100 || err != nil {
						b.Fatal(count, err)
					}
				}
			})
		})
	}
}
