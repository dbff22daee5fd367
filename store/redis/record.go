package redis

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/grantor-go/grantor/store"
)

// A family is one hash. Its own fields have one letter: t when it was created,
// c client, s subject, n session, k kept until, x revoked at, i indexed until. A
// record is the field r and its hash: version, created, expires, kept until and
// kind, then a new line and what store.EncodeRecord writes. The times are
// store.Micros.

func (s *Store) familyKey(id string) string { return s.prefix + "f:" + id }

func micros(t time.Time) string { return strconv.FormatInt(store.Micros(t), 10) }

// body returns what of a record the scripts do not look at. When it was created
// stands before it, for that outlives the record's changes.
func body(r *store.Record) (string, error) {
	later := *r
	later.CreatedAt = time.Time{}
	b, err := store.EncodeRecord(&later)
	return string(b), err
}

func encodeRecord(r *store.Record) (string, error) {
	b, err := body(r)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d %s %s %s %s\n%s", r.Version, micros(r.CreatedAt), micros(r.ExpiresAt), micros(r.KeepUntil), r.Kind, b), nil
}

func decodeRecord(key store.Key, value string) (*store.Record, error) {
	head, body, _ := strings.Cut(value, "\n")
	fields := strings.SplitN(head, " ", 5)
	if len(fields) != 5 {
		return nil, fmt.Errorf("%w: not a record", store.ErrCorrupt)
	}
	var numbers [4]int64
	for i := range numbers {
		var err error
		if numbers[i], err = strconv.ParseInt(fields[i], 10, 64); err != nil {
			return nil, fmt.Errorf("%w: not a record", store.ErrCorrupt)
		}
	}
	r := &store.Record{Key: key, Kind: store.Kind(fields[4]), Version: numbers[0]}
	if err := store.DecodeRecord([]byte(body), r); err != nil {
		return nil, err
	}
	r.CreatedAt, r.ExpiresAt, r.KeepUntil = store.FromMicros(numbers[1]), store.FromMicros(numbers[2]), store.FromMicros(numbers[3])
	return r, nil
}

// familyFields are read in this order by Find.
var familyFields = []any{"t", "x", "k", "c", "s", "n"}

func decodeFamily(id string, values []any) (*store.Family, error) {
	var times [3]int64
	var texts [3]string
	for i, value := range values {
		text, _ := value.(string) // nil if the field is absent, as x is in a family that lives
		if i >= len(times) {
			texts[i-len(times)] = text
			continue
		}
		var err error
		if times[i], err = strconv.ParseInt(text, 10, 64); err != nil && (i != 1 || value != nil) {
			return nil, fmt.Errorf("%w: not a family", store.ErrCorrupt)
		}
	}
	return &store.Family{
		ID: id, ClientID: texts[0], Subject: texts[1], Session: texts[2],
		CreatedAt: store.FromMicros(times[0]), RevokedAt: store.FromMicros(times[1]), KeepUntil: store.FromMicros(times[2]),
	}, nil
}
