package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/grantor-go/grantor/store"
)

// Scopes implements [store.ScopeStore].
func (s *Store) Scopes(ctx context.Context, names []string) ([]store.Scope, error) {
	rows, err := s.pool.Query(ctx, `SELECT body FROM grantor_scopes WHERE name = ANY ($1)`, names)
	if err != nil {
		return nil, outage(ctx, "look up scopes", err)
	}
	bodies, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		return nil, outage(ctx, "look up scopes", err)
	}
	scopes := make([]store.Scope, len(bodies))
	for i, body := range bodies {
		if err := json.Unmarshal(body, &scopes[i]); err != nil {
			return nil, fmt.Errorf("%w: not the JSON of a scope", store.ErrCorrupt)
		}
	}
	return scopes, nil
}

// PutScope keeps sc in place of any scope with the same Name.
func (s *Store) PutScope(ctx context.Context, sc store.Scope) error {
	body, err := json.Marshal(sc)
	if err != nil {
		return fmt.Errorf("postgres: encode a scope: %w", err)
	}
	_, err = s.pool.Exec(ctx, `
		INSERT INTO grantor_scopes (name, body) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET body = excluded.body`, sc.Name, body)
	if err != nil {
		return outage(ctx, "keep a scope", err)
	}
	return nil
}

// DeleteScope forgets the scope with this name, if there is one.
func (s *Store) DeleteScope(ctx context.Context, name string) error {
	if _, err := s.pool.Exec(ctx, `DELETE FROM grantor_scopes WHERE name = $1`, name); err != nil {
		return outage(ctx, "delete a scope", err)
	}
	return nil
}
