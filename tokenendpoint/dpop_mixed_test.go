package tokenendpoint_test

import (
	"testing"

	"github.com/grantor-go/grantor/store"
)

// A client that need not authenticate proves nothing by having done so once: its refresh
// tokens are bound as those of a public client are.
func TestTheRefreshTokensOfAClientThatNeedNotAuthenticateAreBound(t *testing.T) {
	d := newDPoPDesk(t)
	d.alter("web", func(c *store.Client) { c.AuthMethods = []store.AuthMethod{store.NoAuth, store.ClientSecretPost} })
	first := d.issued(d.send("web", d.redeeming("web"), d.key.proof()), d.key.jkt())
	d.unlessByKey("web", d.refreshing(first))
	d.issued(d.send("web", d.refreshing(first), d.key.proof()), d.key.jkt())
}
