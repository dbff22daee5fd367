package redis

import (
	"testing"

	"github.com/grantor-go/grantor/internal/granttest"
)

func TestDecisions(t *testing.T) {
	t.Parallel()
	length := 4
	if testing.Short() {
		length = 3
	}
	granttest.Explore(t, newStore(t, newEngine(t, "redis-server").client(), prefix()), length)
}

func TestRacesOfDecisions(t *testing.T) {
	t.Parallel()
	e, keys := newEngine(t, "redis-server"), prefix()
	granttest.Races(t, newStore(t, e.client(), keys), newStore(t, e.client(), keys), 10)
}

func TestReplaysAtTwoNodes(t *testing.T) {
	t.Parallel()
	e, keys := newEngine(t, "redis-server"), prefix()
	granttest.Replays(t, newStore(t, e.client(), keys), newStore(t, e.client(), keys))
}

func TestTokensAtTwoNodes(t *testing.T) {
	t.Parallel()
	e, keys := newEngine(t, "redis-server"), prefix()
	granttest.Tokens(t, newStore(t, e.client(), keys), newStore(t, e.client(), keys))
}
