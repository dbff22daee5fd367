package sqlite

import (
	"context"
	"encoding/json"

	"github.com/grantor-go/grantor/store"
)

// Scopes implements [store.ScopeStore]. It is one statement, however many the
// names.
func (s *Store) Scopes(ctx context.Context, names []string) ([]store.Scope, error) {
	list, err := json.Marshal(names)
	if err != nil {
		return nil, failed(err)
	}
	var scopes []store.Scope
	err = retry(ctx, func() (err error) {
		scopes, err = s.scopes(ctx, list)
		return err
	})
	if err != nil {
		return nil, failed(err)
	}
	return scopes, nil
}

func (s *Store) scopes(ctx context.Context, names []byte) ([]store.Scope, error) {
	rows, err := s.lookups[findScopes].QueryContext(ctx, string(names))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var scopes []store.Scope
	for rows.Next() {
		var body []byte
		if err := rows.Scan(&body); err != nil {
			return nil, err
		}
		var scope store.Scope
		if err := decode(body, &scope); err != nil {
			return nil, err
		}
		scopes = append(scopes, scope)
	}
	return scopes, rows.Err()
}

// PutScope keeps sc in place of any scope with the same name.
func (s *Store) PutScope(ctx context.Context, sc store.Scope) error {
	body, err := json.Marshal(sc)
	if err != nil {
		return failed(err)
	}
	return s.exec(ctx, "INSERT INTO scopes (name, body) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET body = excluded.body", sc.Name, body)
}

// DeleteScope forgets the scope with this name, if there is one.
func (s *Store) DeleteScope(ctx context.Context, name string) error {
	return s.exec(ctx, "DELETE FROM scopes WHERE name = ?", name)
}
