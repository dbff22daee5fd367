package postgres

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/grantor-go/grantor/store"
)

var now = time.Now().Truncate(time.Microsecond)

func random(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

func aFamily(subject string) store.Family {
	return store.Family{ID: random(16), ClientID: "app", Subject: subject, CreatedAt: now, KeepUntil: now.Add(time.Hour)}
}

func aRecord(f store.Family) store.Record {
	return store.Record{
		Key: store.Key{Family: f.ID, Hash: random(32)}, Kind: store.KindRefresh,
		CreatedAt: now, ExpiresAt: now.Add(time.Hour), KeepUntil: now.Add(time.Hour),
		Grant: &store.Grant{ClientID: f.ClientID, Subject: f.Subject, Scopes: []string{"read"}},
	}
}

// begun keeps a family with one record.
func begun(t testing.TB, s *Store, subject string) (store.Family, store.Record) {
	t.Helper()
	f := aFamily(subject)
	r := aRecord(f)
	if err := s.Exchange(t.Context(), &store.Change{Family: f, Begin: true, Issue: []store.Record{r}}); err != nil {
		t.Fatal(err)
	}
	return f, r
}

// rotation spends r and issues another.
func rotation(f store.Family, r store.Record, by string) (*store.Change, store.Record) {
	next := aRecord(f)
	r.State, r.SpentAt, r.SpentBy, r.Grant, r.Sealed = "spent", now, by, nil, []byte(next.Key.Hash)
	f.KeepUntil = f.KeepUntil.Add(time.Minute)
	return &store.Change{Family: f, Spend: &r, Issue: []store.Record{next}}, next
}

func isVerdict(err error) bool {
	return errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrRevoked) || errors.Is(err, store.ErrCorrupt)
}

func wantError(t testing.TB, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: the error is %v, want %v", what, got, want)
	}
}

func find(t testing.TB, s *Store, key store.Key) (*store.Record, *store.Family) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r, f, err := s.Find(ctx, key)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("find: %v", err)
	}
	return r, f
}

// holding is a transaction that is held open, with all its locks.
type holding struct {
	pgx.Tx
	t   *testing.T
	pid int
}

func hold(t *testing.T, url string) holding {
	t.Helper()
	conn := connect(t, url)
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h := holding{tx, t, int(conn.PgConn().PID())}
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	return h
}

// exchange makes a change that becomes visible only when the transaction ends.
func (h holding) exchange(change *store.Change) {
	h.t.Helper()
	arguments, err := exchangeArguments(change)
	if err != nil {
		h.t.Fatal(err)
	}
	var verdict string
	if err := h.QueryRow(h.t.Context(), exchange, arguments...).Scan(&verdict); err != nil || verdict != "ok" {
		h.t.Fatalf("the exchange that is to be held open: %q, %v", verdict, err)
	}
}

// waited starts call, waits until it is blocked by the transaction, ends the
// transaction and returns what call returned.
func (h holding) waited(url string, end func(context.Context) error, call func() error) error {
	h.t.Helper()
	result := make(chan error, 1)
	go func() { result <- call() }()
	watch := connect(h.t, url)
	deadline := time.Now().Add(patience)
	for waiting := false; !waiting; {
		err := watch.QueryRow(h.t.Context(), "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid)))", h.pid).Scan(&waiting)
		select {
		case answer := <-result:
			h.t.Fatalf("the call did not wait for the transaction that is open: %v", answer)
		default:
		}
		if err != nil || time.Now().After(deadline) {
			h.t.Fatalf("nobody waits for the transaction: %v", err)
		}
	}
	if err := end(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	select {
	case err := <-result:
		return err
	case <-time.After(patience):
		return fmt.Errorf("the call still waits, after the transaction ended")
	}
}
