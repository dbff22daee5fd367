package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/grantor-go/grantor/store"
)

// Revoke implements [store.GrantStore], in one statement. An at that is zero is an
// error too.
func (s *Store) Revoke(ctx context.Context, match store.Match, at time.Time) (int, error) {
	if match == (store.Match{}) {
		return 0, errors.New("postgres: an empty Match would revoke everything")
	}
	if store.Micros(at) == 0 {
		return 0, errors.New("postgres: a revocation without a time would leave the families alive")
	}
	var where strings.Builder
	arguments := []any{store.Micros(at)}
	for _, field := range []struct{ column, value string }{
		{"id", match.Family}, {"client_id", match.ClientID}, {"subject", match.Subject}, {"session", match.Session},
	} {
		if field.value != "" {
			arguments = append(arguments, field.value)
			// The second condition lets the planner use an index that leaves out the empty.
			fmt.Fprintf(&where, " AND %s = $%d AND %[1]s <> ''", field.column, len(arguments))
		}
	}
	// Two that revoke the same families lock them in the same order. Who waited sees
	// the row as it is by then: no longer alive, or with what an exchange wrote.
	tag, err := s.pool.Exec(ctx, `
		WITH found AS (
			SELECT id FROM grantor_families WHERE revoked_at = 0`+where.String()+`
			ORDER BY id FOR NO KEY UPDATE)
		UPDATE grantor_families f SET revoked_at = $1 FROM found WHERE f.id = found.id AND f.revoked_at = 0`, arguments...)
	if err == nil {
		err = ctx.Err() // as in Exchange
	}
	if err != nil {
		return 0, outage(ctx, "revoke", err)
	}
	return int(tag.RowsAffected()), nil
}
