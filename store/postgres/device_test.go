package postgres

import (
	"testing"

	"github.com/grantor-go/grantor/internal/granttest"
)

func TestDecisions(t *testing.T) {
	length := 4
	if testing.Short() {
		length = 3
	}
	granttest.Explore(t, open(t, newSchema(t)), length)
}

func TestRacesOfDecisions(t *testing.T) {
	url := newSchema(t)
	granttest.Races(t, open(t, url), open(t, url), 10)
}

func TestReplaysAtTwoNodes(t *testing.T) {
	url := newSchema(t)
	granttest.Replays(t, open(t, url), open(t, url))
}

func TestTokensAtTwoNodes(t *testing.T) {
	url := newSchema(t)
	granttest.Tokens(t, open(t, url), open(t, url))
}
