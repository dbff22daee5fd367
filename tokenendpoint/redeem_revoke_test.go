package tokenendpoint_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// 2.1-4.3.1-01, 9700-4.14.2-06.
func TestRevoke(t *testing.T) {
	for name, match := range map[string]func(family string) store.Match{
		"by its id":          func(family string) store.Match { return store.Match{Family: family} },
		"by client":          func(string) store.Match { return store.Match{ClientID: "web"} },
		"by user":            func(string) store.Match { return store.Match{Subject: "alice"} },
		"by session":         func(string) store.Match { return store.Match{Session: "s1"} },
		"by user and client": func(string) store.Match { return store.Match{Subject: "alice", ClientID: "web"} },
		"by everything there is": func(family string) store.Match {
			return store.Match{Family: family, ClientID: "web", Subject: "alice", Session: "s1"}
		},
	} {
		t.Run("a grant that is revoked "+name+" is dead, with its code and tokens, and another is not", func(t *testing.T) {
			d := newDesk(t)
			code := d.code("web")
			mine := d.redeem("web", code)
			other := d.signIn("till", func(g *store.Grant) { g.Subject, g.Session = "bob", "s2" })
			family, _ := d.claims(mine, "access_token")["grant_id"].(string)
			if live, err := d.records.FamilyLive(t.Context(), family); !live || err != nil {
				t.Fatalf("the family %q lives: %v, %v", family, live, err)
			}
			n, err := d.endpoint.Revoke(t.Context(), match(family))
			if n != 1 || err != nil {
				t.Fatalf("Revoke: %d, %v", n, err)
			}
			d.want(d.refresh("web", mine.refresh()), 400, tokenendpoint.ReasonRevoked)
			d.want(d.redeem("web", code), 400, tokenendpoint.ReasonRevoked)
			d.equal("the event's GrantID", d.events[len(d.events)-1].GrantID, family)
			if live, err := d.records.FamilyLive(t.Context(), family); live || err != nil {
				t.Errorf("the family lives: %v, %v", live, err)
			}
			d.want(d.refresh("till", other.refresh()), 200, "")
			if n, err := d.endpoint.Revoke(t.Context(), match(family)); n != 0 || err != nil {
				t.Errorf("again: %d, %v", n, err)
			}
		})
	}
	t.Run("a code that was not redeemed yet is revoked", func(t *testing.T) {
		d := newDesk(t)
		code := d.code("web")
		if n, err := d.endpoint.Revoke(t.Context(), store.Match{Subject: "alice"}); n != 1 || err != nil {
			t.Fatalf("Revoke: %d, %v", n, err)
		}
		d.want(d.redeem("web", code), 400, tokenendpoint.ReasonRevoked)
	})
	t.Run("all grants of a user are counted, and one that does not match is not", func(t *testing.T) {
		d := newDesk(t)
		for _, client := range []string{"web", "till", "app"} {
			d.signIn(client)
		}
		if n, err := d.endpoint.Revoke(t.Context(), store.Match{Subject: "alice", ClientID: "nobody"}); n != 0 || err != nil {
			t.Errorf("nobody's: %d, %v", n, err)
		}
		if n, err := d.endpoint.Revoke(t.Context(), store.Match{Subject: "alice"}); n != 3 || err != nil {
			t.Errorf("Revoke: %d, %v", n, err)
		}
	})
	t.Run("a token of a grant of the host's own is revoked by its grant_id", func(t *testing.T) {
		d := newDesk(t)
		d.validate = func(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) {
			return &tokenendpoint.Result{Grant: store.Grant{Subject: "alice"}}, nil
		}
		answer := d.ask(t.Context(), "web", deskForm(redeemOwn, nil))
		d.want(answer, 200, "")
		family, _ := d.claims(answer, "access_token")["grant_id"].(string)
		d.equal("the event's GrantID", d.events[0].GrantID, family)
		if n, err := d.endpoint.Revoke(t.Context(), store.Match{Family: family}); n != 1 || err != nil {
			t.Errorf("Revoke: %d, %v", n, err)
		}
		d.want(d.refresh("web", answer.refresh()), 400, tokenendpoint.ReasonRevoked)
	})
	t.Run("a match of nothing is an error and revokes nothing", func(t *testing.T) {
		d := newDesk(t)
		answer := d.signIn("web")
		d.records.around = func(ctx context.Context, method string, call func(context.Context) error) error {
			if method == "Revoke" {
				t.Error("the store was asked to revoke everything")
			}
			return call(ctx)
		}
		if n, err := d.endpoint.Revoke(t.Context(), store.Match{}); n != 0 || err == nil {
			t.Errorf("Revoke: %d, %v", n, err)
		}
		d.want(d.refresh("web", answer.refresh()), 200, "")
	})
	t.Run("a store that is out of order is an error that says so", func(t *testing.T) {
		d := newDesk(t)
		d.fail("Revoke", 1, fmt.Errorf("pool: %w", errRecordsCanary), false)
		if n, err := d.endpoint.Revoke(t.Context(), store.Match{Subject: "alice"}); n != 0 || !errors.Is(err, errRecordsCanary) {
			t.Errorf("Revoke: %d, %v", n, err)
		}
	})
	t.Run("an endpoint without Records has nothing to revoke, and says so", func(t *testing.T) {
		tr := newTrial(t)
		if n, err := tr.endpoint.Revoke(t.Context(), store.Match{Subject: "alice"}); n != 0 || err == nil {
			t.Errorf("Revoke: %d, %v", n, err)
		}
	})
}
