package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/grantor-go/grantor/store"
)

// The steps of Purge, each with the time that it was told, a limit and the time of
// the store. A family goes when its records are gone: nothing is left of the limit for
// it before.
var purgeSteps = []string{
	`DELETE FROM records WHERE keep_until <> 0 AND keep_until <= ?1 AND (family, hash) IN (
		SELECT family, hash FROM records WHERE keep_until <> 0 AND keep_until <= ?1 LIMIT ?2)`,

	`DELETE FROM records WHERE (family, hash) IN (
		SELECT r.family, r.hash FROM families f CROSS JOIN records r ON r.family = f.id WHERE f.keep_until <= ?1 LIMIT ?2)`,

	`DELETE FROM families WHERE keep_until <= ?1 AND id IN (
		SELECT id FROM families WHERE keep_until <= ?1 LIMIT ?2)`,

	`DELETE FROM replays WHERE ends_at <= ?3 AND id IN (
		SELECT id FROM replays WHERE ends_at <= ?3 LIMIT ?2)`,
}

// Purge implements [store.GrantStore]. It also removes what Use remembers for no
// longer, by the clock of the store, and counts it. It is one transaction, in which
// nothing else can be changed: a thousand take about a tenth of a second.
func (s *Store) Purge(ctx context.Context, now time.Time, limit int) (int, error) {
	removed := 0
	err := s.change(ctx, func(tx *sql.Tx) error {
		clock := store.Micros(time.Now())
		for _, step := range purgeSteps {
			left := max(limit-removed, 0) // to SQLite a negative limit is none
			n, err := affected(tx.ExecContext(ctx, step, store.Micros(now), left, clock))
			if err != nil {
				return err
			}
			removed += n
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return removed, nil
}
