package storetest_test

import (
	"testing"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/store/storetest"
)

// In the tests of an adapter this is func TestReplays(t *testing.T).
func ExampleTestReplayStore() {
	_ = func(t *testing.T) {
		storetest.TestReplayStore(t, func(t *testing.T) (a, b store.ReplayStore) {
			s := new(memory.Replays) // your store, on a database that is empty
			return s, s              // two that share the database, as two processes would
		})
		storetest.TestFullReplayStore(t, func(t *testing.T) store.ReplayStore {
			return &memory.Replays{Size: 500} // your store, on a database that is nearly full
		})
	}
}
