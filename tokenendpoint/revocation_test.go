package tokenendpoint_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// 7009-2-01, 7009-2.1-05, 7009-2.1-06, 7009-2.1-07: a refresh token takes all of its family
// with it, an access token itself alone.
func TestWhatARevocationEnds(t *testing.T) {
	bothFormats(t, func(t *testing.T, d *introspectionDesk) {
		for _, client := range []string{"web", "till", "app"} {
			caller := client
			if client == "app" {
				caller = "orders" // a public client may not introspect
			}
			d.run("an access token of "+client+" ends itself alone", func() {
				answer := d.byCode(client)
				other := d.send(client, d.refreshing(answer))
				d.want(other.deskAnswer, 200, "")
				d.revoked(client, other.access(), "revoked")
				d.inactive(caller, other.access(), "revoked")
				d.active(caller, answer.access())
				next := d.send(client, d.refreshing(other))
				d.want(next.deskAnswer, 200, "")
				d.active(caller, next.access())
				d.inactive(caller, other.access(), "revoked")
			})
			d.run("a refresh token of "+client+" ends everything of its family, and nothing else", func() {
				answer, stranger := d.byCode(client), d.byCode(client)
				other := d.send(client, d.refreshing(answer))
				d.want(other.deskAnswer, 200, "")
				d.revoked(client, other.refresh(), "revoked")
				for _, token := range []string{answer.access(), other.access()} {
					d.inactive(caller, token, "revoked")
				}
				d.refused(d.send(client, d.refreshing(other)), "invalid_grant", "revoked")
				d.active(caller, stranger.access())
				d.want(d.send(client, d.refreshing(stranger)).deskAnswer, 200, "")
			})
		}
		d.run("a refresh token that was replaced ends the family of the one that followed", func() {
			first := d.byCode("web")
			second := d.send("web", d.refreshing(first))
			d.want(second.deskAnswer, 200, "")
			d.clock.Advance(time.Hour / 2)
			d.revoked("web", first.refresh(), "revoked")
			d.inactive("web", second.access(), "revoked")
			d.refused(d.send("web", d.refreshing(second)), "invalid_grant", "revoked")
		})
		d.run("a refresh token that has expired ends what is left of its family", func() {
			d.alter("till", func(c *store.Client) { c.RefreshTokenLifetime = time.Minute })
			answer := d.byCode("till")
			d.clock.Advance(time.Minute)
			d.inactive("till", answer.refresh(), "expired")
			d.active("till", answer.access())
			d.revoked("till", answer.refresh(), "revoked")
			d.inactive("till", answer.access(), "revoked")
		})
		d.run("the token of a client that acts for itself ends", func() {
			token := d.tokens("web", "client_credentials", "scope", "orders.read").access()
			other := d.tokens("web", "client_credentials", "scope", "orders.read").access()
			d.revoked("web", token, "revoked")
			d.inactive("orders", token, "revoked")
			d.inactive("web", token, "revoked")
			d.active("orders", other)
		})
	})
}

// 7009-2.1-03, Conflicts no. 10: a token of another client is refused, and stays.
func TestATokenOfAnotherClientIsNotRevoked(t *testing.T) {
	bothFormats(t, func(t *testing.T, d *introspectionDesk) {
		answer := d.byCode("web")
		for _, caller := range []string{"till", "app", "orders", "stock"} {
			for name, token := range map[string]string{"access token": answer.access(), "refresh token": answer.refresh()} {
				d.run("its "+name+" by "+caller, func() {
					changes := d.changes.Load()
					refused := d.revoke(caller, token)
					d.refusedWith(refused, 400, "invalid_grant", "other_client")
					if d.changes.Load() != changes || !strings.Contains(refused.body, `"error_description":"the token was issued to another client"`) {
						d.t.Errorf("answered %s after %d changes", refused.body, d.changes.Load()-changes)
					}
				})
			}
		}
		d.active("orders", answer.access())
		d.active("web", answer.refresh())
		d.want(d.send("web", d.refreshing(answer)).deskAnswer, 200, "")
	})
}

// 7009-2.2-01: the same 200, without a body, for what is unknown, over or revoked already.
// None of it changes the store.
func TestThereIsNothingToRevoke(t *testing.T) {
	bothFormats(t, func(t *testing.T, d *introspectionDesk) {
		unchanged := func(token string, reason tokenendpoint.Reason) {
			d.t.Helper()
			changes := d.changes.Load()
			d.revoked("web", token, reason)
			if n := d.changes.Load() - changes; n != 0 {
				d.t.Errorf("the store was changed %d times", n)
			}
		}
		answer := d.byCode("web")
		for name, token := range map[string]string{
			"garbage": "garbage", "a handle that was made up": "a" + strings.Repeat("A", 64), "a refresh token that was made up": "r" + strings.Repeat("A", 64),
			"an ID token": answer.text("id_token"), "a code": d.code("web"), "a DPoP proof": d.key.proof(), "a forged JWT": d.forger().set("iss", "https://other.example"),
		} {
			d.run(name, func() { unchanged(token, "unknown_handle") })
		}
		d.run("an access token twice", func() {
			gone := d.byCode("web")
			d.revoked("web", gone.access(), "revoked")
			unchanged(gone.access(), "revoked")
			d.active("web", gone.refresh())
		})
		d.run("a refresh token twice", func() {
			gone := d.byCode("web")
			d.revoked("web", gone.refresh(), "revoked")
			d.revoked("web", gone.refresh(), "revoked")
			unchanged(gone.access(), "revoked")
		})
		d.run("an access token that has expired by the clocks of all nodes", func() {
			exp := keysStart.Truncate(time.Second).Add(time.Hour)
			d.clock.Set(exp.Add(30 * time.Second))
			unchanged(answer.access(), "expired")
			d.clock.Set(exp.Add(30*time.Second - time.Nanosecond))
			d.revoked("web", answer.access(), "revoked")
			d.clock.Set(exp.Add(-time.Nanosecond))
			d.inactive("orders", answer.access(), "revoked")
		})
		d.active("web", answer.refresh())
	})
}

// 7009-2.1-02: a public client says who it is, and proves nothing.
func TestAPublicClientRevokesItsTokens(t *testing.T) {
	bothFormats(t, func(t *testing.T, d *introspectionDesk) {
		answer := d.byCode("app")
		d.revoked("app", answer.access(), "revoked")
		d.inactive("orders", answer.access(), "revoked")
		if e := d.revoked("app", answer.refresh(), "revoked").event; e.ClientID != "app" || e.Authenticated {
			t.Errorf("the event is %+v", e)
		}
		d.refused(d.send("app", d.refreshing(answer)), "invalid_grant", "revoked")
	})
}

// A bound token is taken back without a proof: that it was stolen may be why.
func TestABoundTokenIsRevokedWithoutAProof(t *testing.T) {
	bothFormats(t, func(t *testing.T, d *introspectionDesk) {
		answer := d.send("app", d.redeeming("app"), d.key.proof())
		d.want(answer.deskAnswer, 200, "")
		d.revoked("app", answer.access(), "revoked")
		d.inactive("orders", answer.access(), "revoked")
		d.revoked("app", answer.refresh(), "revoked")
		d.refused(d.send("app", d.refreshing(answer), d.key.proof()), "invalid_grant", "revoked")
	})
}

// Whoever hangs up has revoked a token all the same: what has begun is made to its end.
func TestARevocationDoesNotHangOnItsCaller(t *testing.T) {
	bothFormats(t, func(t *testing.T, d *introspectionDesk) {
		for _, which := range []string{"access_token", "refresh_token"} {
			d.run("of its "+which, func() {
				answer := d.byCode("web")
				around := d.records.around
				ctx, cancel := context.WithCancel(d.t.Context())
				d.records.around = func(ctx context.Context, method string, call func(context.Context) error) error {
					if method == "Exchange" || method == "Revoke" {
						cancel()
					}
					return around(ctx, method, call)
				}
				ended := d.look(ctx, revokeURL, "web", answer.text(which))
				d.records.around = around
				if ended.status != 200 {
					d.t.Errorf("answered %d %s", ended.status, ended.body)
				}
				d.inactive("web", answer.text(which), "revoked")
			})
		}
		d.run("who hung up before is told of no success", func() {
			answer := d.byCode("web")
			ctx, cancel := context.WithCancel(d.t.Context())
			cancel()
			for _, path := range []string{introspectURL, revokeURL} {
				d.unavailable(d.look(ctx, path, "web", answer.access()), "caller_gone")
			}
			d.active("web", answer.access())
		})
	})
}

// 7009-2.2.1-01: where nothing is kept nothing can be taken back, and nobody is told that
// it can.
func TestWithoutRecordsThereIsNoRevocation(t *testing.T) {
	endpoint := keysEndpoint(t, tokenendpoint.StaticKeys{{ID: "k1", Alg: tokenendpoint.ES256, Signer: trialKey()}}, newKeysClock(keysStart))
	mux := http.NewServeMux()
	endpoint.Mount(mux)
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, revokeURL, strings.NewReader("token=x&client_id=reports&client_secret=secret"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	mux.ServeHTTP(w, r)
	if w.Code != http.StatusNotFound {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
	document := newKeysGet(mux, "/.well-known/oauth-authorization-server").Body.String()
	if strings.Contains(document, "revocation_endpoint") || !strings.Contains(document, `"introspection_endpoint":"https://shop.example/connect/introspect"`) {
		t.Errorf("the metadata is %s", document)
	}
}

// 7009-2-02, 7662-2-01: the endpoints are published where the issuer is, and where
// certificates are asked for.
func TestTheMetadataNamesWhereTokensAreLookedUp(t *testing.T) {
	d := newIntrospectionDesk(t, func(c *tokenendpoint.Config) { c.MTLSURL = "https://mtls.shop.example/" })
	document := newKeysGet(d.mux, "/.well-known/oauth-authorization-server").Body.String()
	for _, member := range []string{
		`"introspection_endpoint":"https://shop.example/connect/introspect"`,
		`"introspection_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post","private_key_jwt","tls_client_auth","self_signed_tls_client_auth"]`,
		`"introspection_endpoint_auth_signing_alg_values_supported":["`,
		`"revocation_endpoint":"https://shop.example/connect/revocation"`,
		`"revocation_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post","none","private_key_jwt","tls_client_auth","self_signed_tls_client_auth"]`,
		`"revocation_endpoint_auth_signing_alg_values_supported":["`,
		`"introspection_endpoint":"https://mtls.shop.example/connect/introspect"`,
		`"revocation_endpoint":"https://mtls.shop.example/connect/revocation"`,
	} {
		if !strings.Contains(document, member) {
			t.Errorf("the metadata has no %s: %s", member, document)
		}
	}
	if strings.Contains(document, "http://") {
		t.Errorf("the metadata is %s", document)
	}
}
