package tokenendpoint_test

import (
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// purge collects all that may be collected now.
func (d *desk) purge() {
	d.t.Helper()
	if _, err := d.records.Purge(d.t.Context(), d.clock.Now(), 1000); err != nil {
		d.t.Fatal(err)
	}
}

// What is needed to notice that something is used again outlives the collector.
func TestWhatIsCollected(t *testing.T) {
	t.Run("a code that was redeemed is known as long as what came of it", func(t *testing.T) {
		d := newDesk(t)
		code := d.code("web")
		token := d.redeem("web", code).refresh()
		d.clock.Advance(29 * 24 * time.Hour)
		d.purge()
		d.want(d.redeem("web", code), 400, tokenendpoint.ReasonReused)
		d.want(d.refresh("web", token), 400, tokenendpoint.ReasonRevoked)
	})
	t.Run("a refresh token that was used is known until it would have ended", func(t *testing.T) { // 9700-4.14.2-03
		d := newDesk(t)
		first := d.signIn("web").refresh()
		second := d.refresh("web", first).refresh()
		d.clock.Advance(29 * 24 * time.Hour)
		d.purge()
		third := d.refresh("web", second).refresh()
		d.want(d.refresh("web", first), 400, tokenendpoint.ReasonReused)
		d.want(d.refresh("web", third), 400, tokenendpoint.ReasonRevoked)
	})
	t.Run("a family is known as long as its access tokens, without any refresh token", func(t *testing.T) {
		d := newDesk(t)
		c, _ := d.clients.Client(t.Context(), "web")
		once := *c
		once.GrantTypes = []string{"authorization_code"}
		d.clients.Put(once)
		family, _ := d.claims(d.signIn("web"), "access_token")["grant_id"].(string)
		for _, later := range []struct {
			by   time.Duration
			live bool
		}{{time.Hour - time.Second, true}, {2 * time.Second, false}} {
			d.clock.Advance(later.by)
			d.purge()
			if live, err := d.records.FamilyLive(t.Context(), family); live != later.live || err != nil {
				t.Errorf("at %v the family lives: %v, %v", d.clock.Now(), live, err)
			}
		}
	})
	t.Run("a refresh token that is kept and used is known for as long as it lives then", func(t *testing.T) {
		d := newDesk(t)
		c, _ := d.clients.Client(t.Context(), "till")
		idle := *c
		idle.RefreshTokenIdle = 3 * time.Hour // longer than its access tokens live
		d.clients.Put(idle)
		token := d.signIn("till").refresh()
		for range 5 {
			d.clock.Advance(3*time.Hour - time.Second)
			d.purge()
			d.want(d.refresh("till", token), 200, "")
		}
		d.clock.Advance(3 * time.Hour)
		d.want(d.refresh("till", token), 400, tokenendpoint.ReasonExpired)
		d.clock.Advance(time.Second)
		d.purge()
		d.want(d.refresh("till", token), 400, tokenendpoint.ReasonUnknownHandle)
	})
	t.Run("nothing is left of what has ended", func(t *testing.T) {
		d := newDesk(t)
		for _, client := range []string{"web", "till", "app"} {
			d.code(client)
			d.refresh(client, d.signIn(client).refresh())
		}
		d.clock.Advance(31 * 24 * time.Hour)
		d.purge()
		if n, err := d.endpoint.Revoke(t.Context(), store.Match{Subject: "alice"}); n != 0 || err != nil {
			t.Errorf("%d grants are left, %v", n, err)
		}
	})
}

func TestALifetimeThatWasShortenedEndsWhatWasIssued(t *testing.T) {
	for _, client := range []string{"web", "till"} { // rotated, and kept
		d := newDesk(t)
		token := d.signIn(client).refresh()
		d.clock.Advance(time.Hour)
		c, _ := d.clients.Client(t.Context(), client)
		for _, shortened := range []struct {
			lifetime time.Duration
			status   int
		}{{time.Hour, 400}, {time.Hour + time.Second, 200}} {
			altered := *c
			altered.RefreshTokenLifetime = shortened.lifetime
			d.clients.Put(altered)
			d.want(d.refresh(client, token), shortened.status, tokenendpoint.ReasonExpired)
		}
	}
}
