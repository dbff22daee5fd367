package redis

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
)

func random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

func in(d time.Duration) time.Time { return time.Now().Add(d).Truncate(time.Microsecond) }

func newFamily(keep time.Duration) store.Family {
	return store.Family{ID: random(16), ClientID: "shop", Subject: "alice", Session: "today", CreatedAt: in(0), KeepUntil: in(keep)}
}

func newRecord(f store.Family) store.Record {
	return store.Record{
		Key: store.Key{Family: f.ID, Hash: random(32)}, Kind: store.KindRefresh, State: "live",
		CreatedAt: f.CreatedAt, ExpiresAt: f.KeepUntil, KeepUntil: f.KeepUntil,
		Grant: &store.Grant{ClientID: f.ClientID, Subject: f.Subject, Session: f.Session, Scopes: []string{"read"}},
	}
}

// begin keeps a new family with records.
func begin(t testing.TB, s *Store, f store.Family, records ...store.Record) {
	t.Helper()
	if err := s.Exchange(t.Context(), &store.Change{Family: f, Begin: true, Issue: records}); err != nil {
		t.Fatal(err)
	}
}

// rotation spends a record and issues another.
func rotation(r store.Record, next store.Record, by string) *store.Change {
	r.State, r.SpentAt, r.SpentBy, r.Sealed, r.Grant = "spent", in(0), by, []byte("sealed"), nil
	return &store.Change{Family: store.Family{ID: r.Key.Family}, Spend: &r, Issue: []store.Record{next}}
}

func find(t testing.TB, s *Store, key store.Key) *store.Record {
	t.Helper()
	r, _, err := s.Find(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func live(t testing.TB, s *Store, id string) bool {
	t.Helper()
	lives, err := s.FamilyLive(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return lives
}

func revoke(t testing.TB, s *Store, match store.Match, want int) {
	t.Helper()
	if n, err := s.Revoke(t.Context(), match, in(0)); err != nil || n != want {
		t.Fatalf("Revoke(%+v) returned %d, %v; want %d", match, n, err, want)
	}
}

// outage fails the test unless err is one.
func outage(t testing.TB, what string, err error) {
	t.Helper()
	for _, verdict := range []error{nil, store.ErrNotFound, store.ErrConflict, store.ErrRevoked, store.ErrCorrupt} {
		if errors.Is(err, verdict) {
			t.Errorf("%s returned %v, want an outage", what, err)
		}
	}
}
