package sqlite

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
)

// start is when everything in these tests begins, and end when it ends.
var (
	start = time.Date(2031, 2, 3, 4, 5, 6, 7000, time.UTC)
	end   = start.Add(30 * 24 * time.Hour)
)

func newPath(t testing.TB) string { return filepath.Join(t.TempDir(), "grants.db") }

func openAt(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing the store: %v", err)
		}
	})
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// hash is a Key.Hash.
func hash(handle string) string {
	sum := sha256.Sum256([]byte(handle))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func newFamily(subject string) store.Family {
	return store.Family{ID: newID(), ClientID: "app", Subject: subject, Session: newID(), CreatedAt: start, KeepUntil: end}
}

func newRecord(family, handle string) store.Record {
	return store.Record{
		Key: store.Key{Family: family, Hash: hash(handle)}, Kind: store.KindRefresh,
		State: "ready", CreatedAt: start, ExpiresAt: end, KeepUntil: end,
		Grant: &store.Grant{
			Issuer: "https://issuer.example.com", ClientID: "app", Subject: "alice",
			Scopes: []string{"openid", "invoices.read", "offline_access"}, Resources: []string{"https://invoices.example.com"},
			AuthTime: start, ACR: "urn:example:loa:2", AMR: []string{"pwd", "otp"}, Session: "a-session",
			UserClaims: map[string]any{"name": "Alice Example", "email": "alice@example.com", "email_verified": true},
		},
	}
}

// begun is a change that begins a family with one record, the handle of which is
// the id of the family.
func begun(subject string) *store.Change {
	f := newFamily(subject)
	return &store.Change{Family: f, Begin: true, Issue: []store.Record{newRecord(f.ID, f.ID)}}
}

// rotation spends a record that was found and issues its successor.
func rotation(found *store.Record, handle string) *store.Change {
	spent := *found
	spent.State, spent.SpentAt, spent.SpentBy, spent.Sealed, spent.Grant = "spent", start.Add(time.Minute), handle, []byte(handle), nil
	return &store.Change{
		Family: store.Family{ID: found.Key.Family, KeepUntil: end.Add(time.Hour)},
		Spend:  &spent, Issue: []store.Record{newRecord(found.Key.Family, handle)},
	}
}

func read(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	return string(b)
}

func contains(t testing.TB, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; it should hold %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error %q does not hold %q", err, part)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("the error has more than one line: %q", err)
	}
}
