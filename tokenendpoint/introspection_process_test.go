package tokenendpoint_test

import (
	"context"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// inProcess is what Endpoint.Introspect says.
func (d *introspectionDesk) inProcess(token string) map[string]any {
	d.t.Helper()
	body, err := d.endpoint.Introspect(d.t.Context(), token)
	if err != nil {
		d.t.Fatalf("Introspect: %v", err)
	}
	var members map[string]any
	if err := json.Unmarshal(body, &members); err != nil {
		d.t.Fatalf("%s: %v", body, err)
	}
	if members["active"] != true && string(body) != tokenIsInactive {
		d.t.Errorf("an inactive token is answered %s", body)
	}
	return members
}

// An API in the same process has the verdicts of the endpoint, of whatever audience the
// token is, and all of its claims.
func TestIntrospectInTheSameProcess(t *testing.T) {
	bothFormats(t, func(t *testing.T, d *introspectionDesk) {
		answer := d.byCode("web")
		d.run("says what the client of the token is told", func() {
			if got, want := d.inProcess(answer.access()), d.active("web", answer.access()); !reflect.DeepEqual(got, want) || got["active"] != true {
				d.t.Errorf("Introspect says\n%v, want\n%v", got, want)
			}
		})
		d.run("of whatever audience, and bound or not", func() {
			proven := d.send("web", deskForm("client_credentials", []string{"scope", "stock.read"}), d.key.proof())
			said := d.inProcess(proven.access())
			d.equal("aud", said["aud"], stockAPI)
			d.equal("cnf", said["cnf"], map[string]any{"jkt": d.key.jkt()})
			d.equal("token_type", said["token_type"], "DPoP")
			d.equal("scope", said["scope"], "stock.read")
		})
		inactive := func(name, token string) {
			d.run(name+" is inactive", func() { d.equal("what is said", d.inProcess(token), map[string]any{"active": false}) })
		}
		d.run("it asks no scopes", func() {
			d.parts.fails("Scopes", errFaultCanary)
			d.equal("active", d.inProcess(answer.access())["active"], true)
			d.parts.fails("Scopes", nil)
		})
		inactive("a refresh token", answer.refresh())
		inactive("an ID token", answer.text("id_token"))
		inactive("a code", d.code("web"))
		inactive("garbage", "garbage")
		inactive("nothing", "")
		inactive("a forged token", d.forger().set("iss", "https://other.example"))
		d.users = func(context.Context, *tokenendpoint.Request, *tokenendpoint.Token) error {
			return tokenendpoint.InvalidGrant
		}
		inactive("the token of a user who is gone", answer.access())
		d.users = nil
		d.alter("web", func(c *store.Client) { c.Disabled = true })
		inactive("the token of a client that is disabled", answer.access())
		d.alter("web", func(c *store.Client) { c.Disabled = false })
		d.equal("active", d.inProcess(answer.access())["active"], true)
		d.revoked("web", answer.access(), "revoked")
		inactive("a revoked token", answer.access())
		other := d.byCode("web").access()
		d.clock.Advance(time.Hour)
		inactive("an expired token", other)
	})
}

// Users is told, in the same process too, whose token it is; there is no address.
func TestUsersIsAskedInTheSameProcess(t *testing.T) {
	d := newIntrospectionDesk(t)
	token := d.byCode("web").access()
	calls := 0
	d.users = func(ctx context.Context, req *tokenendpoint.Request, token *tokenendpoint.Token) error {
		calls++
		if _, bounded := ctx.Deadline(); !bounded || req.Endpoint != d.endpoint || req.Issuer != trialIssuer || !req.Time.Equal(keysStart) ||
			req.Client.ID != "web" || req.RemoteAddr.IsValid() || token.Grant.Subject != "alice" {
			t.Errorf("the Request is %+v, the Token %+v", req, token)
		}
		return nil
	}
	d.inProcess(token)
	d.equal("calls", calls, 1)
}

// Without Records a JWT is what its claims say, and nothing else is a token.
func TestIntrospectionWithoutRecords(t *testing.T) {
	clock := newKeysClock(keysStart)
	config := keysConfig(tokenendpoint.StaticKeys{{ID: "k1", Alg: tokenendpoint.ES256, Signer: trialKey()}}, clock)
	endpoint, err := tokenendpoint.New(config)
	if err != nil {
		t.Fatal(err)
	}
	token, _ := keysToken(t, endpoint)
	if body, err := endpoint.Introspect(t.Context(), token); err != nil || len(body) < 100 {
		t.Errorf("%s, %v", body, err)
	}
	for name, token := range map[string]string{"a handle": "a" + redeemVerifier + redeemVerifier[:21], "a refresh token": "r" + redeemVerifier + redeemVerifier[:21]} {
		t.Run(name+" is inactive", func(t *testing.T) {
			if len(token) != 65 {
				t.Fatalf("%d characters", len(token))
			}
			if body, err := endpoint.Introspect(t.Context(), token); err != nil || string(body) != tokenIsInactive {
				t.Errorf("%s, %v", body, err)
			}
		})
	}
	clock.Advance(time.Hour)
	if body, err := endpoint.Introspect(t.Context(), token); err != nil || string(body) != tokenIsInactive {
		t.Errorf("%s, %v", body, err)
	}
}

// Nobody else sees the request, so that the observer is told why a token was refused.
func TestIntrospectTellsWhyATokenIsInactive(t *testing.T) {
	bothFormats(t, func(t *testing.T, d *introspectionDesk) {
		answer := d.byCode("web")
		events := func() int { return len(d.events) }
		before := events()
		d.inProcess(answer.access())
		if n := events() - before; n != 0 {
			t.Errorf("an active token made %d events", n)
		}
		tells := func(token string, reason tokenendpoint.Reason, client, grant string) {
			d.t.Helper()
			before := events()
			d.inProcess(token)
			if n := events() - before; n != 1 {
				d.t.Fatalf("%d events", n)
			}
			event := d.events[len(d.events)-1]
			if event.Endpoint != "introspection" || event.Reason != reason || event.Status != 0 || event.ClientID != client || event.GrantID != grant {
				d.t.Errorf("the event is %+v", event)
			}
		}
		tells("garbage", tokenendpoint.ReasonUnknownHandle, "", "")
		tells(answer.refresh(), tokenendpoint.ReasonNotAccessToken, "web", answer.event.GrantID)
		d.revoke("web", answer.access())
		tells(answer.access(), tokenendpoint.ReasonRevoked, "web", answer.event.GrantID)
	})
}
