package tokenendpoint_test

import (
	"context"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// validating has the host's own grant find what is sent as handle and return what
// make makes of it.
func (d *desk) validating(kind store.Kind, make func(*store.Record) *tokenendpoint.Result) {
	d.validate = func(ctx context.Context, req *tokenendpoint.Request) (*tokenendpoint.Result, error) {
		record, err := req.Find(ctx, kind, req.Form.Get("handle"))
		if err != nil {
			return nil, err
		}
		return make(record), nil
	}
}

func (d *desk) own(client, handle string, parameters ...string) deskAnswer {
	return d.ask(d.t.Context(), client, deskForm(redeemOwn, append(parameters, "handle", handle)))
}

// No grant of a stranger's hands out more than it found, whatever it returns.
func TestAValidatorThatReturnsWhatItMayNot(t *testing.T) {
	copied := func(record *store.Record) *store.Record { c := *record; return &c }
	for name, result := range map[string]func(*store.Record) *tokenendpoint.Result{
		"a copy of what Find returned":          func(r *store.Record) *tokenendpoint.Result { return &tokenendpoint.Result{Spend: copied(r)} },
		"a copy of what Find returned, to keep": func(r *store.Record) *tokenendpoint.Result { return &tokenendpoint.Result{Keep: copied(r)} },
		"a record of its own making": func(r *store.Record) *tokenendpoint.Result {
			return &tokenendpoint.Result{Spend: &store.Record{Key: r.Key, Kind: r.Kind, ExpiresAt: r.ExpiresAt, Grant: &store.Grant{
				ClientID: "web", Subject: "root", Scopes: []string{"orders.read"},
			}}}
		},
		"Spend and Keep":            func(r *store.Record) *tokenendpoint.Result { return &tokenendpoint.Result{Spend: r, Keep: r} },
		"a code to keep":            func(r *store.Record) *tokenendpoint.Result { return &tokenendpoint.Result{Keep: r} },
		"an AuthTime beside Spend":  beside(store.Grant{AuthTime: keysStart}),
		"an ACR beside Spend":       beside(store.Grant{ACR: "gold"}),
		"an AMR beside Spend":       beside(store.Grant{AMR: []string{"otp"}}),
		"a Session beside Spend":    beside(store.Grant{Session: "s2"}),
		"a Nonce beside Spend":      beside(store.Grant{Nonce: "n"}),
		"an Issuer beside Spend":    beside(store.Grant{Issuer: "https://other.example"}),
		"a ClientID beside Spend":   beside(store.Grant{ClientID: "till"}),
		"a Subject beside Spend":    beside(store.Grant{Subject: "root"}),
		"Scopes beside Spend":       beside(store.Grant{Scopes: []string{"orders.read"}}),
		"empty Scopes beside Spend": beside(store.Grant{Scopes: []string{}}),
		"Resources beside Spend":    beside(store.Grant{Resources: []string{ordersAPI}}),
		"Claims beside Spend":       beside(store.Grant{Claims: map[string]any{"tenant": "acme"}}),
		"UserClaims beside Spend":   beside(store.Grant{UserClaims: map[string]any{"name": "root"}}),
		"scopes that were not granted": func(r *store.Record) *tokenendpoint.Result {
			return &tokenendpoint.Result{Spend: r, Scopes: []string{"offline_access"}}
		},
		"resources of no one's": func(r *store.Record) *tokenendpoint.Result {
			return &tokenendpoint.Result{Spend: r, Resources: []string{stockAPI}}
		},
		"no scope at all beside Spend": func(r *store.Record) *tokenendpoint.Result {
			return &tokenendpoint.Result{Spend: r, Scopes: []string{}}
		},
		"a member of the endpoint's": func(r *store.Record) *tokenendpoint.Result {
			return &tokenendpoint.Result{Spend: r, Members: tokenendpoint.Members{"refresh_token": "x"}}
		},
		"a member that cannot be said": func(r *store.Record) *tokenendpoint.Result {
			return &tokenendpoint.Result{Spend: r, Members: tokenendpoint.Members{"f": func() {}}}
		},
		"neither a result nor an error": func(*store.Record) *tokenendpoint.Result { return nil },
	} {
		t.Run(name+" is a fault, and nothing is issued or used up", func(t *testing.T) {
			d := newDesk(t)
			code := d.code("web")
			d.validating(store.KindCode, result)
			answer := d.own("web", code)
			if answer.status != 500 || answer.body != faultServerError || len(d.events) != 1 {
				t.Fatalf("answered %d %s", answer.status, answer.body)
			}
			if scopes := d.events[0].Scopes; scopes != nil {
				t.Errorf("the event says %v", scopes)
			}
			d.want(d.redeem("web", code), 200, "")
		})
	}
	t.Run("a record that is spent is refused, and what came of it lives", func(t *testing.T) {
		d := newDesk(t)
		code := d.code("web")
		token := d.redeem("web", code).refresh()
		d.validating(store.KindCode, func(r *store.Record) *tokenendpoint.Result { return &tokenendpoint.Result{Spend: r} })
		d.want(d.own("web", code), 400, tokenendpoint.ReasonReused)
		next := d.refresh("web", token)
		d.want(next, 200, "")
		for _, result := range []func(*store.Record) *tokenendpoint.Result{
			func(r *store.Record) *tokenendpoint.Result { return &tokenendpoint.Result{Spend: r} },
			func(r *store.Record) *tokenendpoint.Result { return &tokenendpoint.Result{Keep: r} },
		} {
			d.validating(store.KindRefresh, result)
			d.want(d.own("web", token), 400, tokenendpoint.ReasonReused)
		}
		d.want(d.refresh("web", next.refresh()), 200, "")
	})
	t.Run("a record that an earlier request found is refused", func(t *testing.T) {
		d := newDesk(t)
		code := d.code("web")
		var found *store.Record
		d.validating(store.KindCode, func(r *store.Record) *tokenendpoint.Result {
			if found == nil {
				found = r
				return nil
			}
			return &tokenendpoint.Result{Spend: found}
		})
		for range 2 {
			if answer := d.own("web", code); answer.status != 500 {
				t.Errorf("answered %d %s", answer.status, answer.body)
			}
		}
	})
	t.Run("Find tells one kind from another, one client from another, and expiry", func(t *testing.T) {
		d := newDesk(t)
		code := d.code("web")
		spend := func(r *store.Record) *tokenendpoint.Result { return &tokenendpoint.Result{Spend: r} }
		d.validating(store.KindRefresh, spend)
		d.want(d.own("web", code), 400, tokenendpoint.ReasonUnknownHandle)
		d.validating(store.KindCode, spend)
		d.want(d.own("app", code), 400, tokenendpoint.ReasonOtherClient)
		d.clock.Advance(time.Minute)
		d.want(d.own("web", code), 400, tokenendpoint.ReasonExpired)
	})
	t.Run("a successor is only to be had of what Find returned spent", func(t *testing.T) {
		d := newDesk(t)
		first := d.signIn("web").refresh()
		d.want(d.refresh("web", first), 200, "")
		d.validate = func(ctx context.Context, req *tokenendpoint.Request) (*tokenendpoint.Result, error) {
			record, err := req.Find(ctx, store.KindRefresh, req.Form.Get("handle"))
			if err != nil {
				return nil, err
			}
			other := *record
			record, err = req.Successor(ctx, &other)
			return &tokenendpoint.Result{Keep: record}, err
		}
		d.want(d.own("web", first), 400, tokenendpoint.ReasonUnknownHandle)
		d.validate = func(ctx context.Context, req *tokenendpoint.Request) (*tokenendpoint.Result, error) {
			record, err := req.Find(ctx, store.KindRefresh, req.Form.Get("handle"))
			if err == nil {
				record, err = req.Successor(ctx, record)
			}
			return &tokenendpoint.Result{Keep: record}, err
		}
		d.want(d.own("web", d.signIn("web").refresh()), 400, tokenendpoint.ReasonUnknownHandle)
		d.want(d.own("web", first), 200, "")
	})
}

func beside(grant store.Grant) func(*store.Record) *tokenendpoint.Result {
	return func(r *store.Record) *tokenendpoint.Result { return &tokenendpoint.Result{Spend: r, Grant: grant} }
}

func TestAGrantOfAHostsOwn(t *testing.T) {
	t.Run("spends a code with members of its own, once", func(t *testing.T) {
		d := newDesk(t)
		code := d.code("web")
		d.validating(store.KindCode, func(r *store.Record) *tokenendpoint.Result {
			return &tokenendpoint.Result{Spend: r, Scopes: []string{"orders.read"}, Members: tokenendpoint.Members{"desk": 1}}
		})
		answer := d.own("web", code)
		d.want(answer, 200, "")
		d.equal("the scope", answer.members["scope"], "orders.read")
		d.equal("the member", answer.members["desk"], 1.0)
		d.want(d.own("web", code), 400, tokenendpoint.ReasonReused)
		d.equal("the whole", d.refresh("web", answer.refresh()).members["scope"], "openid profile orders.read orders.write")
	})
	t.Run("with a user earns a refresh token that works", func(t *testing.T) {
		d := newDesk(t)
		d.validate = func(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) {
			return &tokenendpoint.Result{Grant: store.Grant{
				Subject: "carol", Session: "s9", Nonce: "n", AuthTime: keysStart, Scopes: []string{"openid", "orders.read"}, Claims: map[string]any{"tenant": "acme"},
			}, Scopes: []string{"orders.read"}}, nil
		}
		answer := d.ask(t.Context(), "web", deskForm(redeemOwn, nil))
		d.want(answer, 200, "")
		d.equal("the first scope", answer.members["scope"], "orders.read")
		for range 2 {
			answer = d.refresh("web", answer.refresh())
			d.want(answer, 200, "")
			access, id := d.claims(answer, "access_token"), d.claims(answer, "id_token")
			d.equal("the scope", answer.members["scope"], "openid orders.read")
			d.equal("sub", access["sub"], "carol")
			d.equal("tenant", access["tenant"], "acme")
			d.equal("sid", id["sid"], "s9")
			d.equal("auth_time", id["auth_time"], float64(keysStart.Unix()))
			d.equal("nonce", id["nonce"], nil)
		}
		if n, err := d.endpoint.Revoke(t.Context(), store.Match{Session: "s9"}); n != 1 || err != nil {
			t.Errorf("Revoke: %d, %v", n, err)
		}
		d.want(d.refresh("web", answer.refresh()), 400, tokenendpoint.ReasonRevoked)
	})
}
