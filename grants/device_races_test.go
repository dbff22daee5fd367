package grants_test

import (
	"testing"

	"github.com/grantor-go/grantor/internal/granttest"
	"github.com/grantor-go/grantor/store/memory"
)

// 8628-3.5-05, CIBA-10.1.1-01.
func TestRacesOfDecisions(t *testing.T) {
	s := new(memory.Grants)
	granttest.Races(t, s, s, 50)
}

func TestTokensEndAtAllNodes(t *testing.T) {
	s := new(memory.Grants)
	granttest.Tokens(t, s, s)
}
