package tokenendpoint_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
)

// bothFormats runs a test for clients with JWTs and with opaque tokens.
func bothFormats(t *testing.T, test func(t *testing.T, d *introspectionDesk)) {
	for _, format := range []store.AccessTokenFormat{store.AccessTokenJWT, store.AccessTokenOpaque} {
		name := "a JWT"
		if format == store.AccessTokenOpaque {
			name = "an opaque token"
		}
		t.Run(name, func(t *testing.T) {
			d := newIntrospectionDesk(t)
			for _, id := range []string{"web", "till", "app"} {
				d.alter(id, func(c *store.Client) { c.AccessTokenFormat = format })
			}
			test(t, d)
		})
	}
}

// says compares what is said of a token, but for the members that are new each time and
// must be there.
func (d *introspectionDesk) says(got, want map[string]any, fresh ...string) {
	d.t.Helper()
	for _, name := range fresh {
		if text, _ := got[name].(string); len(text) < 22 {
			d.t.Errorf("%s is %v", name, got[name])
		}
		delete(got, name)
	}
	if !reflect.DeepEqual(got, want) {
		d.t.Errorf("introspection says\n%v, want\n%v", got, want)
	}
}

// 7662-2.2-01, 7662-2.2-05, 7662-5-01: these members and no other. The caller is not the
// client that the token was issued to.
// 6750-5.2-01, 6750-5.3-01: by default for an hour, and for the APIs of its scopes.
func TestWhatIsSaidOfAnAccessToken(t *testing.T) {
	bothFormats(t, func(t *testing.T, d *introspectionDesk) {
		now := float64(keysStart.Unix())
		d.run("of a user", func() {
			token := d.byCode("web").access()
			d.says(d.active("orders", token), map[string]any{
				"active": true, "iss": trialIssuer, "sub": "alice", "aud": ordersAPI, "client_id": "web", "exp": now + 3600, "iat": now, "nbf": now,
				"scope": "orders.read orders.write", "token_type": "Bearer",
			}, "jti", "grant_id")
		})
		d.run("of a client that acts for itself, for two APIs", func() {
			token := d.tokens("web", "client_credentials", "scope", "orders.read stock.read").access()
			want := map[string]any{
				"active": true, "iss": trialIssuer, "sub": "web", "aud": []any{ordersAPI, stockAPI}, "client_id": "web", "exp": now + 3600, "iat": now, "nbf": now,
				"scope": "orders.read", "token_type": "Bearer",
			}
			fresh := []string{"jti"}
			if opaqueShape.MatchString(token) {
				fresh = append(fresh, "grant_id") // where it is kept
			}
			d.says(d.active("orders", token), want, fresh...)
			want["scope"] = "stock.read"
			d.says(d.active("stock", token), want, fresh...)
			want["scope"] = "orders.read stock.read"
			d.says(d.active("web", token), want, fresh...)
		})
		d.run("with the claims of the client, the grant and the user", func() {
			d.alter("till", func(c *store.Client) {
				c.Claims = map[string]any{"tenant": "acme", "level": 9007199254740991, "tags": []string{"<a>", "b"}, "unset": nil}
			})
			token := d.byCode("till", func(g *store.Grant) {
				g.Claims = map[string]any{"act": map[string]any{"sub": "clerk", "act": map[string]any{"sub": "robot"}}}
				g.UserClaims = map[string]any{"branch": "north", "name": "Alice"}
				g.ACR, g.AMR, g.AuthTime = "urn:example:gold", []string{"pwd", "otp"}, keysStart.Add(-time.Minute)
			}).access()
			d.says(d.active("orders", token), map[string]any{
				"active": true, "iss": trialIssuer, "sub": "alice", "aud": ordersAPI, "client_id": "till", "exp": now + 3600, "iat": now, "nbf": now,
				"scope": "orders.read orders.write", "token_type": "Bearer", "auth_time": now - 60, "acr": "urn:example:gold", "amr": []any{"pwd", "otp"},
				"tenant": "acme", "level": 9007199254740991.0, "tags": []any{"<a>", "b"}, "branch": "north",
				"act": map[string]any{"sub": "clerk", "act": map[string]any{"sub": "robot"}},
			}, "jti", "grant_id")
		})
	})
}

// A claim by the name of a member of the answer's own does not count, nor does it stand there
// twice.
func TestWhatIsSaidIsNotAClaim(t *testing.T) {
	d := newIntrospectionDesk(t)
	for name, value := range map[string]any{"active": false, "token_type": "N_A"} {
		d.run(name, func() {
			for _, caller := range []string{"web", "orders"} {
				answer := d.introspect(caller, d.forger().set(name, value))
				if _, err := transcriptObject([]byte(answer.body)); err != nil || answer.members["active"] != true || answer.members["token_type"] != "Bearer" {
					d.t.Errorf("%s is answered %s: %v", caller, answer.body, err)
				}
			}
		})
	}
}

// 9449-6.2-01: the type is DPoP, cnf is at the top, and no proof is demanded. 8705-3.2-01.
func TestWhatIsSaidOfABoundToken(t *testing.T) {
	bothFormats(t, func(t *testing.T, d *introspectionDesk) {
		d.run("by a DPoP proof", func() {
			answer := d.send("web", d.redeeming("web"), d.key.proof())
			d.want(answer.deskAnswer, 200, "")
			d.equal("token_type of the answer", answer.text("token_type"), "DPoP")
			said := d.active("orders", answer.access())
			d.equal("token_type", said["token_type"], "DPoP")
			d.equal("cnf", said["cnf"], map[string]any{"jkt": d.key.jkt()})
		})
		d.run("by a certificate", func() {
			d.alter("till", func(c *store.Client) { c.TLSBoundAccessTokens = true })
			cert := certificateSelfSigned()
			desk := &certificateDesk{desk: d.desk, mux: d.mux}
			answer := desk.ask(unverified(cert), "till", "client_credentials", "scope", "orders.read")
			d.want(answer.deskAnswer, 200, "")
			said := d.active("orders", answer.text("access_token"))
			d.equal("token_type", said["token_type"], "Bearer")
			d.equal("cnf", said["cnf"], map[string]any{"x5t#S256": certificateThumbprint(cert)})
		})
	})
}

// RFC 7662 section 2.2: what a refresh token has of these members, to its own client.
func TestWhatIsSaidOfARefreshToken(t *testing.T) {
	now := float64(keysStart.Unix())
	want := func(client string) map[string]any {
		return map[string]any{
			"active": true, "iss": trialIssuer, "sub": "alice", "client_id": client, "exp": now + 30*24*3600, "iat": now,
			"scope": "openid profile orders.read orders.write",
		}
	}
	bothFormats(t, func(t *testing.T, d *introspectionDesk) {
		for _, client := range []string{"web", "till"} {
			token := d.byCode(client).refresh()
			d.says(d.active(client, token), want(client), "grant_id")
			d.alter(client, func(c *store.Client) { c.ProtectedResources = []string{ordersAPI} })
			d.says(d.active(client, token), want(client), "grant_id")
		}
		d.run("that is bound", func() {
			cert := certificateSelfSigned()
			byProof := d.send("app", d.redeeming("app"), d.key.proof())
			d.want(byProof.deskAnswer, 200, "")
			d.alter("app", func(c *store.Client) { c.TLSBoundAccessTokens = true })
			desk := &certificateDesk{desk: d.desk, mux: d.mux}
			byCertificate := desk.send(unverified(cert), "app", d.redeeming("app"))
			d.want(byCertificate.deskAnswer, 200, "")
			d.alter("app", func(c *store.Client) { // which has a secret from now on
				c.TLSBoundAccessTokens, c.AuthMethods, c.Secrets = false, nil, []store.Secret{{Hash: store.HashSecret(redeemSecret)}}
			})
			for token, cnf := range map[string]map[string]any{
				byProof.refresh(): {"jkt": d.key.jkt()}, byCertificate.refresh(): {"x5t#S256": certificateThumbprint(cert)},
			} {
				bound := want("app")
				bound["cnf"] = cnf
				d.says(d.active("app", token, "client_secret", redeemSecret), bound, "grant_id")
			}
		})
	})
}

// 7662-2.2-04: an API sees its own scopes, and none about the user; the client sees all of
// them. 7662-4-03: who may be sent a token may ask for it.
func TestAnAPISeesItsOwnScopes(t *testing.T) {
	bothFormats(t, func(t *testing.T, d *introspectionDesk) {
		d.clients.Put(store.Client{
			Metadata: store.Metadata{ID: "issuer"}, ProtectedResources: []string{"urn:example:other", trialIssuer},
			Secrets: []store.Secret{{Hash: store.HashSecret(redeemSecret)}},
		})
		all := []string{"openid", "profile", "orders.read", "stock.read", "status.read"}
		token := d.byCode("web", func(g *store.Grant) { g.Scopes = all }).access()
		for caller, scope := range map[string]any{
			"orders": "orders.read", "stock": "stock.read", "issuer": "status.read", "web": "openid profile orders.read stock.read status.read",
		} {
			d.equal("scope to "+caller, d.active(caller, token)["scope"], scope)
		}
		d.run("no scope is said to be none", func() {
			d.alter("stock", func(c *store.Client) { c.ProtectedResources = []string{ordersAPI} })
			token := d.byCode("web", func(g *store.Grant) { g.Scopes = []string{"orders.read"} }).access()
			if said := d.active("stock", token); said["scope"] != "orders.read" {
				d.t.Errorf("%v", said)
			}
			only := d.byCode("web", func(g *store.Grant) { g.Scopes = []string{"openid", "profile"} }).access()
			if said := d.active("issuer", only); said["aud"] != trialIssuer {
				d.t.Errorf("%v", said)
			} else if said["scope"] != "" {
				d.t.Errorf("%v", said)
			}
		})
	})
}
