package tokenendpoint_test

import (
	"strings"
	"testing"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// 7662-2.2-04, 7662-5-01: an API does not see the claims that come with the scopes of
// others.
func TestClaimsOfHiddenScopesAreHidden(t *testing.T) {
	bothFormats(t, func(t *testing.T, d *introspectionDesk) {
		d.alter("till", func(c *store.Client) { c.Claims = map[string]any{"tenant": "acme"} })
		token := d.byCode("till", func(g *store.Grant) {
			g.Scopes = []string{"orders.read", "stock.read"}
			g.UserClaims = map[string]any{"branch": "north"}
		}).access()
		for caller, want := range map[string]any{"orders": "north", "till": "north", "stock": nil} {
			if said := d.active(caller, token); said["branch"] != want || said["tenant"] != "acme" || said["sub"] != "alice" {
				d.t.Errorf("%s is told %v", caller, said)
			}
		}
	})
}

func TestClaimsOfAHiddenScopeAndAnotherAreShown(t *testing.T) {
	d := newIntrospectionDesk(t, func(c *tokenendpoint.Config) {
		c.Scopes = memory.NewScopes(store.Scope{Name: "orders.read", Resources: []string{ordersAPI}, Claims: []string{"branch"}},
			store.Scope{Name: "stock.read", Resources: []string{stockAPI}, Claims: []string{"branch"}})
	})
	token := d.byCode("till", func(g *store.Grant) {
		g.Scopes = []string{"orders.read", "stock.read"}
		g.UserClaims = map[string]any{"branch": "north"}
	}).access()
	if said := d.active("stock", token); said["branch"] != "north" {
		t.Errorf("stock is told %v", said)
	}
}

// Names are compared with case, and what every token has is nobody's secret.
func TestTheClaimsOfAHiddenScopeAreHiddenByTheirNames(t *testing.T) {
	d := newIntrospectionDesk(t, func(c *tokenendpoint.Config) {
		c.Scopes = memory.NewScopes(store.Scope{Name: "orders.read", Resources: []string{ordersAPI}, Claims: []string{"branch"}},
			store.Scope{Name: "stock.read", Resources: []string{stockAPI}, Claims: []string{"Shelf", "sub", "aud", "exp"}})
	})
	token := d.byCode("till", func(g *store.Grant) {
		g.Scopes = []string{"orders.read", "stock.read"}
		g.UserClaims = map[string]any{"branch": "north", "Shelf": "7"}
	}).access()
	said := d.active("orders", token)
	if _, told := said["Shelf"]; told || said["branch"] != "north" || said["sub"] != "alice" || said["aud"] == nil || said["exp"] == nil {
		t.Errorf("orders is told %v", said)
	}
	if said := d.active("stock", token); said["Shelf"] != "7" || said["branch"] != nil {
		t.Errorf("stock is told %v", said)
	}
}

// What the endpoint could not read again is not issued: nobody could revoke it.
func TestClaimsThatCouldNotBeReadAgain(t *testing.T) {
	bothFormats(t, func(t *testing.T, d *introspectionDesk) {
		deep := any("x")
		for range 32 {
			deep = []any{deep}
		}
		for name, value := range map[string]any{
			"names that differ by case":   map[string]any{"a": 1, "A": 2},
			"more than is read in depth":  deep,
			"more than fits in a header":  strings.Repeat("x", 12<<10),
			"the same, in a list of them": []any{map[string]any{"k": 1, "\u212a": 2}},
		} {
			d.run(name, func() {
				d.alter("web", func(c *store.Client) { c.Claims = map[string]any{"profile": value} })
				answer := d.send("web", deskForm("client_credentials", []string{"scope", "orders.read"}))
				if answer.status != 500 || answer.event.Reason != tokenendpoint.ReasonUnencodable || answer.changes != 0 {
					d.t.Errorf("answered %d %.200s for %q", answer.status, answer.body, answer.event.Reason)
				}
			})
		}
		d.run("as much as fits is issued, and read again", func() {
			d.alter("web", func(c *store.Client) { c.Claims = map[string]any{"profile": strings.Repeat("x", 10<<10)} })
			d.active("web", d.tokens("web", "client_credentials", "scope", "orders.read").access())
		})
	})
}
