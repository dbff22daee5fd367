package storetest

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
)

// TestGrantStore checks a [store.GrantStore].
//
// open returns two handles on one empty store, as two processes have them: two
// connections, or two pools, to one engine. A store that lives in one process
// may return the same twice. open is called once or more in every sub-test, with
// the t of that sub-test: report what goes wrong there with t.Fatal, and close
// both with t.Cleanup. After another call of open the handles of the one before
// are not used again, so all may share a database that open empties.
//
// Whether Purge has to remove anything is up to the store. One that reports 0
// for what is plainly due must keep only the promises about what stays; the last
// sub-test logs which kind it was taken for. The ends that the tests ask Purge to
// look at are hours ahead of the clock, and nothing that must be found is ever
// past its end by the clock: an engine that collects by itself has no reason to.
func TestGrantStore(t *testing.T, open func(t *testing.T) (a, b store.GrantStore)) {
	t.Helper()
	opened := func(t *testing.T, _ ...store.Record) handles {
		a, b := open(t)
		return handles{a, b}
	}
	runAll(t, grantChecks, opened)
	t.Run("whether Purge collects", func(t *testing.T) {
		removes, err := collects(t.Context(), opened(t))
		switch {
		case err != nil:
			t.Error(err)
		case !removes:
			t.Log("Purge removed nothing of what was due: the promises about what it removes were not checked")
		}
	})
}

var grantChecks = slices.Concat(grantKeepChecks, grantExchangeChecks, grantExtendChecks, grantVerdictChecks,
	grantRaceChecks, grantChainChecks, grantBindChecks, grantRevokeChecks, grantRevokedChecks, grantFamiliesChecks,
	grantPurgeChecks, grantCollectChecks, grantOutageChecks)

// handles are two handles on one store.
type handles struct{ a, b store.GrantStore }

// A grant store is always empty at first, so open is called without records.
type (
	grantCheck = check[handles, store.Record]
	openGrants = func(...store.Record) handles
)

var began = time.Now().UTC().Truncate(time.Microsecond)

// hour returns an instant some hours after the tests began.
func hour(n int) time.Time { return began.Add(time.Duration(n) * time.Hour) }

// random returns bytes at random in the form of the two parts of a key.
func random(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// newFamily returns a family that must be found for three hours.
func newFamily() store.Family {
	return store.Family{
		ID: random(16), ClientID: "reports", Subject: "alice", Session: "of this morning",
		CreatedAt: hour(0), KeepUntil: hour(3),
	}
}

// newRecord returns a record that must be found for two hours.
func newRecord(f store.Family) store.Record {
	return store.Record{
		Key: store.Key{Family: f.ID, Hash: random(32)}, Kind: store.KindRefresh, State: "live",
		CreatedAt: hour(0), ExpiresAt: hour(1), KeepUntil: hour(2),
		Grant: &store.Grant{ClientID: f.ClientID, Subject: f.Subject, Session: f.Session, Scopes: []string{"read"}},
		Data:  []byte("of a record"),
	}
}

func newRecords(f store.Family, n int) []store.Record {
	records := make([]store.Record, n)
	for i := range records {
		records[i] = newRecord(f)
	}
	return records
}

func keysOf(records ...store.Record) []store.Key {
	keys := make([]store.Key, len(records))
	for i, r := range records {
		keys[i] = r.Key
	}
	return keys
}

// spent returns what a record becomes when an exchange spends it.
func spent(r store.Record, by string) *store.Record {
	r.State, r.SpentAt, r.SpentBy, r.Sealed, r.Grant = "spent", hour(0), by, []byte("sealed by "+by), nil
	return &r
}

// kept returns what a store keeps of a record that Update wrote.
func kept(r *store.Record) store.Record {
	after := *r
	after.Version++
	return after
}

// begin makes a family with these records.
func begin(ctx context.Context, s store.GrantStore, f store.Family, records ...store.Record) error {
	err := s.Exchange(ctx, &store.Change{Family: f, Begin: true, Issue: records})
	return verdict(err, nil, "Exchange that begins a family")
}

// begun opens a store that keeps a new family with n records.
func begun(ctx context.Context, open openGrants, n int) (handles, store.Family, []store.Record, error) {
	p, f := open(), newFamily()
	records := newRecords(f, n)
	return p, f, records, begin(ctx, p.a, f, records...)
}

// of returns a change of the family f.
func of(f store.Family) *store.Change { return &store.Change{Family: store.Family{ID: f.ID}} }

// verdict returns an error unless err is want and no other verdict.
func verdict(err, want error, what string) error {
	switch {
	case err == nil && want == nil:
		return nil
	case want == nil:
		return fmt.Errorf("%s returned the error %q", what, err)
	case err == nil:
		return fmt.Errorf("%s returned no error, want %q", what, want)
	}
	for _, v := range []error{want, store.ErrNotFound, store.ErrConflict, store.ErrRevoked, store.ErrCorrupt} {
		if errors.Is(err, v) != (v == want) {
			return fmt.Errorf("%s returned the error %q, want %q; errors.Is(err, %q) is %t", what, err, want, v, v != want)
		}
	}
	return nil
}

// keeps looks up a record and compares it, and its family, with what was kept.
func keeps(ctx context.Context, s store.GrantStore, f store.Family, records ...store.Record) error {
	for _, want := range records {
		r, family, err := s.Find(ctx, want.Key)
		switch {
		case err != nil:
			return fmt.Errorf("a Find of a kept record returned the error %q", err)
		case r == nil || family == nil:
			return errors.New("a Find of a kept record returned no record or no family, and no error")
		}
		if err := errors.Join(where("the record", same(want, *r)), where("its family", same(f, *family))); err != nil {
			return err
		}
	}
	return nil
}

// without looks up keys of which no record is kept.
func without(ctx context.Context, s store.GrantStore, keys ...store.Key) error {
	for _, key := range keys {
		_, _, err := s.Find(ctx, key)
		if err := verdict(err, store.ErrNotFound, "Find of a record that is not kept"); err != nil {
			return err
		}
	}
	return nil
}

// lives compares what FamilyLive says of a family.
func lives(ctx context.Context, s store.GrantStore, id string, want bool) error {
	got, err := s.FamilyLive(ctx, id)
	if err != nil {
		return fmt.Errorf("a FamilyLive returned the error %q", err)
	}
	if got != want {
		return fmt.Errorf("a FamilyLive is %t, want %t", got, want)
	}
	return nil
}

// revokes calls Revoke and compares the count.
func revokes(ctx context.Context, s store.GrantStore, m store.Match, at time.Time, want int) error {
	n, err := s.Revoke(ctx, m, at)
	if err != nil {
		return fmt.Errorf("Revoke(%+q) returned the error %q", m, err)
	}
	if n != want {
		return fmt.Errorf("Revoke(%+q) revoked %d families that lived, want %d", m, n, want)
	}
	return nil
}

// where puts what was looked at before an error.
func where(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
