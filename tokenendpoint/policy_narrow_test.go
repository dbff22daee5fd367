package tokenendpoint_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/tokenendpoint"
)

// trialPolicy sets a policy that returns no error.
func (tr *trial) trialPolicy(change func(*tokenendpoint.Token)) {
	tr.policy = func(_ context.Context, _ *tokenendpoint.Request, token *tokenendpoint.Token) error {
		change(token)
		return nil
	}
}

// withoutNames returns names but for some.
func withoutNames(names []string, some ...string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(some, name) })
}

// issued checks what a token is good for: the scope of the response and of the
// token are the same, and the audience is exact.
func (tr *trial) issued(answer trialAnswer, scope string, audience any) map[string]any {
	tr.t.Helper()
	if answer.status != http.StatusOK {
		tr.t.Fatalf("answered %d %s", answer.status, answer.body)
	}
	claims := tr.claims(answer)
	tr.equal("the response's scope", answer.members["scope"], scope)
	tr.equal("the token's scope", claims["scope"], scope)
	tr.equal("aud", claims["aud"], audience)
	return claims
}

// 6749-3.3-02, 6749-5.1-05: what was narrowed is told exactly.
func TestPolicyNarrows(t *testing.T) {
	tests := []struct {
		name     string
		asked    string
		policy   func(*tokenendpoint.Token)
		scope    string
		audience any
	}{
		{"nothing, so that the token is as it was asked for", "scope=stock.read+orders.read",
			func(*tokenendpoint.Token) {}, "stock.read orders.read", []any{ordersAPI, stockAPI}},
		{"a scope that was asked for, and with it the default audience", "scope=orders.read+stock.read",
			func(token *tokenendpoint.Token) { token.Scopes = withoutNames(token.Scopes, "stock.read") }, "orders.read", ordersAPI},
		{"a scope in place", "scope=orders.read+stock.read",
			func(token *tokenendpoint.Token) {
				token.Scopes = slices.DeleteFunc(token.Scopes, func(s string) bool { return s == "orders.read" })
			}, "stock.read", stockAPI},
		{"a scope of the default", "",
			func(token *tokenendpoint.Token) {
				token.Scopes = withoutNames(token.Scopes, "orders.read", "orders.write")
			}, "stock.read", stockAPI},
		{"a scope whose resource was asked for, and so the resource", "scope=orders.read+stock.read&resource=" + ordersAPI + "&resource=" + stockAPI,
			func(token *tokenendpoint.Token) { token.Scopes = withoutNames(token.Scopes, "orders.read") }, "stock.read", stockAPI},
		{"a resource that was asked for, and so the scopes that only it understands", "resource=" + ordersAPI + "&resource=" + stockAPI,
			func(token *tokenendpoint.Token) { token.Resources = withoutNames(token.Resources, stockAPI) }, "orders.read orders.write", ordersAPI},
		{"the default audience, and so the scopes", "",
			func(token *tokenendpoint.Token) { token.Resources = []string{stockAPI} }, "stock.read", stockAPI},
		{"a resource and a scope at once", "resource=" + ordersAPI + "&resource=" + stockAPI,
			func(token *tokenendpoint.Token) {
				token.Resources, token.Scopes = withoutNames(token.Resources, stockAPI), withoutNames(token.Scopes, "orders.write")
			}, "orders.read", ordersAPI},
	}
	for _, test := range tests {
		t.Run("Policy may take away "+test.name, func(t *testing.T) {
			tr := newTrial(t)
			tr.trialPolicy(test.policy)
			tr.issued(tr.ask(test.asked), test.scope, test.audience)
			tr.equal("Event.Scopes", strings.Join(tr.event().Scopes, " "), test.scope)
		})
	}
}

func TestPolicyShortens(t *testing.T) {
	tests := []struct {
		name     string
		client   time.Duration
		lifetime time.Duration
		want     float64
	}{
		{"the default of an hour to a minute", 0, time.Minute, 60},
		{"the client's lifetime", 10 * time.Minute, 9 * time.Minute, 540},
		{"it to one second", 0, time.Second, 1},
		{"it to whole seconds, rounded down", 0, 1999 * time.Millisecond, 1},
		{"nothing, by setting what is there", 10 * time.Minute, 10 * time.Minute, 600},
		{"nothing, by a fraction of a second that is rounded away", 0, time.Hour + 999*time.Millisecond, 3600},
	}
	for _, test := range tests {
		// 6749-5.1-04, as seen in the token.
		t.Run("Policy may shorten "+test.name+", in the token and in the response", func(t *testing.T) {
			tr := newTrial(t)
			tr.client.AccessTokenLifetime = test.client
			tr.trialPolicy(func(token *tokenendpoint.Token) { token.Lifetime = test.lifetime })
			answer := tr.ask("scope=orders.read")
			claims := tr.claims(answer)
			tr.equal("expires_in", answer.members["expires_in"], test.want)
			tr.equal("exp", claims["exp"], float64(trialNow.Unix())+test.want)
			tr.equal("iat", claims["iat"], float64(trialNow.Unix()))
		})
	}
}

func TestPolicyAdds(t *testing.T) {
	t.Run("Policy may add and change claims and members", func(t *testing.T) {
		tr := newTrial(t)
		tr.client.Claims = map[string]any{"shop": "north", "tier": 1, "gone": true}
		tr.validate = func(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) {
			return &tokenendpoint.Result{Members: tokenendpoint.Members{"receipt": "r1", "hint": "h"}}, nil
		}
		tr.trialPolicy(func(token *tokenendpoint.Token) {
			token.Claims["tier"], token.Claims["tenant"], token.Claims["unset"] = 2, "blue", nil
			delete(token.Claims, "gone")
			token.Members["receipt"], token.Members["issued_token_type"], token.Members["hint"] = "r2", "urn:x", nil
		})
		answer := tr.ask("scope=orders.read")
		claims := tr.issued(answer, "orders.read", ordersAPI)
		delete(claims, "jti")
		delete(answer.members, "access_token")
		now := float64(trialNow.Unix())
		tr.equal("the token", claims, map[string]any{
			"iss": trialIssuer, "sub": "till", "aud": ordersAPI, "client_id": "till", "scope": "orders.read",
			"exp": now + 3600, "iat": now, "nbf": now, "shop": "north", "tier": 2.0, "tenant": "blue",
		})
		tr.equal("the response", answer.members, map[string]any{
			"token_type": "Bearer", "expires_in": 3600.0, "scope": "orders.read", "receipt": "r2", "issued_token_type": "urn:x",
		})
	})
	t.Run("the maps are there to be written to, whatever client and grant hold", func(t *testing.T) {
		tr := newTrial(t)
		tr.trialPolicy(func(token *tokenendpoint.Token) { token.Claims["tenant"], token.Members["receipt"] = "blue", "r" })
		answer := tr.ask("scope=orders.read")
		tr.equal("tenant", tr.claims(answer)["tenant"], "blue")
		tr.equal("receipt", answer.members["receipt"], "r")
	})
	t.Run("maps that Policy sets to nil add nothing and never panic", func(t *testing.T) {
		tr := newTrial(t)
		tr.client.Claims = map[string]any{"shop": "north"}
		tr.trialPolicy(func(token *tokenendpoint.Token) { token.Claims, token.Members = nil, nil })
		claims := tr.issued(tr.ask("scope=orders.read"), "orders.read", ordersAPI)
		if _, ok := claims["shop"]; ok {
			t.Error("a claim that Policy took away is there")
		}
	})
	t.Run("names and values may hold whatever JSON can say", func(t *testing.T) {
		tr := newTrial(t)
		odd := map[string]any{"a\"b\\c": "</script>\x00\u00e9", "list": []any{1.5, false}, "": map[string]any{"deep": "x"}}
		tr.trialPolicy(func(token *tokenendpoint.Token) {
			for name, value := range odd {
				token.Claims[name], token.Members[name] = value, value
			}
		})
		answer := tr.ask("scope=orders.read")
		claims := tr.claims(answer)
		for name, value := range odd {
			tr.equal("the claim "+name, claims[name], value)
			tr.equal("the member "+name, answer.members[name], value)
		}
	})
}
