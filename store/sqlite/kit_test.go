package sqlite

import (
	"testing"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/storetest"
)

func TestClients(t *testing.T) {
	t.Parallel()
	storetest.TestClientStore(t, func(t *testing.T, clients ...store.Client) store.ClientStore {
		s := openAt(t, newPath(t))
		for _, c := range clients {
			must(t, s.PutClient(t.Context(), c))
		}
		return s
	})
}

func TestScopes(t *testing.T) {
	t.Parallel()
	storetest.TestScopeStore(t, func(t *testing.T, scopes ...store.Scope) store.ScopeStore {
		s := openAt(t, newPath(t))
		for _, sc := range scopes {
			must(t, s.PutScope(t.Context(), sc))
		}
		return s
	})
}

func TestGrants(t *testing.T) {
	t.Parallel()
	storetest.TestGrantStore(t, func(t *testing.T) (a, b store.GrantStore) {
		path := newPath(t)
		return openAt(t, path), openAt(t, path)
	})
}
