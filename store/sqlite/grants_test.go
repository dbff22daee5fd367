package sqlite

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
)

// Whatever a statement looks up it finds by a key or an index, so that it stays
// as fast as the tables grow.
func TestStatementsThatLookForManyUseAnIndex(t *testing.T) {
	s := openAt(t, newPath(t))
	revoke := func(m store.Match) string {
		where, _ := matching(m)
		return "UPDATE families SET revoked_at = 1 WHERE revoked_at = 0" + where
	}
	for _, test := range []struct{ name, query, uses string }{
		{"Find", findRecord, "PRIMARY KEY (family=? AND hash=?)"},
		{"Revoke of a family", revoke(store.Match{Family: "f", Session: "s", Subject: "u", ClientID: "c"}), "PRIMARY KEY (id=?)"},
		{"Revoke of a session", revoke(store.Match{Session: "s", Subject: "u", ClientID: "c"}), "INDEX families_session (session=?)"},
		{"Revoke of a subject", revoke(store.Match{Subject: "u", ClientID: "c"}), "INDEX families_subject (subject=?)"},
		{"Revoke of a client", revoke(store.Match{ClientID: "c"}), "INDEX families_client_id (client_id=?)"},
		{"Families", findFamilies, "INDEX families_subject (subject=?)"},
		{"Purge of records", purgeSteps[0], "records_keep_until (keep_until<?)"},
		{"Purge of the records of families", purgeSteps[1], "families_keep_until (keep_until<?)"},
		{"Purge of families", purgeSteps[2], "families_keep_until (keep_until<?)"},
		{"Purge of replays", purgeSteps[3], "replays_ends_at (ends_at<?)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			rows, err := s.reader.Query("EXPLAIN QUERY PLAN "+test.query, 0, 0, 0, 0) // more than any takes
			must(t, err)
			defer rows.Close()
			var plan []string
			for rows.Next() {
				var id, parent, unused int
				var detail string
				must(t, rows.Scan(&id, &parent, &unused, &detail))
				plan = append(plan, detail)
			}
			must(t, rows.Err())
			if all := strings.Join(plan, "\n"); strings.Contains(all, "SCAN ") || strings.Contains(all, "TEMP") || !strings.Contains(all, test.uses) {
				t.Errorf("the plan does not use %q, or scans or sorts:\n%s", test.uses, all)
			}
		})
	}
}

func TestWhatCannotBeReadIsCorruptAndSaysNothingOfIt(t *testing.T) {
	s := openAt(t, newPath(t))
	kept := begun("alice")
	key := kept.Issue[0].Key
	must(t, s.Exchange(t.Context(), kept))
	must(t, s.PutClient(t.Context(), store.Client{Metadata: store.Metadata{ID: "app"}}))
	must(t, s.PutScope(t.Context(), store.Scope{Name: "read"}))
	for _, body := range []string{"", "canary", `{"v":1,"canary"`, `{"v":99,"canary":"canary"}`} {
		for _, table := range []string{"records", "clients", "scopes"} {
			_, err := s.writer.Exec("UPDATE "+table+" SET body = ?", []byte(body))
			must(t, err)
		}
		_, _, err := s.Find(t.Context(), key)
		_, clientErr := s.Client(t.Context(), "app")
		_, scopesErr := s.Scopes(t.Context(), []string{"read"})
		spendErr := s.Update(t.Context(), &store.Record{Key: key})
		for _, err := range []error{err, clientErr, scopesErr, spendErr} {
			if !errors.Is(err, store.ErrCorrupt) || strings.Contains(err.Error(), "canary") {
				t.Errorf("the body %q: %v", body, err)
			}
		}
	}
}

func TestAContextThatIsOverIsNeverAVerdict(t *testing.T) {
	s := openAt(t, newPath(t))
	over, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, findErr := s.Find(over, store.Key{})
	_, liveErr := s.FamilyLive(over, "")
	families, listErr := s.Families(over, "alice")
	_, revokeErr := s.Revoke(over, store.Match{Subject: "alice"}, start)
	_, purgeErr := s.Purge(over, start, 1)
	exchangeErr := s.Exchange(over, &store.Change{})
	_, useErr := s.Use(over, "id", time.Hour)
	for _, err := range []error{findErr, liveErr, listErr, revokeErr, purgeErr, exchangeErr, useErr} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the error is %v", err)
		}
	}
	if families != nil {
		t.Errorf("beside the error are listed %+v", families)
	}
}

func TestTheFamiliesOfNobodyAreAnError(t *testing.T) {
	s := openAt(t, newPath(t))
	must(t, s.Exchange(t.Context(), begun("")))
	families, err := s.Families(t.Context(), "")
	if contains(t, err, "sqlite: ", "needs a subject"); families != nil {
		t.Errorf("listed are %+v", families)
	}
}

func TestRevokingByNothingOrAtNoTimeIsAnError(t *testing.T) {
	s := openAt(t, newPath(t))
	kept := begun("alice")
	must(t, s.Exchange(t.Context(), kept))
	_, err := s.Revoke(t.Context(), store.Match{}, start)
	contains(t, err, "empty Match")
	_, err = s.Revoke(t.Context(), store.Match{Subject: "alice"}, time.Time{})
	contains(t, err, "needs the time")
	if live, err := s.FamilyLive(t.Context(), kept.Family.ID); err != nil || !live {
		t.Errorf("the family lives: %v, %v", live, err)
	}
}

func TestPurgeKeepsToItsLimitAndLeavesNothingBehind(t *testing.T) {
	s := openAt(t, newPath(t))
	for range 4 {
		change := begun("alice")
		lasting := newRecord(change.Family.ID, "lasting")
		lasting.KeepUntil = time.Time{}
		change.Issue = append(change.Issue, lasting)
		must(t, s.Exchange(t.Context(), change)) // a family, a record with an end and one without
	}
	if n, err := s.Purge(t.Context(), end, -1); n != 0 || err != nil {
		t.Errorf("a batch of less than nothing removed %d, %v", n, err)
	}
	var removed []int
	for len(removed) == 0 || removed[len(removed)-1] == 5 {
		n, err := s.Purge(t.Context(), end, 5)
		must(t, err)
		removed = append(removed, n)
		var orphans int
		must(t, s.reader.QueryRow("SELECT count(*) FROM records WHERE family NOT IN (SELECT id FROM families)").Scan(&orphans))
		if orphans != 0 {
			t.Fatalf("%d records outlived their family", orphans)
		}
	}
	if !slices.Equal(removed, []int{5, 5, 2}) {
		t.Errorf("batches of 5 removed %v", removed)
	}
}

func TestWhatIsDeletedIsGone(t *testing.T) {
	s := openAt(t, newPath(t))
	for range 2 { // also what is not there
		must(t, s.DeleteClient(t.Context(), "app"))
		must(t, s.DeleteScope(t.Context(), "read"))
		if _, err := s.Client(t.Context(), "app"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the error is %v", err)
		}
		if scopes, err := s.Scopes(t.Context(), []string{"read"}); err != nil || len(scopes) != 0 {
			t.Errorf("the scopes are %v, the error %v", scopes, err)
		}
		must(t, s.PutClient(t.Context(), store.Client{Metadata: store.Metadata{ID: "app"}}))
		must(t, s.PutScope(t.Context(), store.Scope{Name: "read"}))
	}
}
