package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/grantor-go/grantor/store"
)

// Families implements [store.GrantStore]. It takes two round trips for each thousand
// families in the index of the subject.
func (s *Store) Families(ctx context.Context, subject string) ([]store.Family, error) {
	if subject == "" {
		return nil, errors.New("redis: Families needs a subject")
	}
	var families []store.Family
	visited := make(map[string]bool)
	err := s.walk(ctx, s.indexKeys("", subject, "")[0], func(entries []entry) error {
		var ids []string
		for _, e := range entries {
			if !visited[e.family] {
				visited[e.family] = true
				ids = append(ids, e.family)
			}
		}
		found, err := s.families(ctx, ids)
		for _, f := range found {
			if f.Subject == subject && f.RevokedAt.IsZero() {
				families = append(families, f)
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(families, func(a, b store.Family) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return families, nil
}

// families returns those of the families that exist, in one round trip.
func (s *Store) families(ctx context.Context, ids []string) ([]store.Family, error) {
	cmds, pipe := make([]once, len(ids)), s.client.Pipeline()
	for i, id := range ids {
		cmds[i] = command(ctx, append([]any{"hmget", s.familyKey(id)}, familyFields...)...)
		_ = pipe.Process(ctx, cmds[i]) // only queues it
	}
	_, _ = pipe.Exec(ctx) // each of cmds has its own error
	var found []store.Family
	for i, cmd := range cmds {
		answer, err := reply(cmd)
		if err != nil {
			return nil, err
		}
		values, _ := answer.([]any)
		if len(values) != len(familyFields) {
			return nil, fmt.Errorf("redis: HMGET answered %d values", len(values))
		}
		if values[0] == nil {
			continue // it has ended, or has not begun
		}
		f, err := decodeFamily(ids[i], values)
		if err != nil {
			return nil, err
		}
		found = append(found, *f)
	}
	return found, nil
}
