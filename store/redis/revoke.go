package redis

import (
	"context"
	"errors"
	"time"

	"github.com/grantor-go/grantor/store"
)

// Revoke implements [store.GrantStore]. By family it takes one round trip, otherwise
// two for each thousand families in the index of the session, the subject or the
// client, the first of these that match names, and one more for each other that it
// names.
func (s *Store) Revoke(ctx context.Context, match store.Match, at time.Time) (int, error) {
	if match == (store.Match{}) {
		return 0, errors.New("redis: an empty Match would revoke everything")
	}
	if at.IsZero() {
		return 0, errors.New("redis: a revocation needs a time")
	}
	if match.Family != "" {
		return s.mark(ctx, match, at, []entry{{family: match.Family}})
	}
	keys := s.indexKeys(match.ClientID, match.Subject, match.Session)
	revoked := 0
	err := s.walk(ctx, keys[0], func(entries []entry) (err error) {
		for _, other := range keys[1:] {
			if entries, err = s.alsoIn(ctx, other, entries); err != nil {
				return err
			}
		}
		n, err := s.mark(ctx, match, at, entries)
		revoked += n
		return err
	})
	return revoked, err
}

// mark revokes those of the families that match, in one round trip, and returns how
// many of them lived. Those that do not exist get a tombstone if they have an end.
func (s *Store) mark(ctx context.Context, match store.Match, at time.Time, entries []entry) (int, error) {
	calls := make([]call, len(entries))
	for i, e := range entries {
		calls[i] = call{revokeScript, s.familyKey(e.family), []any{micros(at), match.ClientID, match.Subject, match.Session, e.ends}}
	}
	answers, err := s.runAll(ctx, calls)
	revoked := 0
	for _, answer := range answers {
		if answer == int64(1) {
			revoked++
		}
	}
	return revoked, err
}
