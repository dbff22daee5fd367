package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/grantor-go/grantor/store"
)

// Client implements [store.ClientStore].
func (s *Store) Client(ctx context.Context, id string) (*store.Client, error) {
	var body []byte
	err := s.pool.QueryRow(ctx, `SELECT body FROM grantor_clients WHERE id = $1`, id).Scan(&body)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, store.ErrNotFound
	}
	if err != nil {
		return nil, outage(ctx, "look up a client", err)
	}
	return store.DecodeClient(body)
}

// PutClient keeps c in place of any client with the same ID. The error may be that
// of encoding/json about a claim.
func (s *Store) PutClient(ctx context.Context, c store.Client) error {
	body, err := store.EncodeClient(&c)
	if err != nil {
		return fmt.Errorf("postgres: encode a client: %w", err)
	}
	_, err = s.pool.Exec(ctx, `
		INSERT INTO grantor_clients (id, body) VALUES ($1, $2)
		ON CONFLICT (id) DO UPDATE SET body = excluded.body`, c.ID, body)
	if err != nil {
		return outage(ctx, "keep a client", err)
	}
	return nil
}

// DeleteClient forgets the client with this ID, if there is one. What was granted
// to it stays: see Revoke.
func (s *Store) DeleteClient(ctx context.Context, id string) error {
	if _, err := s.pool.Exec(ctx, `DELETE FROM grantor_clients WHERE id = $1`, id); err != nil {
		return outage(ctx, "delete a client", err)
	}
	return nil
}
