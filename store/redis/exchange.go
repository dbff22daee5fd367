package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/grantor-go/grantor/store"
)

var errClocks = errors.New("redis: the clocks of the engine's nodes differ by days")

// Update implements [store.GrantStore].
func (s *Store) Update(ctx context.Context, record *store.Record) error {
	return s.Exchange(ctx, &store.Change{Family: store.Family{ID: record.Key.Family}, Spend: record})
}

// Exchange implements [store.GrantStore]. It takes one round trip; one more to
// begin a family, and two more to give one a subject or to keep it for longer than its
// index entries say, which are made to last twice as long as is asked and forty days
// at least.
func (s *Store) Exchange(ctx context.Context, change *store.Change) error {
	args, err := exchangeArgs(change)
	if err != nil {
		return err
	}
	enter := func(f *store.Family) error {
		until, err := s.index(ctx, f)
		args[indexedUntil], args[indexedUntil+1], args[indexedUntil+2] = until, f.Subject, f.Session
		return err
	}
	if change.Begin {
		if err := enter(&change.Family); err != nil {
			return err
		}
	}
	for range 3 { // who is to be indexed changes once at most, when another binds it first
		answer, err := s.run(ctx, call{exchangeScript, s.familyKey(change.Family.ID), args})
		if err != nil {
			s.unsettled.Store(time.Now().UnixNano())
			return err
		}
		words, _ := answer.([]any)
		if len(words) != 5 || words[0] != "INDEX" {
			return verdict(answer)
		}
		owner, err := decodeOwner(change.Family.ID, words[1:])
		if err != nil {
			return err
		}
		if err := enter(owner); err != nil {
			return err
		}
	}
	return errClocks
}

// decodeOwner reads what the script says of a family that the indexes do not name
// for long enough.
func decodeOwner(id string, words []any) (*store.Family, error) {
	var texts [4]string
	for i := range texts {
		texts[i], _ = words[i].(string)
	}
	keep, err := strconv.ParseInt(texts[3], 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%w: not a family", store.ErrCorrupt)
	}
	return &store.Family{
		ID: id, ClientID: texts[0], Subject: texts[1], Session: texts[2], KeepUntil: store.FromMicros(keep),
	}, nil
}

func verdict(answer any) error {
	words, _ := answer.([]any)
	if len(words) == 1 {
		switch words[0] {
		case "OK":
			return nil
		case "REVOKED":
			return store.ErrRevoked
		case "CONFLICT":
			return store.ErrConflict
		case "NOTFOUND":
			return store.ErrNotFound
		case "CORRUPT":
			return fmt.Errorf("%w: not a record", store.ErrCorrupt)
		}
	}
	return fmt.Errorf("redis: the script of Exchange answered %v", answer)
}

// indexedUntil is where the arguments say until when the indexes name the family; of
// which subject and session it is in them comes next.
const indexedUntil = 6

// exchangeArgs returns what lua/exchange.lua lists.
func exchangeArgs(change *store.Change) ([]any, error) {
	f, begin := &change.Family, ""
	if change.Begin {
		begin = "1"
	}
	args := []any{begin, micros(f.KeepUntil), f.ClientID, f.Subject, f.Session, micros(f.CreatedAt), "0", "", ""}
	if r := change.Spend; r != nil {
		b, err := body(r)
		if err != nil {
			return nil, err
		}
		args = append(args, r.Key.Hash, strconv.FormatInt(r.Version, 10), strconv.FormatInt(r.Version+1, 10),
			micros(r.ExpiresAt), micros(r.KeepUntil), b)
	} else {
		args = append(args, "", "", "", "", "", "")
	}
	if e := change.Extend; e != nil {
		args = append(args, e.Key.Hash, micros(e.ExpiresAt), micros(e.KeepUntil))
	} else {
		args = append(args, "", "", "")
	}
	for i := range change.Issue {
		value, err := encodeRecord(&change.Issue[i])
		if err != nil {
			return nil, err
		}
		args = append(args, change.Issue[i].Key.Hash, value)
	}
	return args, nil
}

// Find implements [store.GrantStore]. It takes one round trip, and two soon after an
// exchange of this Store whose outcome is unknown: the engine may have both at once
// and take them in any order, but what it had when it answered it does before what is
// sent then.
func (s *Store) Find(ctx context.Context, key store.Key) (*store.Record, *store.Family, error) {
	if time.Since(time.Unix(0, s.unsettled.Load())) < 10*time.Second {
		if _, err := s.FamilyLive(ctx, key.Family); err != nil {
			return nil, nil, err
		}
	}
	args := append([]any{"hmget", s.familyKey(key.Family)}, familyFields...)
	answer, err := s.do(ctx, command(ctx, append(args, "r"+key.Hash)...))
	if err != nil {
		return nil, nil, err
	}
	values, _ := answer.([]any)
	if len(values) != len(familyFields)+1 {
		return nil, nil, fmt.Errorf("redis: HMGET answered %d values", len(values))
	}
	value, found := values[len(familyFields)].(string)
	if !found || values[0] == nil {
		return nil, nil, store.ErrNotFound
	}
	family, err := decodeFamily(key.Family, values[:len(familyFields)])
	if err != nil {
		return nil, nil, err
	}
	record, err := decodeRecord(key, value)
	if err != nil {
		return nil, nil, err
	}
	return record, family, nil
}

// FamilyLive implements [store.GrantStore]. It takes one round trip.
func (s *Store) FamilyLive(ctx context.Context, id string) (bool, error) {
	answer, err := s.do(ctx, command(ctx, "hmget", s.familyKey(id), "t", "x"))
	if err != nil {
		return false, err
	}
	values, _ := answer.([]any)
	if len(values) != 2 {
		return false, fmt.Errorf("redis: HMGET answered %d values", len(values))
	}
	return values[0] != nil && values[1] == nil, nil
}

// Purge does nothing: the engine removes families by itself, Exchange the records
// of one that lives for long, and what enters an index those that have ended.
func (s *Store) Purge(ctx context.Context, _ time.Time, _ int) (int, error) {
	return 0, ctx.Err()
}
