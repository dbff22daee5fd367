package redis

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/grantor-go/grantor/store"
)

// # How Revoke and Families find every family
//
// A client, a subject and a session each have an index: a sorted set of families by
// until when they stay in it. On a Cluster it is kept elsewhere than they are, so no
// script changes both. These hold at every moment, whatever crashes:
//
//  1. A family that exists is in each index of its own, with an end that is not
//     before the family's. Exchange enters it first and begins it afterwards; where
//     it would keep a family for longer than the entries last (field i), or give it a
//     subject and a session, the script changes nothing and has them made first, or
//     made to last longer. So it is with a Begin that comes when its entries have
//     ended, however long its process was asleep. The script is told of which subject
//     and session the entries are: if another exchange gave the family others they do
//     not count. Ends are only ever raised (ZADD GT). A crash in between leaves an
//     entry that is too long, or one for no family or another's: it goes when its end
//     has passed.
//  2. An entry is forgotten two margins after its end, the key of a family one margin
//     after its own, which is no later. So while clocks differ by less than a
//     margin the family goes first.
//
// Revoke walks an index by rising ends. An entry that is there from beginning to end
// is met: its end can only rise, which moves it to where the walk has not been. Each
// family is then marked by a script of its own, if it has what is looked for: an index
// may name a family that is not its own, or not yet.
//
//   - It exists: the mark and every exchange are scripts on one key, so one is before
//     the other. An exchange before it is of a family that lived, one after it finds
//     the mark. If it has not got its subject yet it is passed over: the exchange that
//     gives it has not been answered, and comes after the Revoke.
//   - It does not exist, because it has ended or because its Begin is between the
//     entry and the family: the script leaves a tombstone, a mark without a family,
//     for as long as the entry says the family could last. A Begin that comes later
//     finds it: ErrRevoked.
//
// A family that is not in the index when Revoke gets there is one whose Begin has not
// been answered, and it begins after the Revoke. If a Revoke crashes half-way some
// families are marked, each wholly, and it was not answered: the next one does the rest.

// always is the end of a family that no index names. The script can compare it.
const always = "9000000000000000000"

// index enters a family in its indexes, in one round trip, and returns until when
// all of them name it.
func (s *Store) index(ctx context.Context, f *store.Family) (string, error) {
	keys := s.indexKeys(f.ClientID, f.Subject, f.Session)
	calls := make([]call, len(keys))
	for i, key := range keys {
		calls[i] = call{indexScript, key, []any{f.ID, micros(f.KeepUntil)}}
	}
	answers, err := s.runAll(ctx, calls)
	if err != nil {
		return "", err
	}
	until, least := always, math.Inf(1)
	for _, answer := range answers {
		text, _ := answer.(string)
		ends, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return "", fmt.Errorf("redis: the script of an index answered %v", answer)
		}
		if ends < least {
			until, least = text, ends
		}
	}
	return until, nil
}

// indexKeys returns the keys of the indexes of what is not empty, those with the
// fewest families first. The values are whatever a host makes them, so their hashes
// stand for them.
func (s *Store) indexKeys(client, subject, session string) []string {
	var keys []string
	for _, by := range []struct{ kind, value string }{{"n:", session}, {"s:", subject}, {"c:", client}} {
		if by.value != "" {
			sum := sha256.Sum256([]byte(by.value))
			keys = append(keys, s.prefix+by.kind+base64.RawURLEncoding.EncodeToString(sum[:]))
		}
	}
	return keys
}

// entry is a family in an index and until when it stays there.
type entry struct{ family, ends string }

// page is how many families Revoke and Families take at once, at least.
const page = 1000

// walk calls visit with all entries of an index by rising ends, a page at a time. Some
// are visited twice: the last of a page, and those whose end is raised meanwhile.
func (s *Store) walk(ctx context.Context, key string, visit func([]entry) error) error {
	for from, limit := "-inf", page; ; {
		entries, err := s.entries(ctx, key, from, limit)
		if err != nil {
			return err
		}
		full := len(entries) == limit
		if full && entries[limit-1].ends != from {
			from, limit = entries[limit-1].ends, page
		} else {
			limit *= 2 // a page of one end leads nowhere: take more of them
		}
		if err := visit(entries); err != nil || !full {
			return err
		}
	}
}

// entries returns the entries of an index from an end upwards.
func (s *Store) entries(ctx context.Context, key, from string, limit int) ([]entry, error) {
	answer, err := s.do(ctx, command(ctx, "zrangebyscore", key, from, "+inf", "withscores", "limit", 0, limit))
	if err != nil {
		return nil, err
	}
	return decodeEntries(answer)
}

// decodeEntries reads what RESP2 answers, members and scores in turn, and RESP3,
// pairs with scores that are numbers.
func decodeEntries(answer any) ([]entry, error) {
	values, _ := answer.([]any)
	var entries []entry
	for len(values) > 0 {
		pair, nested := values[0].([]any)
		if nested {
			values = values[1:]
		} else {
			pair, values = values[:min(2, len(values))], values[min(2, len(values)):]
		}
		if len(pair) != 2 {
			return nil, errors.New("redis: ZRANGEBYSCORE answered something else than members and scores")
		}
		family, _ := pair[0].(string)
		ends, isText := pair[1].(string)
		if number, isNumber := pair[1].(float64); isNumber {
			ends = strconv.FormatFloat(number, 'f', -1, 64)
		} else if !isText {
			return nil, errors.New("redis: ZRANGEBYSCORE answered a score that is none")
		}
		entries = append(entries, entry{family, ends})
	}
	return entries, nil
}

// alsoIn returns those of the entries that another index has as well: a family is in
// all of its own.
func (s *Store) alsoIn(ctx context.Context, key string, entries []entry) ([]entry, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	args := []any{"zmscore", key}
	for _, e := range entries {
		args = append(args, e.family)
	}
	answer, err := s.do(ctx, command(ctx, args...))
	if err != nil {
		return nil, err
	}
	scores, _ := answer.([]any)
	if len(scores) != len(entries) {
		return nil, fmt.Errorf("redis: ZMSCORE answered %d values", len(scores))
	}
	var both []entry
	for i, e := range entries {
		if scores[i] != nil {
			both = append(both, e)
		}
	}
	return both, nil
}
