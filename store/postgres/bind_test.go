package postgres

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/grantor-go/grantor/store"
)

// undecided keeps a family without a user and one record, and returns it with one.
func undecided(t *testing.T, s *Store) (store.Family, store.Record) {
	t.Helper()
	f := aFamily("")
	f.ClientID = random(4)
	r := aRecord(f)
	if err := s.Exchange(t.Context(), &store.Change{Family: f, Begin: true, Issue: []store.Record{r}}); err != nil {
		t.Fatal(err)
	}
	f.Subject, f.Session = random(4), random(4)
	return f, r
}

// approval names the user of a family and writes its record.
func approval(f store.Family, r store.Record, by string) *store.Change {
	r.State, r.SpentBy = store.StateApproved, by
	return &store.Change{Family: store.Family{ID: f.ID, Subject: f.Subject, Session: f.Session}, Spend: &r}
}

func wantUser(t *testing.T, s *Store, r store.Record, f store.Family) {
	t.Helper()
	if _, got := find(t, s, r.Key); got == nil || got.Subject != f.Subject || got.Session != f.Session {
		t.Errorf("the family is %+v, want the user %q with %q", got, f.Subject, f.Session)
	}
}

func TestNamingTheUserBesideAnOpenTransaction(t *testing.T) {
	url := newSchema(t)
	s := open(t, url)

	t.Run("a revocation of the user does not wait for the exchange, and the next one takes the family in", func(t *testing.T) {
		f, r := undecided(t, s)
		h := hold(t, url)
		h.exchange(approval(f, r, "me"))
		for _, match := range []store.Match{{Subject: f.Subject}, {Session: f.Session}} {
			if n, err := s.Revoke(t.Context(), match, now); n != 0 || err != nil {
				t.Errorf("before the commit: %d, %v; want 0", n, err)
			}
		}
		if families, err := s.Families(t.Context(), f.Subject); len(families) != 0 || err != nil {
			t.Errorf("before the commit are listed %+v, %v", families, err)
		}
		if err := h.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantUser(t, s, r, f)
		if families, err := s.Families(t.Context(), f.Subject); len(families) != 1 || err != nil {
			t.Errorf("listed are %+v, %v", families, err)
		}
		if n, err := s.Revoke(t.Context(), store.Match{Subject: f.Subject, Session: f.Session}, now); n != 1 || err != nil {
			t.Errorf("after the commit: %d, %v; want 1", n, err)
		}
	})
	t.Run("a revocation of the client takes in the family with its user", func(t *testing.T) {
		f, r := undecided(t, s)
		h := hold(t, url)
		h.exchange(approval(f, r, "me"))
		n := 0
		err := h.waited(url, h.Commit, func() (err error) {
			n, err = s.Revoke(context.Background(), store.Match{ClientID: f.ClientID}, now)
			return err
		})
		if n != 1 || err != nil {
			t.Errorf("Revoke: %d, %v; want 1", n, err)
		}
		wantUser(t, s, r, f)
		if live, err := s.FamilyLive(t.Context(), f.ID); live || err != nil {
			t.Errorf("the family: %t, %v; want it revoked", live, err)
		}
	})
	t.Run("who names another user meanwhile changes nothing and is not refused", func(t *testing.T) {
		f, r := undecided(t, s)
		h := hold(t, url)
		h.exchange(&store.Change{Family: f})
		other := f
		other.Subject, other.Session = "mallory", "another"
		if err := h.waited(url, h.Commit, func() error { return s.Exchange(context.Background(), &store.Change{Family: other}) }); err != nil {
			t.Error(err)
		}
		wantUser(t, s, r, f)
	})
	t.Run("who names another user meanwhile is kept if the first is undone", func(t *testing.T) {
		f, r := undecided(t, s)
		h := hold(t, url)
		h.exchange(&store.Change{Family: f})
		other := f
		other.Subject, other.Session = "bob", "another"
		if err := h.waited(url, h.Rollback, func() error { return s.Exchange(context.Background(), &store.Change{Family: other}) }); err != nil {
			t.Error(err)
		}
		wantUser(t, s, r, other)
	})
	t.Run("an approval that waits for an open revocation names nobody", func(t *testing.T) {
		f, r := undecided(t, s)
		h := hold(t, url)
		if _, err := h.Exec(t.Context(), "UPDATE grantor_families SET revoked_at = 1 WHERE id = $1", f.ID); err != nil {
			t.Fatal(err)
		}
		err := h.waited(url, h.Commit, func() error { return s.Exchange(context.Background(), approval(f, r, "me")) })
		wantError(t, "the approval", err, store.ErrRevoked)
		f.Subject, f.Session = "", ""
		wantUser(t, s, r, f)
	})
}

func TestAUserWhomTheEngineCannotKeepIsRefusedWithTheWholeChange(t *testing.T) {
	s := open(t, newSchema(t))
	f, r := undecided(t, s)
	for _, subject := range []string{"a\x00b", random(3000)} {
		bad := f
		bad.Subject = subject
		if err := s.Exchange(t.Context(), approval(bad, r, "me")); err == nil || isVerdict(err) || strings.Contains(err.Error(), subject) {
			t.Errorf("the error is %v, want one that is no verdict and does not quote", err)
		}
		if got, family := find(t, s, r.Key); got == nil || got.SpentBy != "" || family.Subject != "" {
			t.Errorf("kept are %+v of %+v, want both as they were", got, family)
		}
	}
}

func TestFamiliesAreFoundByAnIndex(t *testing.T) {
	url := newSchema(t)
	s, conn := open(t, url), connect(t, url)
	begun(t, s, "alice")
	do(t, conn, "SET enable_seqscan = off")
	do(t, conn, "SET plan_cache_mode = force_generic_plan") // as the pool has it in the long run
	do(t, conn, "PREPARE list AS "+listFamilies)
	rows, err := conn.Query(t.Context(), "EXPLAIN EXECUTE list('alice')")
	if err != nil {
		t.Fatal(err)
	}
	plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if all := strings.Join(plan, "\n"); err != nil || !strings.Contains(all, "grantor_families_subject") {
		t.Errorf("%v, the plan is\n%s", err, all)
	}
}

func TestASchemaOfTheReleaseBeforeIsBroughtUpToDate(t *testing.T) {
	url := newSchema(t)
	before, conn := open(t, url), connect(t, url)
	exchange, err := migrations.ReadFile("migrations/0002_exchange.sql")
	if err != nil {
		t.Fatal(err)
	}
	do(t, conn, strings.Replace(string(exchange), "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1))
	purge, err := migrations.ReadFile("migrations/0003_purge.sql")
	if err != nil {
		t.Fatal(err)
	}
	do(t, conn, strings.Replace(string(purge), "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1))
	do(t, conn, "DROP TABLE grantor_replays")
	do(t, conn, "DROP FUNCTION grantor_clock")
	do(t, conn, "DELETE FROM grantor_schema WHERE version >= 5")
	f, r := undecided(t, before)
	after := open(t, url)
	if err := before.Exchange(t.Context(), approval(f, r, "me")); err != nil {
		t.Fatal(err)
	}
	wantUser(t, after, r, f)
	if first, err := after.Use(t.Context(), "id", 1); !first || err != nil {
		t.Errorf("Use of an id: %t, %v", first, err)
	}
	purged(t, after, now, 5, 1)
}
