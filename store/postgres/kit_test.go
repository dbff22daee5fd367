package postgres

import (
	"testing"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/storetest"
)

func TestGrants(t *testing.T) {
	url := newSchema(t)
	a, b, conn := open(t, url), open(t, url), connect(t, url)
	storetest.TestGrantStore(t, func(t *testing.T) (store.GrantStore, store.GrantStore) {
		do(t, conn, "DELETE FROM grantor_records; DELETE FROM grantor_families")
		return a, b
	})
}

func TestClients(t *testing.T) {
	url := newSchema(t)
	s, conn := open(t, url), connect(t, url)
	storetest.TestClientStore(t, func(t *testing.T, clients ...store.Client) store.ClientStore {
		do(t, conn, "DELETE FROM grantor_clients")
		for i := range clients {
			if err := s.PutClient(t.Context(), clients[i]); err != nil {
				t.Fatal(err)
			}
		}
		return s
	})
}

func TestScopes(t *testing.T) {
	url := newSchema(t)
	s, conn := open(t, url), connect(t, url)
	storetest.TestScopeStore(t, func(t *testing.T, scopes ...store.Scope) store.ScopeStore {
		do(t, conn, "DELETE FROM grantor_scopes")
		for _, sc := range scopes {
			if err := s.PutScope(t.Context(), sc); err != nil {
				t.Fatal(err)
			}
		}
		return s
	})
}
