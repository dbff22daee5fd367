package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/grantor-go/grantor/store"
)

// Client implements [store.ClientStore].
func (s *Store) Client(ctx context.Context, id string) (*store.Client, error) {
	var body []byte
	err := s.find(ctx, findClient, []any{id}, []any{&body})
	if err != nil {
		return nil, err
	}
	client, err := store.DecodeClient(body)
	if err != nil {
		return nil, failed(err)
	}
	return client, nil
}

// PutClient keeps c in place of any client with the same ID. The error is that
// of encoding/json about a claim, or an outage.
func (s *Store) PutClient(ctx context.Context, c store.Client) error {
	body, err := store.EncodeClient(&c)
	if err != nil {
		return failed(err)
	}
	return s.exec(ctx, "INSERT INTO clients (id, body) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body", c.ID, body)
}

// DeleteClient forgets the client with this ID, if there is one. What it was
// granted is kept: see Revoke.
func (s *Store) DeleteClient(ctx context.Context, id string) error {
	return s.exec(ctx, "DELETE FROM clients WHERE id = ?", id)
}

func (s *Store) exec(ctx context.Context, query string, args ...any) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	})
}

// decode refuses what it does not know: a member that a newer release wrote may
// be one that restricts.
func decode(body []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil || decoder.More() {
		return fmt.Errorf("%w: not a scope that this release can read", store.ErrCorrupt) // the text of err could quote it
	}
	return nil
}
