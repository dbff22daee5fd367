package tokenendpoint_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

func TestRecordsThatAreNotWhole(t *testing.T) {
	altered := func(alter func(*store.Grant)) func(*store.Record, *store.Family) {
		return func(record *store.Record, _ *store.Family) {
			grant := *record.Grant
			alter(&grant)
			record.Grant = &grant
		}
	}
	cases := map[string]struct {
		found  func(*store.Record, *store.Family)
		status int
		reason tokenendpoint.Reason
	}{
		"without a grant":                    {func(r *store.Record, _ *store.Family) { r.Grant = nil }, 500, tokenendpoint.ReasonCorrupt},
		"of another kind":                    {func(r *store.Record, _ *store.Family) { r.Kind = "x" }, 500, tokenendpoint.ReasonCorrupt},
		"whose grant is another client's":    {altered(func(g *store.Grant) { g.ClientID = "nobody" }), 500, tokenendpoint.ReasonCorrupt},
		"whose grant is another user's":      {altered(func(g *store.Grant) { g.Subject = "root" }), 500, tokenendpoint.ReasonCorrupt},
		"whose family is another user's":     {func(_ *store.Record, f *store.Family) { f.Subject = "root" }, 500, tokenendpoint.ReasonCorrupt},
		"whose family is another client's":   {func(_ *store.Record, f *store.Family) { f.ClientID = "nobody" }, 400, tokenendpoint.ReasonOtherClient},
		"of another issuer":                  {altered(func(g *store.Grant) { g.Issuer = "https://other.example" }), 400, tokenendpoint.ReasonUnknownHandle},
		"of a family that is revoked":        {func(_ *store.Record, f *store.Family) { f.RevokedAt = keysStart }, 400, tokenendpoint.ReasonRevoked},
		"that is past its end":               {func(r *store.Record, _ *store.Family) { r.ExpiresAt = keysStart }, 400, tokenendpoint.ReasonExpired},
		"that is past its end and not whole": {func(r *store.Record, _ *store.Family) { r.ExpiresAt, r.Grant = keysStart, nil }, 400, tokenendpoint.ReasonExpired},
		"without any scope":                  {altered(func(g *store.Grant) { g.Scopes = nil }), 400, tokenendpoint.ReasonNoScope},
	}
	for name, c := range cases {
		for _, r := range redemptions {
			t.Run(r.name+" "+name+" gives no token", func(t *testing.T) {
				d := newDesk(t)
				redeem := r.make(d)
				d.records.found = c.found
				d.want(redeem(), c.status, c.reason)
				d.records.found = nil
				d.want(redeem(), 200, "")
			})
		}
	}
	for name, data := range map[string]string{"nothing": "", "no JSON": "{", "another type": `[1]`, "a string": `"x"`} {
		t.Run("a code with "+name+" for data gives no token", func(t *testing.T) {
			d := newDesk(t)
			code := d.code("web")
			d.records.found = func(r *store.Record, _ *store.Family) { r.Data = []byte(data) }
			d.want(d.redeem("web", code), 500, tokenendpoint.ReasonCorrupt)
		})
	}
	t.Run("a code whose challenge was taken away gives no token", func(t *testing.T) {
		d := newDesk(t)
		code := d.code("web")
		d.records.found = func(r *store.Record, _ *store.Family) { r.Data = []byte(`{"r":"https://app.example/callback"}`) }
		d.want(d.ask(t.Context(), "web", deskForm("authorization_code", []string{"code", code})), 400, tokenendpoint.ReasonVerifier)
	})
	for name, alter := range map[string]func([]byte) []byte{
		"altered":   func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"cut":       func(b []byte) []byte { return b[:5] },
		"exchanged": func(b []byte) []byte { return []byte(strings.Repeat("x", len(b))) },
	} {
		t.Run("a sealed successor that was "+name+" gives no token and ends nothing", func(t *testing.T) {
			d := newDesk(t)
			first := d.signIn("web").refresh()
			second := d.refresh("web", first).refresh()
			d.records.found = func(r *store.Record, _ *store.Family) { r.Sealed = alter(slices.Clone(r.Sealed)) }
			d.want(d.refresh("web", first), 500, tokenendpoint.ReasonCorrupt)
			d.records.found = nil
			d.want(d.refresh("web", second), 200, "")
		})
	}
	t.Run("a successor that was collected is unknown", func(t *testing.T) {
		d := newDesk(t)
		first := d.signIn("web").refresh()
		d.refresh("web", first)
		finds := 0
		d.records.around = func(ctx context.Context, method string, call func(context.Context) error) error {
			if finds++; finds == 2 {
				return store.ErrNotFound
			}
			return call(ctx)
		}
		d.want(d.refresh("web", first), 400, tokenendpoint.ReasonUnknownHandle)
	})
}

// 6749-10.10-01, 7636-4.4-01: who has the database has nothing that can be
// redeemed, and no part of one handle tells another.
func TestAStoreSeesNoHandle(t *testing.T) {
	var kept strings.Builder
	seen := &spyStore{GrantStore: new(memory.Grants), seen: func(v any) {
		b, err := json.Marshal(v)
		if err != nil {
			t.Error(err)
		}
		fmt.Fprintf(&kept, "%s %+v\n", b, v)
	}}
	d := newDesk(t, func(c *tokenendpoint.Config) { c.Records = seen })
	var handles []string
	for _, client := range []string{"web", "till", "app"} {
		code := d.code(client)
		answer := d.redeem(client, code)
		next := d.refresh(client, answer.refresh())
		again := d.refresh(client, answer.refresh())
		d.want(again, 200, "")
		handles = append(handles, code, answer.refresh(), next.refresh(), redeemVerifier)
		for _, a := range []deskAnswer{answer, next, again} {
			for _, member := range []string{"access_token", "id_token"} {
				handles = append(handles, strings.Split(a.members[member].(string), ".")[1])
			}
		}
	}
	if !strings.Contains(kept.String(), "alice") {
		t.Fatal("nothing was seen")
	}
	for _, handle := range handles {
		if strings.Contains(kept.String(), handle) || strings.Contains(kept.String(), handle[len(handle)-30:]) {
			t.Errorf("the store saw %s", handle)
		}
	}
	prefixes := make(map[string]bool)
	for range 1000 {
		code := d.code("web")
		if prefixes[code[:14]] || len(code) != 65 {
			t.Fatalf("%s has the prefix of another code, or is too short", code)
		}
		prefixes[code[:14]] = true
	}
}

// spyStore shows what a store is given.
type spyStore struct {
	store.GrantStore
	seen func(any)
}

func (s *spyStore) Find(ctx context.Context, key store.Key) (*store.Record, *store.Family, error) {
	s.seen(key)
	return s.GrantStore.Find(ctx, key)
}

func (s *spyStore) Exchange(ctx context.Context, change *store.Change) error {
	s.seen(change)
	for _, record := range append(change.Issue, store.Record{}) {
		s.seen(record.Grant)
		s.seen(string(record.Data))
	}
	return s.GrantStore.Exchange(ctx, change)
}
