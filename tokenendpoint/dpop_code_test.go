package tokenendpoint_test

import (
	"testing"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// forKey announces a key for a code (dpop_jkt).
func (d *dpopDesk) forKey(grant *store.Grant) { grant.Confirmation.JKT = d.key.jkt() }

// 9449-10-01: a code that was asked for with dpop_jkt is redeemed with that key alone.
func TestACodeIsBoundToTheKeyThatWasAnnounced(t *testing.T) {
	for _, client := range []string{"web", "app"} {
		t.Run("the code of "+client+" is redeemed by its key alone", func(t *testing.T) {
			d := newDPoPDesk(t)
			form := d.redeeming(client, d.forKey)
			d.unlessByKey(client, form)
			d.issued(d.send(client, form, d.key.proof()), d.key.jkt())
		})
		t.Run("a spent code of "+client+" with another key revokes nothing", func(t *testing.T) {
			d := newDPoPDesk(t)
			form := d.redeeming(client, d.forKey)
			first := d.issued(d.send(client, form, d.key.proof()), d.key.jkt())
			d.unlessByKey(client, form)
			d.issued(d.send(client, d.refreshing(first), d.key.proof()), d.key.jkt())
		})
		t.Run("a spent code of "+client+" with its key revokes what came of it", func(t *testing.T) {
			d := newDPoPDesk(t)
			form := d.redeeming(client, d.forKey)
			first := d.issued(d.send(client, form, d.key.proof()), d.key.jkt())
			d.want(d.send(client, form, d.key.proof()).deskAnswer, 400, tokenendpoint.ReasonReused)
			d.refused(d.send(client, d.refreshing(first), d.key.proof()), "invalid_grant", tokenendpoint.ReasonRevoked)
		})
		t.Run("a code of "+client+" for which no key was announced is redeemed with any", func(t *testing.T) {
			d := newDPoPDesk(t)
			d.issued(d.send(client, d.redeeming(client), d.other.proof()), d.other.jkt())
		})
	}
	// 9449-5-05.
	for _, client := range []string{"web", "till"} {
		t.Run("the refresh token of "+client+" is not bound to the key of the code", func(t *testing.T) {
			d := newDPoPDesk(t)
			last := d.issued(d.send(client, d.redeeming(client, d.forKey), d.key.proof()), d.key.jkt())
			last = d.issued(d.send(client, d.refreshing(last), d.other.proof()), d.other.jkt())
			d.issued(d.send(client, d.refreshing(last)), "")
		})
	}
	t.Run("the refresh token of a public client is bound to the key of the code", func(t *testing.T) {
		d := newDPoPDesk(t)
		last := d.issued(d.send("app", d.redeeming("app", d.forKey), d.key.proof()), d.key.jkt())
		d.unlessByKey("app", d.refreshing(last))
	})
}
