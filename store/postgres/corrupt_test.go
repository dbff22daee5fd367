package postgres

import (
	"fmt"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/store"
)

func TestWhatCannotBeReadIsCorrupt(t *testing.T) {
	url := newSchema(t)
	s, conn := open(t, url), connect(t, url)
	_, r := begun(t, s, "alice")
	if err := s.PutClient(t.Context(), store.Client{Metadata: store.Metadata{ID: "app"}}); err != nil {
		t.Fatal(err)
	}
	if err := s.PutScope(t.Context(), store.Scope{Name: "read"}); err != nil {
		t.Fatal(err)
	}
	do(t, conn, `UPDATE grantor_records SET body = 'canary'`)
	do(t, conn, `UPDATE grantor_clients SET body = '{"secrets": "canary"}'`)
	do(t, conn, `UPDATE grantor_scopes SET body = '{"resources": "canary"}'`)
	for name, call := range map[string]func() error{
		"a record": func() error { _, _, err := s.Find(t.Context(), r.Key); return err },
		"a client": func() error { _, err := s.Client(t.Context(), "app"); return err },
		"a scope":  func() error { _, err := s.Scopes(t.Context(), []string{"read"}); return err },
	} {
		t.Run(name, func(t *testing.T) {
			err := call()
			wantError(t, "the lookup", err, store.ErrCorrupt)
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("the error %q quotes what is kept", err)
			}
		})
	}
}

func TestWhatIsDeletedIsGone(t *testing.T) {
	s := open(t, newSchema(t))
	ctx := t.Context()
	for _, id := range []string{"app", "other"} {
		if err := s.PutClient(ctx, store.Client{Metadata: store.Metadata{ID: id}}); err != nil {
			t.Fatal(err)
		}
		if err := s.PutScope(ctx, store.Scope{Name: id}); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // deleting what is not there is no error
		if err := s.DeleteClient(ctx, "app"); err != nil {
			t.Error(err)
		}
		if err := s.DeleteScope(ctx, "app"); err != nil {
			t.Error(err)
		}
	}
	_, err := s.Client(ctx, "app")
	wantError(t, "the client that was deleted", err, store.ErrNotFound)
	if _, err := s.Client(ctx, "other"); err != nil {
		t.Errorf("the client that was not deleted: %v", err)
	}
	if scopes, err := s.Scopes(ctx, []string{"app", "other"}); len(scopes) != 1 || err != nil {
		t.Errorf("the scopes are %v, %v; want the one that was not deleted", scopes, err)
	}
}

func TestALargeIntegerInAClientsClaimKeepsAllItsDigits(t *testing.T) {
	s := open(t, newSchema(t))
	const number = 9007199254740993 // 2^53 + 1
	err := s.PutClient(t.Context(), store.Client{Metadata: store.Metadata{ID: "app"}, Claims: map[string]any{"account": number}})
	if err != nil {
		t.Fatal(err)
	}
	if c, err := s.Client(t.Context(), "app"); err != nil || fmt.Sprint(c.Claims["account"]) != fmt.Sprint(number) {
		t.Errorf("the client is %+v, %v; want the claim %d", c, err, number)
	}
}
