package tokenendpoint_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// meetAtFirstFind holds the first n requests that look something up until all of
// them have, so that all see it as it was before any of them commits.
func (d *desk) meetAtFirstFind(n int) {
	var finds atomic.Int64
	all := make(chan struct{})
	d.records.around = func(ctx context.Context, method string, call func(context.Context) error) error {
		err := call(ctx)
		if method == "Find" {
			switch arrived := finds.Add(1); {
			case arrived == int64(n):
				close(all)
			case arrived < int64(n):
				<-all
			}
		}
		return err
	}
}

// parallel sends n requests at once.
func parallel(n int, send func() deskAnswer) []deskAnswer {
	answers := make([]deskAnswer, n)
	var done sync.WaitGroup
	for i := range answers {
		done.Go(func() { answers[i] = send() })
	}
	done.Wait()
	return answers
}

// 6749-4.1.3-05, Commonly got wrong no. 14: all is checked, and everybody has seen
// the code unspent, before the first commit.
func TestACodeIsRedeemedOnceByManyAtATime(t *testing.T) {
	for _, client := range []string{"web", "till", "app"} {
		t.Run("of fifty requests of "+client+" one is answered, and the grant dies of the others", func(t *testing.T) {
			d := newDesk(t)
			code := d.code(client)
			d.meetAtFirstFind(50)
			var won []deskAnswer
			for _, answer := range parallel(50, func() deskAnswer { return d.redeem(client, code) }) {
				switch {
				case answer.status == 200:
					won = append(won, answer)
					d.equal("the winner's calls of the store", answer.calls, 2)
				case answer.status != 400 || answer.members["error"] != "invalid_grant":
					t.Errorf("answered %d %s", answer.status, answer.body)
				}
				if answer.calls > 5 {
					t.Errorf("%d calls of the store for %s", answer.calls, answer.body)
				}
			}
			if len(won) != 1 {
				t.Fatalf("%d requests were answered with tokens, want one", len(won))
			}
			d.want(d.refresh(client, won[0].refresh()), 400, tokenendpoint.ReasonRevoked)
		})
	}
}

// 9700-4.14.2-04, Commonly got wrong no. 21.
func TestARefreshTokenIsUsedByManyAtATime(t *testing.T) {
	for _, client := range []string{"web", "app"} {
		t.Run("within the grace twenty requests of "+client+" get the same successor, which works", func(t *testing.T) {
			d := newDesk(t)
			first := d.signIn(client).refresh()
			d.meetAtFirstFind(20)
			answers := parallel(20, func() deskAnswer { return d.refresh(client, first) })
			winners, tokens := 0, make(map[any]bool)
			for _, answer := range answers {
				if answer.status != 200 || answer.refresh() != answers[0].refresh() {
					t.Errorf("answered %d %s", answer.status, answer.body)
				}
				if tokens[answer.members["access_token"]] {
					t.Error("two requests got the same access token")
				}
				tokens[answer.members["access_token"]] = true
				if answer.calls == 2 {
					winners++
				}
				if answer.calls > 5 {
					t.Errorf("%d calls of the store for a retry", answer.calls)
				}
			}
			d.equal("how many found the token unspent", winners, 1)
			successor := answers[0].refresh()
			if successor == first || successor == "" {
				t.Fatalf("the successor is %q", successor)
			}
			next := d.refresh(client, successor)
			d.want(next, 200, "")
			d.want(d.refresh(client, next.refresh()), 200, "")
		})
	}
	t.Run("without a grace one of twenty wins, and the grant dies of the others", func(t *testing.T) {
		d := newDesk(t, func(c *tokenendpoint.Config) { c.Grants[1] = grants.RefreshToken{Grace: -1} })
		first := d.signIn("web").refresh()
		d.meetAtFirstFind(20)
		var won []deskAnswer
		for _, answer := range parallel(20, func() deskAnswer { return d.refresh("web", first) }) {
			switch {
			case answer.status == 200:
				won = append(won, answer)
			case answer.status != 400 || answer.members["error"] != "invalid_grant":
				t.Errorf("answered %d %s", answer.status, answer.body)
			}
		}
		if len(won) != 1 {
			t.Fatalf("%d requests were answered with tokens, want one", len(won))
		}
		d.want(d.refresh("web", won[0].refresh()), 400, tokenendpoint.ReasonRevoked)
	})
	t.Run("a token that is kept is used by twenty at once", func(t *testing.T) {
		d := newDesk(t)
		token := d.signIn("till").refresh()
		d.meetAtFirstFind(20)
		for _, answer := range parallel(20, func() deskAnswer { return d.refresh("till", token) }) {
			if answer.status != 200 || answer.refresh() != token || answer.calls != 2 {
				t.Errorf("answered %d %s after %d calls of the store", answer.status, answer.body, answer.calls)
			}
		}
	})
	t.Run("a grant that is revoked while it is redeemed is not issued for", func(t *testing.T) {
		d := newDesk(t)
		for _, client := range []string{"web", "till"} {
			answer := d.signIn(client)
			d.records.around = func(ctx context.Context, method string, call func(context.Context) error) error {
				if method == "Exchange" {
					d.records.around = nil
					if n, err := d.endpoint.Revoke(ctx, store.Match{ClientID: client}); n != 1 || err != nil {
						t.Errorf("Revoke: %d, %v", n, err)
					}
				}
				return call(ctx)
			}
			d.want(d.refresh(client, answer.refresh()), 400, tokenendpoint.ReasonRevoked)
		}
	})
}
