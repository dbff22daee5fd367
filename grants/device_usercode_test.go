package grants_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/grantor-go/grantor/internal/granttest"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
)

// crowded is a store in which the first families that a request would begin are there
// already, and revoked perhaps.
type crowded struct {
	memory.Grants
	mu      sync.Mutex
	taken   int
	revoked bool
	seen    map[string]int
}

func (c *crowded) Exchange(ctx context.Context, change *store.Change) error {
	if change.Begin {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.seen == nil {
			c.seen = make(map[string]int)
		}
		c.seen[change.Family.ID]++
		if c.taken > 0 {
			c.taken--
			if err := c.Grants.Exchange(ctx, &store.Change{Begin: true, Family: change.Family}); err != nil {
				return fmt.Errorf("the family could not be put in the way: %w", err)
			}
			if c.revoked {
				if _, err := c.Grants.Revoke(ctx, store.Match{Family: change.Family.ID}, change.Family.CreatedAt); err != nil {
					return err
				}
			}
		}
	}
	return c.Grants.Exchange(ctx, change)
}

// 8628-6.1-02.
func TestUserCodesAreUnique(t *testing.T) {
	for n := range 14 {
		taken, revoked := n/2, n%2 == 1
		want, tries := "begun", taken+1
		if taken >= 5 {
			want, tries = outage, 5
		}
		t.Run(fmt.Sprintf("when %d are taken another is tried, five in all, revoked: %t", taken, revoked), func(t *testing.T) {
			records := &crowded{taken: taken, revoked: revoked}
			j := &journey{service: granttest.New(t, records), flow: granttest.Flows[0]}
			if got := begin.do(t.Context(), j); got != want {
				t.Errorf("answered %q, want %q", got, want)
			}
			if len(records.seen) != tries {
				t.Errorf("%d codes were tried, want %d that differ: %v", len(records.seen), tries, records.seen)
			}
			if want == "begun" {
				j.take(t, []step{poll, approve, redeem})
			} else if got := begin.do(t.Context(), j); taken == 5 && got != "begun" {
				t.Errorf("the next request was answered %q", got)
			}
		})
	}
	t.Run("of a thousand that are alive no two are alike", func(t *testing.T) {
		s, codes, handles := granttest.New(t, new(memory.Grants)), make(map[string]bool), make(map[string]bool)
		for range 1000 {
			answer := s.Post(t.Context(), "/connect/deviceauthorization", "app", nil)
			codes[answer.Text("user_code")], handles[answer.Text("device_code")] = true, true
		}
		if len(codes) != 1000 || len(handles) != 1000 {
			t.Errorf("%d user codes and %d device codes", len(codes), len(handles))
		}
	})
}
