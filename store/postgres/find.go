package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/grantor-go/grantor/store"
)

// Find implements [store.GrantStore], in one round trip.
func (s *Store) Find(ctx context.Context, key store.Key) (*store.Record, *store.Family, error) {
	record, family := store.Record{Key: key}, store.Family{ID: key.Family}
	var (
		created, expires, keep                   int64
		familyCreated, familyRevoked, familyKeep int64
		body                                     []byte
	)
	err := s.pool.QueryRow(ctx, `
		SELECT r.kind, r.created_at, r.expires_at, r.keep_until, r.version, r.body,
			f.client_id, f.subject, f.session, f.created_at, f.revoked_at, f.keep_until
		FROM grantor_records r JOIN grantor_families f ON f.id = r.family
		WHERE r.family = $1 AND r.hash = $2`, key.Family, key.Hash).Scan(
		&record.Kind, &created, &expires, &keep, &record.Version, &body,
		&family.ClientID, &family.Subject, &family.Session, &familyCreated, &familyRevoked, &familyKeep)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil, store.ErrNotFound
	}
	if err != nil {
		return nil, nil, outage(ctx, "find a record", err)
	}
	if err := store.DecodeRecord(body, &record); err != nil {
		return nil, nil, err
	}
	// The body has the CreatedAt of whoever wrote it last.
	record.CreatedAt = store.FromMicros(created)
	record.ExpiresAt, record.KeepUntil = store.FromMicros(expires), store.FromMicros(keep)
	family.CreatedAt, family.RevokedAt, family.KeepUntil =
		store.FromMicros(familyCreated), store.FromMicros(familyRevoked), store.FromMicros(familyKeep)
	return &record, &family, nil
}

// FamilyLive implements [store.GrantStore].
func (s *Store) FamilyLive(ctx context.Context, id string) (bool, error) {
	var live bool
	err := s.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM grantor_families WHERE id = $1 AND revoked_at = 0)`, id).Scan(&live)
	if err != nil {
		return false, outage(ctx, "look whether a family lives", err)
	}
	return live, nil
}
