package postgres

import (
	"context"
	"time"

	"github.com/grantor-go/grantor/store"
)

// Purge implements [store.GrantStore], in one round trip. It also removes what Use
// remembers for no longer, by the clock of the engine, and counts it. What another
// transaction has locked at the moment it passes over and does not count.
func (s *Store) Purge(ctx context.Context, now time.Time, limit int) (int, error) {
	if limit <= 0 {
		return 0, nil
	}
	var removed int
	err := s.pool.QueryRow(ctx, `SELECT grantor_purge($1, $2)`, store.Micros(now), limit).Scan(&removed)
	if err != nil {
		return 0, outage(ctx, "purge", err)
	}
	return removed, nil
}
