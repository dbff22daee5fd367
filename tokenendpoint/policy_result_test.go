package tokenendpoint_test

import (
	"context"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

func (tr *trial) grantAll(result tokenendpoint.Result) {
	tr.validate = func(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) { return &result, nil }
}

func TestScopesAndResourcesOfAResult(t *testing.T) {
	granted := func(scopes ...string) store.Grant { return store.Grant{Subject: "u1", Scopes: scopes} }
	tests := []struct {
		name     string
		asked    string
		result   tokenendpoint.Result
		scope    string
		audience any
	}{
		{"an empty result grants what was asked for", "scope=orders.read", tokenendpoint.Result{}, "orders.read", ordersAPI},
		{"an empty result grants a client that asked for nothing all its API scopes", "", tokenendpoint.Result{},
			"orders.read orders.write stock.read", []any{ordersAPI, stockAPI}},
		{"a token of a wider grant is narrowed to what was asked for", "scope=orders.read",
			tokenendpoint.Result{Grant: granted("stock.read", "orders.read")}, "orders.read", ordersAPI},
		{"a client that asked for nothing gets the grant whole", "",
			tokenendpoint.Result{Grant: granted("stock.read", "profile")}, "stock.read profile", stockAPI},
		{"scopes of the result are those of the token", "",
			tokenendpoint.Result{Grant: granted("orders.read", "stock.read"), Scopes: []string{"stock.read"}}, "stock.read", stockAPI},
		{"scopes of the result prevail over those asked for", "scope=orders.read",
			tokenendpoint.Result{Grant: granted("orders.read", "stock.read"), Scopes: []string{"stock.read"}}, "stock.read", stockAPI},
		{"a token is narrowed to the resource asked for", "resource=" + stockAPI, tokenendpoint.Result{}, "stock.read", stockAPI},
		{"resources of the grant are those of the token", "",
			tokenendpoint.Result{Grant: store.Grant{Resources: []string{stockAPI}}}, "stock.read", stockAPI},
		{"a token is narrowed to the one of the granted resources that was asked for", "resource=" + ordersAPI,
			tokenendpoint.Result{Grant: store.Grant{Resources: []string{stockAPI, ordersAPI}}}, "orders.read orders.write", ordersAPI},
		{"resources of the result prevail over those asked for", "resource=" + ordersAPI,
			tokenendpoint.Result{Grant: granted("orders.read", "stock.read"), Resources: []string{stockAPI}}, "stock.read", stockAPI},
		{"what a validator says twice is once in the token", "",
			tokenendpoint.Result{
				Grant: granted("orders.read", "stock.read"), Scopes: []string{"orders.read", "orders.read"}, Resources: []string{ordersAPI, ordersAPI},
			}, "orders.read", ordersAPI},
		{"what a grant says twice is once in the token", "",
			tokenendpoint.Result{Grant: store.Grant{Scopes: []string{"stock.read", "stock.read"}, Resources: []string{stockAPI, stockAPI}}},
			"stock.read", stockAPI},
		{"identity scopes stay, whatever the resource", "resource=" + stockAPI,
			tokenendpoint.Result{Grant: granted("orders.read", "profile", "stock.read", "offline_access")},
			"stock.read profile offline_access", stockAPI},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tr := newTrial(t)
			tr.grantAll(test.result)
			tr.issued(tr.ask(test.asked), test.scope, test.audience)
		})
	}
}

func TestAResultIsHeldToTheGrant(t *testing.T) {
	const (
		scopeRefused    = `{"error":"invalid_scope","error_description":"a scope was not granted"}`
		resourceRefused = `{"error":"invalid_target","error_description":"a resource was not granted"}`
		noScope         = `{"error":"invalid_target","error_description":"a resource belongs to none of the scopes"}`
	)
	tests := []struct {
		name   string
		asked  string
		result tokenendpoint.Result
		status int
		body   string
		reason tokenendpoint.Reason
	}{
		{"a scope that was asked for and not granted is refused", "scope=orders.read+stock.read",
			tokenendpoint.Result{Grant: store.Grant{Scopes: []string{"orders.read"}}}, 400, scopeRefused, tokenendpoint.ReasonScopeNotGranted},
		{"a scope of the result that was not granted is a mistake of the validator", "",
			tokenendpoint.Result{Grant: store.Grant{Scopes: []string{"orders.read"}}, Scopes: []string{"stock.read"}}, 500, faultServerError,
			tokenendpoint.ReasonGrantTooWide},
		{"an empty list of scopes is a mistake of the validator", "", tokenendpoint.Result{Scopes: []string{}}, 500, faultServerError,
			tokenendpoint.ReasonGrantTooWide},
		{"a grant of no scope is a mistake of the validator", "", tokenendpoint.Result{Grant: store.Grant{Scopes: []string{}}}, 500,
			faultServerError, tokenendpoint.ReasonGrantTooWide},
		{"a resource that was asked for and not granted is refused", "resource=" + stockAPI,
			tokenendpoint.Result{Grant: store.Grant{Resources: []string{ordersAPI}}}, 400, resourceRefused, tokenendpoint.ReasonResourceNotGranted},
		{"a resource of the result that was not granted is a mistake of the validator", "",
			tokenendpoint.Result{Grant: store.Grant{Resources: []string{ordersAPI}}, Resources: []string{stockAPI}}, 500, faultServerError,
			tokenendpoint.ReasonGrantTooWide},
		{"an empty list of resources is no way to say all", "",
			tokenendpoint.Result{Grant: store.Grant{Resources: []string{ordersAPI}}, Resources: []string{}}, 500, faultServerError,
			tokenendpoint.ReasonGrantTooWide},
		{"a granted resource that is not the client's is a mistake of the validator", "",
			tokenendpoint.Result{Grant: store.Grant{Resources: []string{ordersAPI, "https://admin.example"}}}, 500, faultServerError,
			tokenendpoint.ReasonGrantTooWide},
		{"so is one in the result alone", "", tokenendpoint.Result{Resources: []string{"https://admin.example"}}, 500, faultServerError,
			tokenendpoint.ReasonGrantTooWide},
		{"nor is an empty list of granted resources", "", tokenendpoint.Result{Grant: store.Grant{Resources: []string{}}}, 500, faultServerError,
			tokenendpoint.ReasonGrantTooWide},
		{"a resource without a granted scope is refused", "resource=" + stockAPI,
			tokenendpoint.Result{Grant: store.Grant{Scopes: []string{"orders.read"}}}, 400, noScope, tokenendpoint.ReasonResourceNoScope},
		{"a grant wider than the client is a mistake of the validator, even if less was asked for", "scope=orders.read",
			tokenendpoint.Result{Grant: store.Grant{Scopes: []string{"orders.read", "admin"}}}, 500, faultServerError, tokenendpoint.ReasonGrantTooWide},
		{"a grant is compared with the client by case", "",
			tokenendpoint.Result{Grant: store.Grant{Scopes: []string{"Orders.read"}}}, 500, faultServerError, tokenendpoint.ReasonGrantTooWide},
		{"a granted scope that the scope store does not know is a mistake of the validator", "",
			tokenendpoint.Result{Grant: store.Grant{Scopes: []string{"retired"}}}, 500, faultServerError, tokenendpoint.ReasonGrantTooWide},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tr := newTrial(t)
			tr.client.Scope += " retired"
			tr.grantAll(test.result)
			tr.refusal(tr.ask(test.asked), test.status, test.body)
			tr.equal("the reason", tr.event().Reason, test.reason)
		})
	}
}

func TestClaimsOfAResult(t *testing.T) {
	t.Run("claims of the grant prevail over the client's, and alter neither", func(t *testing.T) {
		tr := newTrial(t)
		tr.client.Claims = map[string]any{"shop": "north", "tier": 1}
		grant := store.Grant{Claims: map[string]any{"tier": 2, "desk": "d1"}}
		tr.grantAll(tokenendpoint.Result{Grant: grant})
		claims := tr.issued(tr.ask("scope=orders.read"), "orders.read", ordersAPI)
		tr.equal("shop", claims["shop"], "north")
		tr.equal("tier", claims["tier"], 2.0)
		tr.equal("desk", claims["desk"], "d1")
		tr.equal("the client's claims", tr.client.Claims, map[string]any{"shop": "north", "tier": 1})
		tr.equal("the grant's claims", grant.Claims, map[string]any{"tier": 2, "desk": "d1"})
	})
	t.Run("claims of the grant are there without the client's, and without a Policy", func(t *testing.T) {
		tr := newTrial(t, func(c *tokenendpoint.Config) { c.Policy = nil })
		tr.grantAll(tokenendpoint.Result{Grant: store.Grant{Claims: map[string]any{"desk": "d1"}}, Members: tokenendpoint.Members{"receipt": "r"}})
		answer := tr.ask("scope=orders.read")
		tr.equal("desk", tr.claims(answer)["desk"], "d1")
		tr.equal("receipt", answer.members["receipt"], "r")
	})
	// 9068-2.2-02: with a user and without. 9068-2.2.1-01, as far as a token is
	// issued: the values are those of the grant.
	t.Run("a user's grant puts the user and the authentication into the token", func(t *testing.T) {
		tr := newTrial(t)
		tr.grantAll(tokenendpoint.Result{Grant: store.Grant{
			Subject: "u\"1", AuthTime: trialNow.Add(-time.Hour), ACR: "urn:acr:2", AMR: []string{"pwd", "otp"},
		}})
		claims := tr.issued(tr.ask("scope=orders.read"), "orders.read", ordersAPI)
		tr.equal("sub", claims["sub"], `u"1`)
		tr.equal("client_id", claims["client_id"], "till")
		tr.equal("auth_time", claims["auth_time"], float64(trialNow.Unix()-3600))
		tr.equal("acr", claims["acr"], "urn:acr:2")
		tr.equal("amr", claims["amr"], []any{"pwd", "otp"})
	})
	t.Run("a client that acts for itself is the subject, and no authentication is made up", func(t *testing.T) {
		tr := newTrial(t)
		// What the client asks for proves nothing, and is in no token.
		answer := tr.send(tr.request("grant_type=client_credentials&scope=orders.read&acr_values=urn:acr:2+tenant:north+idp:corp"))
		claims := tr.issued(answer, "orders.read", ordersAPI)
		tr.equal("sub", claims["sub"], "till")
		tr.equal("the number of claims", len(claims), 9)
	})
}

// Identity scopes are about a user.
func TestIdentityScopes(t *testing.T) {
	for _, scope := range []string{"profile", "offline_access", "orders.read+profile"} {
		t.Run("a client that acts for itself has no use for "+scope, func(t *testing.T) {
			tr := newTrial(t)
			tr.refusal(tr.ask("scope="+scope), 400, `{"error":"invalid_scope","error_description":"a scope needs a user"}`)
			tr.equal("the reason", tr.event().Reason, tokenendpoint.ReasonIdentityScope)
		})
	}
	t.Run("with a user they are granted, and the audience is the issuer if no API is meant", func(t *testing.T) {
		tr := newTrial(t)
		tr.grantAll(tokenendpoint.Result{Grant: store.Grant{Subject: "u1"}})
		tr.issued(tr.ask("scope=profile+offline_access"), "profile offline_access", trialIssuer)
	})
	t.Run("even with a user they are not part of a default", func(t *testing.T) {
		tr := newTrial(t)
		tr.grantAll(tokenendpoint.Result{Grant: store.Grant{Subject: "u1"}})
		tr.issued(tr.ask(""), "orders.read orders.write stock.read", []any{ordersAPI, stockAPI})
	})
	// 6749-3.3-03
	t.Run("a client that has no other scope has no default", func(t *testing.T) {
		tr := newTrial(t)
		tr.client.Scope = "profile offline_access"
		tr.refusal(tr.ask(""), 400,
			`{"error":"invalid_scope","error_description":"no scope was asked for and the client has none by default"}`)
		tr.equal("the reason", tr.event().Reason, tokenendpoint.ReasonNoScope)
	})
}
