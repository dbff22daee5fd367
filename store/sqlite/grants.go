package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/grantor-go/grantor/store"
)

// Find implements [store.GrantStore]. It is one statement.
func (s *Store) Find(ctx context.Context, key store.Key) (*store.Record, *store.Family, error) {
	r, f := &store.Record{Key: key}, &store.Family{ID: key.Family}
	var body []byte
	var expires, keep, created, revoked, familyKeep int64
	err := s.find(ctx, findRecord, []any{key.Family, key.Hash}, []any{
		&r.Kind, &expires, &keep, &r.Version, &body,
		&f.ClientID, &f.Subject, &f.Session, &created, &revoked, &familyKeep,
	})
	if err != nil {
		return nil, nil, err
	}
	if err := store.DecodeRecord(body, r); err != nil {
		return nil, nil, failed(err)
	}
	r.ExpiresAt, r.KeepUntil = store.FromMicros(expires), store.FromMicros(keep)
	f.CreatedAt, f.RevokedAt = store.FromMicros(created), store.FromMicros(revoked)
	f.KeepUntil = store.FromMicros(familyKeep)
	return r, f, nil
}

// Update implements [store.GrantStore].
func (s *Store) Update(ctx context.Context, record *store.Record) error {
	return s.Exchange(ctx, &store.Change{Family: store.Family{ID: record.Key.Family}, Spend: record})
}

// FamilyLive implements [store.GrantStore].
func (s *Store) FamilyLive(ctx context.Context, id string) (bool, error) {
	var live bool
	err := s.find(ctx, findLive, []any{id}, []any{&live})
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return live, err
}

// Revoke implements [store.GrantStore]. It is one transaction: for a client with
// very many families it takes a while, in which nothing else can be changed.
func (s *Store) Revoke(ctx context.Context, match store.Match, at time.Time) (int, error) {
	if match == (store.Match{}) {
		return 0, errors.New("sqlite: an empty Match would revoke everything")
	}
	if at.IsZero() {
		return 0, errors.New("sqlite: revoking needs the time at which it is done")
	}
	where, args := matching(match)
	args = append([]any{store.Micros(at)}, args...)
	var revoked int
	err := s.change(ctx, func(tx *sql.Tx) (err error) {
		revoked, err = affected(tx.ExecContext(ctx, "UPDATE families SET revoked_at = ? WHERE revoked_at = 0"+where, args...))
		return err
	})
	if err != nil {
		return 0, err
	}
	return revoked, nil
}

// matching returns the conditions of a match. The first is the one that fits the
// fewest families, as a rule, and the only one written as in an index, so that
// SQLite takes that index and no other.
func matching(match store.Match) (where string, args []any) {
	for _, field := range []struct{ column, value string }{
		{"id", match.Family}, {"session", match.Session}, {"subject", match.Subject}, {"client_id", match.ClientID},
	} {
		switch {
		case field.value == "":
		case len(args) == 0:
			where += fmt.Sprintf(" AND %[1]s = ? AND %[1]s <> ''", field.column)
			args = append(args, field.value)
		default:
			where += fmt.Sprintf(" AND %s = ?", field.column)
			args = append(args, field.value)
		}
	}
	return where, args
}

// affected returns how many rows a statement changed.
func affected(result sql.Result, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return int(n), err
}
