package postgres

import (
	"context"
	"fmt"

	"github.com/grantor-go/grantor/store"
)

// Update implements [store.GrantStore], in one round trip.
func (s *Store) Update(ctx context.Context, record *store.Record) error {
	return s.Exchange(ctx, &store.Change{Family: store.Family{ID: record.Key.Family}, Spend: record})
}

// Exchange implements [store.GrantStore], in one round trip: the function that it
// calls (migrations/0005_bind.sql) is a transaction of its own.
func (s *Store) Exchange(ctx context.Context, change *store.Change) error {
	arguments, err := exchangeArguments(change)
	if err != nil {
		return fmt.Errorf("postgres: encode a record: %w", err)
	}
	var verdict string
	err = s.pool.QueryRow(ctx, exchange, arguments...).Scan(&verdict)
	if err == nil {
		err = ctx.Err() // the cancelling may have ended the commit's wait for a standby
	}
	if err != nil {
		return outage(ctx, "exchange", err)
	}
	switch verdict {
	case "ok":
		return nil
	case "revoked":
		return store.ErrRevoked
	case "conflict":
		return store.ErrConflict
	case "not found":
		return store.ErrNotFound
	}
	return fmt.Errorf("postgres: exchange: the verdict %q is not known", verdict)
}

const exchange = `SELECT grantor_exchange(
	$1, $2, $3, $4, $5, $6, $7, $8,
	$9, $10, $11, $12, $13,
	$14, $15, $16,
	$17, $18, $19, $20, $21, $22)`

// exchangeArguments returns the arguments of grantor_exchange, in its order.
func exchangeArguments(change *store.Change) ([]any, error) {
	family := &change.Family
	arguments := []any{
		family.ID, change.Begin, family.ClientID, family.Subject, family.Session,
		store.Micros(family.CreatedAt), store.Micros(family.RevokedAt), store.Micros(family.KeepUntil),
	}
	if spend := change.Spend; spend != nil {
		body, err := store.EncodeRecord(spend)
		if err != nil {
			return nil, err
		}
		arguments = append(arguments, spend.Key.Hash, spend.Version, store.Micros(spend.ExpiresAt), store.Micros(spend.KeepUntil), body)
	} else {
		arguments = append(arguments, nil, nil, nil, nil, nil)
	}
	if extend := change.Extend; extend != nil {
		arguments = append(arguments, extend.Key.Hash, store.Micros(extend.ExpiresAt), store.Micros(extend.KeepUntil))
	} else {
		arguments = append(arguments, nil, nil, nil)
	}

	n := len(change.Issue)
	hashes, kinds, bodies := make([]string, n), make([]string, n), make([][]byte, n)
	created, expires, keep := make([]int64, n), make([]int64, n), make([]int64, n)
	for i := range change.Issue {
		record := &change.Issue[i]
		body, err := store.EncodeRecord(record)
		if err != nil {
			return nil, err
		}
		hashes[i], kinds[i], bodies[i] = record.Key.Hash, string(record.Kind), body
		created[i], expires[i], keep[i] = store.Micros(record.CreatedAt), store.Micros(record.ExpiresAt), store.Micros(record.KeepUntil)
	}
	return append(arguments, hashes, kinds, created, expires, keep, bodies), nil
}
