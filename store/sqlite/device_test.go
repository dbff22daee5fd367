package sqlite

import (
	"testing"

	"github.com/grantor-go/grantor/internal/granttest"
)

func TestDecisions(t *testing.T) {
	t.Parallel()
	granttest.Explore(t, openAt(t, newPath(t)), 3)
}

func TestRacesOfDecisions(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	granttest.Races(t, openAt(t, path), openAt(t, path), 10)
}

func TestReplaysAtTwoNodes(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	granttest.Replays(t, openAt(t, path), openAt(t, path))
}

func TestTokensAtTwoNodes(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	granttest.Tokens(t, openAt(t, path), openAt(t, path))
}
