package tokenendpoint_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// unlessByKey checks that a form is refused by another key and by none, and that this
// changes nothing.
func (d *dpopDesk) unlessByKey(client string, form url.Values) {
	d.t.Helper()
	d.refused(d.send(client, form, d.other.proof()), "invalid_grant", tokenendpoint.ReasonWrongKey)
	d.refused(d.send(client, form), "invalid_grant", tokenendpoint.ReasonWrongKey)
}

// 9449-5-04, and 47 of what is commonly got wrong: whoever authenticates in no other way
// gets refresh tokens that are good with the key of their first proof alone.
func TestARefreshTokenOfAPublicClientIsBound(t *testing.T) {
	for _, flow := range dpopFlows {
		if flow.client != "app" || flow.name == "a refresh token of a public client" {
			continue
		}
		t.Run(flow.name+" with a proof leads to a refresh token that is bound, and kept", func(t *testing.T) {
			d := newDPoPDesk(t)
			first := d.issued(d.send("app", flow.begin(d, "app"), d.key.proof()), d.key.jkt())
			form := d.refreshing(first)
			for range 3 {
				d.unlessByKey("app", form)
				again := d.issued(d.send("app", form, d.key.proof()), d.key.jkt())
				d.equal("the refresh token", again.refresh(), first.refresh())
			}
		})
		t.Run(flow.name+" without a proof leads to a refresh token that is rotated, and bound to the key of the first proof", func(t *testing.T) {
			d := newDPoPDesk(t)
			last := d.issued(d.send("app", flow.begin(d, "app")), "")
			for _, by := range []struct {
				proofs []string
				jkt    string
			}{{nil, ""}, {nil, ""}, {[]string{d.key.proof()}, d.key.jkt()}} {
				next := d.issued(d.send("app", d.refreshing(last), by.proofs...), by.jkt)
				if next.refresh() == last.refresh() {
					t.Error("the refresh token was not rotated")
				}
				last = next
			}
			form := d.refreshing(last)
			d.unlessByKey("app", form)
			again := d.issued(d.send("app", form, d.key.proof()), d.key.jkt())
			d.equal("the refresh token", again.refresh(), last.refresh())
		})
	}
}

// 9449-5-07: the key goes from each refresh token to the next, also where an answer was
// lost.
func TestTheBindingSurvivesRotation(t *testing.T) {
	begin := func(t *testing.T) (*dpopDesk, dpopAnswer) {
		d := newDPoPDesk(t)
		d.alter("app", func(c *store.Client) { c.Rotation = store.RotationRotate })
		return d, d.issued(d.send("app", d.redeeming("app"), d.key.proof()), d.key.jkt())
	}
	t.Run("each successor is bound to the key", func(t *testing.T) {
		d, last := begin(t)
		for range 3 {
			form := d.refreshing(last)
			d.unlessByKey("app", form)
			next := d.issued(d.send("app", form, d.key.proof()), d.key.jkt())
			if next.refresh() == last.refresh() {
				t.Error("the refresh token was not rotated")
			}
			last = next
		}
	})
	t.Run("within the grace the successor is given again, by the key alone", func(t *testing.T) {
		d, first := begin(t)
		form := d.refreshing(first)
		next := d.issued(d.send("app", form, d.key.proof()), d.key.jkt())
		d.clock.Advance(30 * time.Second)
		d.unlessByKey("app", form)
		d.equal("the successor", d.issued(d.send("app", form, d.key.proof()), d.key.jkt()).refresh(), next.refresh())
		d.unlessByKey("app", d.refreshing(next))
		d.issued(d.send("app", d.refreshing(next), d.key.proof()), d.key.jkt())
	})
	t.Run("a client that keeps its tokens and then rotates stays bound", func(t *testing.T) {
		d, first := begin(t)
		d.alter("app", func(c *store.Client) { c.Rotation = store.RotationKeep })
		d.issued(d.send("app", d.refreshing(first), d.key.proof()), d.key.jkt())
		d.alter("app", func(c *store.Client) { c.Rotation = store.RotationRotate })
		next := d.issued(d.send("app", d.refreshing(first), d.key.proof()), d.key.jkt())
		d.unlessByKey("app", d.refreshing(next))
	})
}

// 9449-5-05: a client that authenticates changes its key whenever it likes, and the new
// token is bound to the new one.
func TestARefreshTokenOfAConfidentialClientIsNotBound(t *testing.T) {
	for _, client := range []string{"web", "till"} {
		for _, flow := range dpopFlows {
			if flow.client != "web" || flow.name == "client_credentials" || flow.name == "a refresh token" {
				continue
			}
			t.Run(flow.name+" of "+client+" leads to a refresh token that is good with any key", func(t *testing.T) {
				d := newDPoPDesk(t)
				last := d.issued(d.send(client, flow.begin(d, client), d.key.proof()), d.key.jkt())
				last = d.issued(d.send(client, d.refreshing(last), d.other.proof()), d.other.jkt())
				last = d.issued(d.send(client, d.refreshing(last)), "")
				d.issued(d.send(client, d.refreshing(last), d.key.proof()), d.key.jkt())
			})
		}
	}
}
