package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/grantor-go/grantor/store"
)

// useID takes an id, its end and the time. It changes one row or, if the id is
// remembered, none.
const useID = `
INSERT INTO replays (id, ends_at) VALUES (?1, ?2)
ON CONFLICT (id) DO UPDATE SET ends_at = excluded.ends_at WHERE replays.ends_at <= ?3`

// Use implements [store.ReplayStore]. It is one transaction. The clock of the store
// is that of the host.
func (s *Store) Use(ctx context.Context, id string, lifetime time.Duration) (first bool, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		now := time.Now()                           // after the wait for the lock
		ends := store.Micros(now.Add(lifetime)) + 1 // rounded up
		n, err := affected(tx.StmtContext(ctx, s.changes[useID]).ExecContext(ctx, id, ends, store.Micros(now)))
		first = n == 1
		return err
	})
	return first && err == nil, err
}
