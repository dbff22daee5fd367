package tokenendpoint_test

import (
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// 7662-2.2-02, 7662-2.2-03, 7662-2.3-01, 7662-4-02, 7662-4-04: what is no token of this
// issuer is inactive, with the same bytes as everything that is, and never an error.
func TestWhatIsNoTokenIsInactive(t *testing.T) {
	d := newIntrospectionDesk(t).opaque("till")
	answer, opaque := d.byCode("web"), d.byCode("till")
	device := d.post("/connect/deviceauthorization", "web", nil, nil)
	for name, token := range map[string]string{
		"one character":                       "x",
		"a space":                             " ",
		"dots":                                "..",
		"a JSON object":                       `{"active":true}`,
		"a token that is too long to be one":  answer.access() + strings.Repeat("A", 40<<10),
		"a handle that was made up":           "a" + strings.Repeat("A", 64),
		"a refresh token that was made up":    "r" + strings.Repeat("A", 64),
		"a handle with other bits at its end": opaque.access()[:64] + "~",
		"a handle of the family's own":        opaque.access()[:23] + strings.Repeat("A", 42),
		"an opaque token as a refresh token":  "r" + opaque.access()[1:],
		"a refresh token as an opaque token":  "a" + answer.refresh()[1:],
		"a handle with a line break":          opaque.access() + "\n",
		"a JWT with a space before it":        " " + answer.access(),
		"a JWT with a line break in it":       answer.access()[:40] + "\n" + answer.access()[40:],
		"a JWT without its signature":         answer.access()[:strings.LastIndex(answer.access(), ".")+1],
		"a JWT with a part more":              answer.access() + ".e30",
		"a code":                              d.code("web"),
		"a code as an opaque token":           "a" + d.code("web")[1:],
		"a device code":                       device.text("device_code"),
		"a user code":                         device.text("user_code"),
		"an ID token":                         answer.text("id_token"),
		"a client assertion":                  assertionBy("signer", tokenendpoint.ES256).token(),
		"a DPoP proof":                        d.key.proof(),
	} {
		if token == "" {
			t.Fatalf("there is no %s", name)
		}
		d.run(name, func() {
			for _, caller := range []string{"orders", "web", "till"} {
				d.inactive(caller, token, "unknown_handle")
			}
		})
	}
	for caller, token := range map[string]string{"orders": answer.access(), "web": answer.refresh(), "till": opaque.access()} {
		d.active(caller, token) // none of this has changed them
	}
}

// 7662-2.2-02, 7662-4-01, 7662-4-03: who may not be sent a token is not told that there is
// one.
func TestATokenOfOthersIsInactive(t *testing.T) {
	bothFormats(t, func(t *testing.T, d *introspectionDesk) {
		answer := d.byCode("web")
		d.clients.Put(store.Client{Metadata: store.Metadata{ID: "near"}, ProtectedResources: []string{ordersAPI + "/", "", "web", "alice"},
			Secrets: []store.Secret{{Hash: store.HashSecret(redeemSecret)}}})
		for caller, name := range map[string]string{
			"till": "to another client", "stock": "to an API that is not its audience", "near": "to one whose name is like that of the audience",
		} {
			d.run(name, func() {
				before := d.inactive(caller, answer.access(), "other_client")
				if before.calls["Client web"] != 0 {
					d.t.Errorf("the client was asked for: %v", before.calls)
				}
			})
		}
		d.run("a refresh token to any API and any other client", func() {
			d.alter("till", func(c *store.Client) { c.ProtectedResources = []string{ordersAPI, stockAPI, trialIssuer} })
			for _, caller := range []string{"orders", "stock", "near", "till"} {
				d.inactive(caller, answer.refresh(), "other_client")
			}
		})
		d.active("till", answer.access()) // as the API that it is now
		d.active("orders", answer.access())
		d.active("web", answer.access())
	})
}

// 7662-4-01: to the nanosecond.
func TestAnExpiredTokenIsInactive(t *testing.T) {
	bothFormats(t, func(t *testing.T, d *introspectionDesk) {
		d.alter("till", func(c *store.Client) { c.RefreshTokenLifetime = 2 * time.Hour })
		answer := d.byCode("till")
		exp := keysStart.Truncate(time.Second).Add(time.Hour)
		d.clock.Set(exp.Add(-time.Nanosecond))
		d.active("orders", answer.access())
		d.active("till", answer.access())
		d.clock.Set(exp)
		d.inactive("orders", answer.access(), "expired")
		d.inactive("till", answer.access(), "expired")
		d.clock.Set(keysStart.Add(2*time.Hour - time.Nanosecond))
		d.active("till", answer.refresh())
		d.clock.Set(keysStart.Add(2 * time.Hour))
		d.inactive("till", answer.refresh(), "expired")
		d.inactive("orders", answer.refresh(), "expired")
	})
}

// 7662-4-01, 7009-2.1-05: by whatever a token was taken back.
func TestATokenThatWasTakenBackIsInactive(t *testing.T) {
	session := func(g *store.Grant) { g.Session = "s7" }
	ways := map[string]func(d *introspectionDesk, answer dpopAnswer){
		"the token itself":           func(d *introspectionDesk, a dpopAnswer) { d.revoked("web", a.access(), "revoked") },
		"the refresh token":          func(d *introspectionDesk, a dpopAnswer) { d.revoked("web", a.refresh(), "revoked") },
		"the service, by subject":    func(d *introspectionDesk, _ dpopAnswer) { d.takeBack(store.Match{Subject: "alice"}) },
		"the service, by client":     func(d *introspectionDesk, _ dpopAnswer) { d.takeBack(store.Match{ClientID: "web"}) },
		"the service, by session":    func(d *introspectionDesk, _ dpopAnswer) { d.takeBack(store.Match{Session: "s7"}) },
		"the service, by the family": func(d *introspectionDesk, a dpopAnswer) { d.takeBack(store.Match{Family: a.event.GrantID}) },
		"a code that was used again": func(d *introspectionDesk, _ dpopAnswer) {
			code := d.code("web", session)
			first := d.redeem("web", code)
			token, _ := first.members["access_token"].(string)
			d.active("orders", token)
			d.want(d.redeem("web", code), 400, "reused")
			d.inactive("orders", token, "revoked")
			d.takeBack(store.Match{Session: "s7"})
		},
	}
	for name, takeBack := range ways {
		bothFormats(t, func(t *testing.T, d *introspectionDesk) {
			d.run("by "+name, func() {
				answer := d.byCode("web", session)
				d.active("orders", answer.access())
				takeBack(d, answer)
				d.inactive("orders", answer.access(), "revoked")
				d.inactive("web", answer.access(), "revoked")
				if name == "the token itself" {
					d.active("web", answer.refresh())
				} else {
					d.inactive("web", answer.refresh(), "revoked")
				}
			})
		})
	}
}

// takeBack does what the service does; one family matches at least.
func (d *introspectionDesk) takeBack(match store.Match) {
	d.t.Helper()
	if n, err := d.endpoint.Revoke(d.t.Context(), match); n < 1 || err != nil {
		d.t.Errorf("Revoke: %d, %v", n, err)
	}
}

// A refresh token that was replaced is good for nothing but the same answer again.
func TestARefreshTokenThatWasReplacedIsInactive(t *testing.T) {
	bothFormats(t, func(t *testing.T, d *introspectionDesk) {
		first := d.byCode("web")
		second := d.send("web", d.refreshing(first))
		d.want(second.deskAnswer, 200, "")
		d.inactive("web", first.refresh(), "revoked")
		d.active("web", second.refresh())
		for _, access := range []string{first.access(), second.access()} {
			d.active("orders", access)
		}
		d.clock.Advance(2 * time.Minute)
		d.want(d.send("web", d.refreshing(first)).deskAnswer, 400, "reused") // which ends the family
		for _, token := range []string{first.access(), second.access(), second.refresh()} {
			d.inactive("web", token, "revoked")
		}
	})
}
