package storetest_test

import (
	"testing"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/store/storetest"
)

// In the tests of an adapter this is func TestClients(t *testing.T).
func ExampleTestClientStore() {
	_ = func(t *testing.T) {
		storetest.TestClientStore(t, func(t *testing.T, clients ...store.Client) store.ClientStore {
			s := memory.NewClients() // your store, on a database that is empty
			t.Cleanup(func() { /* close it */ })
			for _, c := range clients {
				s.Put(c) // or INSERT; report an error with t.Fatal
			}
			return s
		})
	}
}

// In the tests of an adapter this is func TestScopes(t *testing.T).
func ExampleTestScopeStore() {
	_ = func(t *testing.T) {
		storetest.TestScopeStore(t, func(t *testing.T, scopes ...store.Scope) store.ScopeStore {
			s := memory.NewScopes() // your store, on a database that is empty
			t.Cleanup(func() { /* close it */ })
			for _, sc := range scopes {
				s.Put(sc) // or INSERT; report an error with t.Fatal
			}
			return s
		})
	}
}

// In the tests of an adapter this is func TestGrants(t *testing.T).
func ExampleTestGrantStore() {
	_ = func(t *testing.T) {
		storetest.TestGrantStore(t, func(t *testing.T) (a, b store.GrantStore) {
			s := new(memory.Grants) // your store, on a database that is empty
			return s, s             // two that share the database, as two processes would
		})
	}
}
