package grants_test

import (
	"context"
	"testing"
	"time"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/internal/granttest"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// CIBA-7.1.2-01.
func TestGuessesOfCIBAUserCodes(t *testing.T) {
	s := granttest.New(t, new(memory.Grants))
	alter(t, s, func(c *store.Client) { c.UserCodeParameter = true })
	s.CIBA.Resolve = func(_ context.Context, a *grants.Authentication) (string, error) {
		switch a.UserCode {
		case "":
			return "", tokenendpoint.MissingUserCode
		case "4711":
			return a.LoginHint, nil
		}
		return "", tokenendpoint.InvalidUserCode
	}
	enter := func(hint, code string) string {
		_, answer := granttest.BeginCIBA(t.Context(), s, hint, "user_code", code)
		return answer.String()
	}
	const throttled = "429 temporarily_unavailable"
	for range 20 {
		if got := enter("alice", ""); got != "missing_user_code" { // it guesses nothing
			t.Fatalf("without a code: %s", got)
		}
	}
	for i := range 100 {
		hint, want := []string{"alice", "Alice", " ALICE "}[i%3], "invalid_user_code"
		if i >= 10 {
			want = throttled
		}
		if got := enter(hint, "0000"); got != want {
			t.Fatalf("guess %d was answered %s, want %s", i+1, got, want)
		}
	}
	if got := enter("alice", "4711"); got != throttled || s.Decision("alice") != "" {
		t.Errorf("the right code after too many wrong ones was answered %s", got)
	}
	if got := enter("bob", "4711"); got != "200 " {
		t.Errorf("another user's code was answered %s", got)
	}
	s.Clock.Add(15 * time.Minute)
	if got := enter("alice", "4711"); got != "200 " {
		t.Errorf("after a quarter of an hour the right code was answered %s", got)
	}
	t.Run("a client that is not registered for user codes sends none", func(t *testing.T) {
		alter(t, s, func(c *store.Client) { c.UserCodeParameter = false })
		if got := enter("carol", "4711"); got != "missing_user_code" {
			t.Errorf("answered %s", got)
		}
	})
}
