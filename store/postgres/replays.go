package postgres

import (
	"context"
	"time"
)

// useID changes one row or, if the id is remembered, none. Of two at once the second
// waits until the first has committed, and then sees what it did.
const useID = `
	INSERT INTO grantor_replays AS known (id, ends_at) VALUES ($1, grantor_clock() + $2)
	ON CONFLICT (id) DO UPDATE SET ends_at = grantor_clock() + $2 WHERE known.ends_at <= grantor_clock()`

// Use implements [store.ReplayStore], in one round trip. The clock of the store is that
// of the engine.
func (s *Store) Use(ctx context.Context, id string, lifetime time.Duration) (first bool, err error) {
	// The clock and the lifetime are both cut to microseconds.
	tag, err := s.pool.Exec(ctx, useID, id, lifetime.Microseconds()+2)
	if err == nil {
		err = ctx.Err() // as in Exchange
	}
	if err != nil {
		return false, outage(ctx, "use an id", err)
	}
	return tag.RowsAffected() == 1, nil
}
