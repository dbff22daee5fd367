package grants_test

import (
	"testing"

	"github.com/grantor-go/grantor/internal/granttest"
	"github.com/grantor-go/grantor/store/memory"
)

// 8628-3.4-03, 8628-3.5-01 to 8628-3.5-04, 8628-3.5-06, CIBA-10.1-01, CIBA-10.1.1-01,
// CIBA-11-01.
func TestEverySequenceOfPollsAndDecisions(t *testing.T) {
	length := 5
	if testing.Short() {
		length = 4
	}
	granttest.Explore(t, new(memory.Grants), length)
}
