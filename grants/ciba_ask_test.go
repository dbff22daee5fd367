package grants_test

import (
	"context"
	"errors"
	"testing"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/internal/granttest"
	"github.com/grantor-go/grantor/store/memory"
)

// What nobody could be asked nobody can decide on.
func TestAskThatFailsEndsTheRequest(t *testing.T) {
	s := granttest.New(t, new(memory.Grants))
	var asked *grants.Authentication
	s.CIBA.Ask = func(_ context.Context, a *grants.Authentication) error {
		asked = a
		return errors.New("the telephone is out of order")
	}
	_, answer := granttest.BeginCIBA(t.Context(), s, "alice")
	if answer.Status != 500 {
		t.Fatalf("answered %d", answer.Status)
	}
	if got := why(s.CIBA.Deny(t.Context(), s.Endpoint, asked.Decision)); got != "revoked" {
		t.Errorf("deciding: %q, want revoked", got)
	}
	if asked.GrantID == "" {
		t.Error("Ask was not told the GrantID")
	}
}
