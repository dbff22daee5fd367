package sqlite

import (
	"context"
	"errors"
	"slices"

	"github.com/grantor-go/grantor/store"
)

// Families implements [store.GrantStore]. It is one statement.
func (s *Store) Families(ctx context.Context, subject string) ([]store.Family, error) {
	if subject == "" {
		return nil, errors.New("sqlite: Families needs a subject")
	}
	var families []store.Family
	err := retry(ctx, func() (err error) {
		families, err = s.families(ctx, subject)
		return err
	})
	if err != nil {
		return nil, failed(err)
	}
	slices.SortFunc(families, func(a, b store.Family) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return families, nil
}

func (s *Store) families(ctx context.Context, subject string) ([]store.Family, error) {
	rows, err := s.lookups[findFamilies].QueryContext(ctx, subject)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var families []store.Family
	for rows.Next() {
		var f store.Family
		var created, keep int64
		if err := rows.Scan(&f.ID, &f.ClientID, &f.Subject, &f.Session, &created, &keep); err != nil {
			return nil, err
		}
		f.CreatedAt, f.KeepUntil = store.FromMicros(created), store.FromMicros(keep)
		families = append(families, f)
	}
	return families, rows.Err()
}
