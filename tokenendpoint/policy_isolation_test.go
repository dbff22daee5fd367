package tokenendpoint_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

func TestPolicyIsCalledOnceAndLast(t *testing.T) {
	calls := 0
	count := func(tr *trial) {
		calls = 0
		tr.policy = func(context.Context, *tokenendpoint.Request, *tokenendpoint.Token) error { calls++; return nil }
	}
	refused := []struct {
		name string
		arm  func(*trial)
		form string
	}{
		{"the credentials are wrong", func(tr *trial) { tr.secret = "wrong" }, "grant_type=" + trialGrant},
		{"the grant type is unknown", func(*trial) {}, "grant_type=password"},
		{"the client may not use the grant type", func(tr *trial) { tr.client.GrantTypes = nil }, "grant_type=" + trialGrant},
		{"a scope is not the client's", func(*trial) {}, "scope=admin&grant_type=" + trialGrant},
		{"a resource is not the client's", func(*trial) {}, "resource=https://admin.example&grant_type=" + trialGrant},
		{"acr_values are malformed", func(*trial) {}, "acr_values=tenant:&grant_type=" + trialGrant},
		{"the validator refused", func(tr *trial) { tr.refuseBy(tokenendpoint.InvalidGrant) }, "grant_type=" + trialGrant},
		{"the validator granted too much", func(tr *trial) {
			tr.validate = func(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) {
				return &tokenendpoint.Result{Grant: store.Grant{Scopes: []string{"admin"}}}, nil
			}
		}, "grant_type=" + trialGrant},
		{"a scope was not granted", func(tr *trial) {
			tr.validate = func(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) {
				return &tokenendpoint.Result{Grant: store.Grant{Scopes: []string{"stock.read"}}}, nil
			}
		}, "scope=orders.read&grant_type=" + trialGrant},
	}
	for _, test := range refused {
		t.Run("Policy is not called if "+test.name, func(t *testing.T) {
			tr := newTrial(t)
			count(tr)
			test.arm(tr)
			if answer := tr.send(tr.request(test.form)); answer.status < 400 || answer.status == http.StatusServiceUnavailable {
				t.Errorf("answered %d %s", answer.status, answer.body)
			}
			tr.equal("the number of calls", calls, 0)
		})
	}
	t.Run("Policy is called once for a token, and before it is signed", func(t *testing.T) {
		tr := newTrial(t)
		count(tr)
		tr.keys = func(context.Context) ([]tokenendpoint.Key, error) {
			tr.equal("the number of calls when the key is asked for", calls, 1)
			return nil, errFaultCanary
		}
		tr.refusal(tr.ask(""), 503, faultUnavailable)
		tr.equal("the number of calls", calls, 1)
	})
	t.Run("Policy sees the request, the grant and the token as it would be issued", func(t *testing.T) {
		tr := newTrial(t)
		tr.client.AccessTokenLifetime = 90 * time.Second
		tr.client.Claims = map[string]any{"shop": "north"}
		tr.client.IdentityProviders = []string{"corp"}
		grant := store.Grant{Subject: "u1", Scopes: []string{"orders.read", "stock.read"}, ACR: "gold"}
		tr.validate = func(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) {
			return &tokenendpoint.Result{Grant: grant, Members: tokenendpoint.Members{"receipt": "r"}}, nil
		}
		tr.policy = func(_ context.Context, req *tokenendpoint.Request, token *tokenendpoint.Token) error {
			tr.equal("the client", req.Client, tr.client)
			tr.equal("the issuer", req.Issuer, trialIssuer)
			tr.equal("the grant type", req.GrantType, trialGrant)
			tr.equal("what was asked", req.Scopes, []string{"stock.read"})
			tr.equal("the resources asked for", req.Resources, []string{stockAPI})
			tr.equal("the acr values", req.ACRValues, []string{"gold"})
			tr.equal("the tenant", req.Tenant, "north")
			tr.equal("the identity provider", req.IdP, "corp")
			tr.equal("the parameter", req.Form.Get("ticket"), "t1")
			whole := grant
			whole.Issuer, whole.ClientID = trialIssuer, tr.client.ID
			tr.equal("the grant", token.Grant, whole)
			tr.equal("the token's scopes", token.Scopes, []string{"stock.read"})
			tr.equal("the token's resources", token.Resources, []string{stockAPI})
			tr.equal("the token's lifetime", token.Lifetime, 90*time.Second)
			tr.equal("the token's claims", token.Claims, map[string]any{"shop": "north"})
			tr.equal("the members", token.Members, tokenendpoint.Members{"receipt": "r"})
			return nil
		}
		tr.equal("the status", tr.ask("scope=stock.read&ticket=t1&acr_values=gold+tenant:north+idp:corp&resource="+stockAPI).status, http.StatusOK)
	})
}

func TestPolicyLeavesNoTrace(t *testing.T) {
	t.Run("another Grant in its place changes nothing", func(t *testing.T) {
		tr := newTrial(t)
		tr.validate = func(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) {
			return &tokenendpoint.Result{Grant: store.Grant{
				Subject: "u1", Scopes: []string{"orders.read"}, AuthTime: trialNow, ACR: "gold", AMR: []string{"pwd"},
			}}, nil
		}
		tr.trialPolicy(func(token *tokenendpoint.Token) {
			token.Grant = store.Grant{
				Subject: "root", Scopes: []string{"admin"}, Resources: []string{stockAPI}, AuthTime: trialNow.Add(time.Hour),
				ACR: "platinum", AMR: []string{"hwk"}, Claims: map[string]any{"role": "admin"},
			}
		})
		claims := tr.issued(tr.ask(""), "orders.read", ordersAPI)
		tr.equal("sub", claims["sub"], "u1")
		tr.equal("acr", claims["acr"], "gold")
		tr.equal("amr", claims["amr"], []any{"pwd"})
		tr.equal("auth_time", claims["auth_time"], float64(trialNow.Unix()))
		tr.equal("role", claims["role"], nil)
	})
	t.Run("what it does to the Grant in place changes nothing, now and for the next request", func(t *testing.T) {
		tr := newTrial(t)
		result := &tokenendpoint.Result{Grant: store.Grant{
			Subject: "u1", Scopes: []string{"orders.read", "stock.read"}, Resources: []string{ordersAPI, stockAPI},
			AMR: []string{"pwd"}, Claims: map[string]any{"desk": "d1"},
		}}
		tr.validate = func(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) { return result, nil }
		tr.trialPolicy(func(token *tokenendpoint.Token) {
			clear(token.Grant.Scopes)
			clear(token.Grant.Resources)
			clear(token.Grant.AMR)
			clear(token.Grant.Claims)
		})
		for range 2 {
			claims := tr.issued(tr.ask(""), "orders.read stock.read", []any{ordersAPI, stockAPI})
			tr.equal("amr", claims["amr"], []any{"pwd"})
			tr.equal("desk", claims["desk"], "d1")
		}
	})
	t.Run("what was asked for is not its to change by way of the token", func(t *testing.T) {
		tr := newTrial(t)
		tr.policy = func(_ context.Context, req *tokenendpoint.Request, token *tokenendpoint.Token) error {
			token.Scopes, token.Resources = token.Scopes[:1], token.Resources[:1]
			token.Scopes[0], token.Resources[0] = "stock.read", stockAPI
			tr.equal("the request's scopes", req.Scopes, []string{"orders.read", "stock.read"})
			tr.equal("the request's resources", req.Resources, []string{ordersAPI, stockAPI})
			return nil
		}
		tr.issued(tr.ask("scope=orders.read+stock.read&resource="+ordersAPI+"&resource="+stockAPI), "stock.read", stockAPI)
	})
	// The store's Client and a validator's Result may be shared by all requests.
	t.Run("its claims and members do not reach the store, the validator or the next request", func(t *testing.T) {
		for _, grantClaims := range []map[string]any{nil, {"desk": "d1"}} {
			tr := newTrial(t)
			tr.client.Claims = map[string]any{"shop": "north"}
			result := &tokenendpoint.Result{
				Grant: store.Grant{Claims: grantClaims}, Members: tokenendpoint.Members{"receipt": "r1"},
				Scopes: []string{"orders.read", "stock.read"}, Resources: []string{ordersAPI, stockAPI},
			}
			tr.validate = func(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) { return result, nil }
			tr.trialPolicy(func(token *tokenendpoint.Token) {
				delete(token.Claims, "shop")
				token.Claims["tenant"], token.Members["extra"], token.Members["receipt"] = "blue", true, "r2"
				token.Scopes[0], token.Resources[0] = "stock.read", stockAPI
				token.Scopes, token.Resources = token.Scopes[:1], token.Resources[:1]
			})
			tr.issued(tr.ask(""), "stock.read", stockAPI)
			tr.equal("the client's claims", tr.client.Claims, map[string]any{"shop": "north"})
			tr.equal("the result", *result, tokenendpoint.Result{
				Grant: store.Grant{Claims: grantClaims}, Members: tokenendpoint.Members{"receipt": "r1"},
				Scopes: []string{"orders.read", "stock.read"}, Resources: []string{ordersAPI, stockAPI},
			})
			tr.trialPolicy(func(*tokenendpoint.Token) {})
			answer := tr.ask("")
			claims := tr.issued(answer, "orders.read stock.read", []any{ordersAPI, stockAPI})
			tr.equal("the next token's shop", claims["shop"], "north")
			tr.equal("the next token's tenant", claims["tenant"], nil)
			tr.equal("the next answer's extra", answer.members["extra"], nil)
			tr.equal("the next answer's receipt", answer.members["receipt"], "r1")
		}
	})
}
