package grants_test

import (
	"testing"
	"time"

	"github.com/grantor-go/grantor/internal/granttest"
	"github.com/grantor-go/grantor/store/memory"
)

// A clock that is set back, or that of another node, makes nobody early: the next poll
// counts anew.
func TestPollsOutliveAClockThatIsSetBack(t *testing.T) {
	for _, flow := range granttest.Flows {
		t.Run(flow.Name, func(t *testing.T) {
			s := granttest.New(t, new(memory.Grants))
			asked := flow.Must(t, s, "alice")
			for _, step := range []struct {
				by   time.Duration
				want string
			}{{0, "authorization_pending"}, {-5 * time.Minute, "authorization_pending"}, {time.Second, "slow_down"}, {12 * time.Second, "authorization_pending"}} {
				s.Clock.Add(step.by)
				if got := asked.Poll(t.Context(), "app").Code(); got != step.want {
					t.Fatalf("a poll %v later was answered %q, want %q", step.by, got, step.want)
				}
			}
		})
	}
}
