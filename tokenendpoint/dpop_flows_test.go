package tokenendpoint_test

import (
	"context"
	"net/url"
	"testing"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// dpopFlow is a way to a token: begin brings a client to where one form redeems it.
type dpopFlow struct {
	name, client string
	begin        func(d *dpopDesk, client string) url.Values
}

var dpopFlows = []dpopFlow{
	{"client_credentials", "web", func(*dpopDesk, string) url.Values { return deskForm("client_credentials", nil) }},
	{"client_credentials with an assertion", "signer", func(*dpopDesk, string) url.Values {
		return deskForm("client_credentials", []string{"client_assertion_type", assertionType, "client_assertion", assertionBy("signer", tokenendpoint.ES256).token()})
	}},
	{"a code", "web", func(d *dpopDesk, client string) url.Values { return d.redeeming(client) }},
	{"a code of a public client", "app", func(d *dpopDesk, client string) url.Values { return d.redeeming(client) }},
	{"a refresh token", "web", dpopRefresh},
	{"a refresh token of a public client", "app", dpopRefresh},
	{"a device code", "web", dpopDevice},
	{"a device code of a public client", "app", dpopDevice},
	{"a backchannel request", "web", dpopCIBA},
	{"a password", "web", dpopPassword},
	{"a password of a public client", "app", dpopPassword},
	{"an extension grant", "web", dpopOwn},
	{"an extension grant of a public client", "app", dpopOwn},
}

// dpopRefresh begins with a refresh token that is bound to no key.
func dpopRefresh(d *dpopDesk, client string) url.Values {
	return d.refreshing(d.issued(d.send(client, d.redeeming(client)), ""))
}

func dpopDevice(d *dpopDesk, client string) url.Values {
	d.t.Helper()
	answer := d.post("/connect/deviceauthorization", client, nil, nil)
	if err := d.device.Approve(d.t.Context(), d.endpoint, grants.Visitor{Subject: "alice"}, answer.text("user_code"), store.Grant{Subject: "alice"}); err != nil {
		d.t.Fatalf("%s: %v", answer.body, err)
	}
	return deskForm(d.device.GrantType(), []string{"device_code", answer.text("device_code")})
}

func dpopCIBA(d *dpopDesk, client string) url.Values {
	d.t.Helper()
	answer := d.post("/connect/ciba", client, url.Values{"login_hint": {"alice"}, "scope": {"openid orders.read"}}, nil)
	if err := d.ciba.Approve(d.t.Context(), d.endpoint, d.decision, store.Grant{Subject: "alice"}); err != nil {
		d.t.Fatalf("%s: %v", answer.body, err)
	}
	return deskForm(d.ciba.GrantType(), []string{"auth_req_id", answer.text("auth_req_id")})
}

func dpopPassword(*dpopDesk, string) url.Values {
	return deskForm("password", []string{"username", "alice", "password", "sesame-of-alice"})
}

func dpopOwn(*dpopDesk, string) url.Values { return deskForm(redeemOwn, nil) }

// 9449-5-02, 9449-5-03, 9449-11.8-01: a proof binds the token of every grant to its own
// key, whatever the form says; no proof, no binding.
func TestEveryGrantIsBoundByAProof(t *testing.T) {
	for _, flow := range dpopFlows {
		t.Run(flow.name+" with a proof is bound to its key", func(t *testing.T) {
			d := newDPoPDesk(t)
			form := flow.begin(d, flow.client)
			form.Set("dpop_jkt", d.other.jkt())
			form.Set("cnf", `{"jkt":"`+d.other.jkt()+`"}`)
			d.issued(d.send(flow.client, form, d.key.proof()), d.key.jkt())
		})
		t.Run(flow.name+" without a proof is bound to none", func(t *testing.T) {
			d := newDPoPDesk(t)
			form := flow.begin(d, flow.client)
			form.Set("dpop_jkt", d.other.jkt())
			d.issued(d.send(flow.client, form), "")
			if d.replays.used() > 1 || d.replays.used() == 1 && flow.client != "signer" {
				t.Errorf("%d ids were used up", d.replays.used())
			}
		})
		// 9449-5.2-01.
		t.Run(flow.name+" of a client that always sends proofs is not given without one", func(t *testing.T) {
			d := newDPoPDesk(t)
			form := flow.begin(d, flow.client)
			d.alter(flow.client, func(c *store.Client) { c.DPoPBoundAccessTokens = true })
			d.refused(d.send(flow.client, form), "invalid_dpop_proof", "dpop_absent")
			d.issued(d.send(flow.client, form, d.key.proof()), d.key.jkt())
		})
	}
}

// Whatever a grant or a hook does to the Request, tokens are bound to the key that was
// proven.
func TestTheBindingIsThatOfTheProof(t *testing.T) {
	for name, other := range map[string]store.Confirmation{"another key": {JKT: "other"}, "no key": {}} {
		t.Run("and not to "+name+" that a grant wrote over it", func(t *testing.T) {
			d := newDPoPDesk(t)
			validate := d.validate
			d.validate = func(ctx context.Context, req *tokenendpoint.Request) (*tokenendpoint.Result, error) {
				req.Confirmation = other
				return validate(ctx, req)
			}
			form := dpopOwn(d, "app")
			d.issued(d.send("app", form, d.key.proof()), d.key.jkt())
		})
	}
}
