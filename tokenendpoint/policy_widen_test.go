package tokenendpoint_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// checkMistake checks that a mistake of the host is a bare server_error whose
// reason is in the event and whose words are in the log.
func checkMistake(tr *trial, answer trialAnswer, reason tokenendpoint.Reason, words string) {
	tr.t.Helper()
	tr.refusal(answer, 500, faultServerError)
	tr.equal("the reason", tr.event().Reason, reason)
	if log := tr.log.String(); !strings.Contains(log, words) {
		tr.t.Errorf("the log does not say %s: %s", words, log)
	}
}

func TestPolicyCannotWiden(t *testing.T) {
	const both = "scope=orders.read+stock.read&resource=" + ordersAPI + "&resource=" + stockAPI
	tests := []struct {
		name   string
		asked  string
		policy func(*tokenendpoint.Token)
	}{
		{"add a scope that the client may have but did not ask for", "scope=orders.read",
			func(token *tokenendpoint.Token) { token.Scopes = append(token.Scopes, "orders.write") }},
		{"add a scope that nobody knows", "", func(token *tokenendpoint.Token) { token.Scopes = append(token.Scopes, "admin") }},
		{"exchange a scope for another", "scope=orders.read", func(token *tokenendpoint.Token) { token.Scopes[0] = "orders.write" }},
		{"exchange a scope by its case", "scope=orders.read", func(token *tokenendpoint.Token) { token.Scopes[0] = "Orders.read" }},
		{"add an identity scope, by the default", "", func(token *tokenendpoint.Token) { token.Scopes = append(token.Scopes, "profile") }},
		{"add a resource to those asked for", "resource=" + ordersAPI,
			func(token *tokenendpoint.Token) { token.Resources = append(token.Resources, stockAPI) }},
		{"exchange a resource for another", both, func(token *tokenendpoint.Token) { token.Resources[0] = "https://admin.example" }},
		{"take away every resource that was asked for, which would be the default again", both,
			func(token *tokenendpoint.Token) { token.Resources = nil }},
		{"take away every resource in place", both, func(token *tokenendpoint.Token) { token.Resources = token.Resources[:0] }},
		{"lengthen the lifetime by a second", "", func(token *tokenendpoint.Token) { token.Lifetime += time.Second }},
		{"name a resource that no scope belongs to, if none was asked for", "scope=orders.read",
			func(token *tokenendpoint.Token) { token.Resources = []string{"https://admin.example"} }},
		{"name a resource of a scope that the token does not have", "scope=orders.read",
			func(token *tokenendpoint.Token) { token.Resources = []string{ordersAPI, stockAPI} }},
		{"leave an empty list of resources, if none was asked for", "scope=orders.read",
			func(token *tokenendpoint.Token) { token.Resources = []string{} }},
		{"take what it adds from the Grant", "scope=orders.read", func(token *tokenendpoint.Token) {
			token.Grant.Scopes[0], token.Scopes[0] = "admin", "admin"
		}},
		{"take away every scope", "", func(token *tokenendpoint.Token) { token.Scopes = nil }},
		{"take away every scope in place", "", func(token *tokenendpoint.Token) { token.Scopes = token.Scopes[:0] }},
		{"leave no lifetime", "", func(token *tokenendpoint.Token) { token.Lifetime = 0 }},
		{"leave less than a second", "", func(token *tokenendpoint.Token) { token.Lifetime = 999 * time.Millisecond }},
		{"leave a negative lifetime", "", func(token *tokenendpoint.Token) { token.Lifetime = -time.Hour }},
	}
	for _, test := range tests {
		t.Run("Policy cannot "+test.name, func(t *testing.T) {
			tr := newTrial(t)
			tr.trialPolicy(test.policy)
			checkMistake(tr, tr.ask(test.asked), tokenendpoint.ReasonPolicyTooWide, "Config.Policy")
		})
	}
	t.Run("Policy cannot lengthen the client's own lifetime to the default", func(t *testing.T) {
		tr := newTrial(t)
		tr.client.AccessTokenLifetime = time.Minute
		tr.trialPolicy(func(token *tokenendpoint.Token) { token.Lifetime = time.Hour })
		checkMistake(tr, tr.ask(""), tokenendpoint.ReasonPolicyTooWide, "Config.Policy")
	})
}

// The names that only the endpoint writes, as the documentation lists them.
var (
	trialReservedClaims = []string{
		"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "scope", "auth_time", "acr", "amr", "cnf", "grant_id",
		"active", "token_type",
	}
	trialReservedMembers = []string{
		"access_token", "token_type", "expires_in", "refresh_token", "id_token", "scope", "error", "error_description", "error_uri",
	}
)

func TestReservedNames(t *testing.T) {
	setClaims := map[string]func(tr *trial, claims map[string]any){
		"Policy": func(tr *trial, claims map[string]any) {
			tr.trialPolicy(func(token *tokenendpoint.Token) { token.Claims = claims })
		},
		"the client": func(tr *trial, claims map[string]any) { tr.client.Claims = claims },
		"the grant": func(tr *trial, claims map[string]any) {
			tr.validate = func(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) {
				result := new(tokenendpoint.Result)
				result.Grant.Claims = claims
				return result, nil
			}
		},
	}
	for by, set := range setClaims {
		t.Run("a claim of the endpoint's own cannot be set by "+by, func(t *testing.T) {
			for _, name := range trialReservedClaims {
				for _, name := range []string{name, strings.ToUpper(name)} { // some readers of JSON ignore case
					tr := newTrial(t)
					set(tr, map[string]any{name: nil})
					checkMistake(tr, tr.ask(""), tokenendpoint.ReasonReservedName, `claim \"`+name+`\"`)
				}
				if !tokenendpoint.IsReservedClaim(name) {
					t.Errorf("IsReservedClaim denies %q", name)
				}
			}
		})
		t.Run("a claim that JSON cannot say is named, if set by "+by, func(t *testing.T) {
			for _, value := range []any{func() {}, make(chan int), map[string]any{"deep": complex(1, 1)}} {
				tr := newTrial(t)
				set(tr, map[string]any{"tenant": value})
				checkMistake(tr, tr.ask(""), tokenendpoint.ReasonUnencodable, `claim \"tenant\"`)
			}
			tr := newTrial(t)
			set(tr, map[string]any{"tenant\xff": "x"})
			checkMistake(tr, tr.ask(""), tokenendpoint.ReasonUnencodable, "the name is not UTF-8")
		})
	}
	setMembers := map[string]func(tr *trial, members tokenendpoint.Members){
		"Policy": func(tr *trial, members tokenendpoint.Members) {
			tr.trialPolicy(func(token *tokenendpoint.Token) { token.Members = members })
		},
		"a validator": func(tr *trial, members tokenendpoint.Members) {
			tr.validate = func(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) {
				return &tokenendpoint.Result{Members: members}, nil
			}
		},
	}
	for by, set := range setMembers {
		t.Run("a member of the endpoint's own cannot be set by "+by, func(t *testing.T) {
			for _, name := range trialReservedMembers {
				for _, name := range []string{name, strings.ToUpper(name)} {
					tr := newTrial(t)
					set(tr, tokenendpoint.Members{name: "x"})
					checkMistake(tr, tr.ask(""), tokenendpoint.ReasonReservedName, `member \"`+name+`\"`)
				}
			}
		})
		t.Run("a member that JSON cannot say is named, if set by "+by, func(t *testing.T) {
			tr := newTrial(t)
			set(tr, tokenendpoint.Members{"receipt": func() {}})
			checkMistake(tr, tr.ask(""), tokenendpoint.ReasonUnencodable, `member \"receipt\"`)
		})
	}
	t.Run("IsReservedClaim denies other names", func(t *testing.T) {
		for _, name := range []string{"", "tenant", "token_types", "isss", "is"} {
			if tokenendpoint.IsReservedClaim(name) {
				t.Errorf("%q is reserved", name)
			}
		}
	})
	t.Run("a claim may have a member's reserved name, and the other way round", func(t *testing.T) {
		tr := newTrial(t)
		tr.trialPolicy(func(token *tokenendpoint.Token) {
			for _, name := range trialReservedMembers {
				if !slices.Contains(trialReservedClaims, name) {
					token.Claims[name] = name
				}
			}
			for _, name := range trialReservedClaims {
				if !slices.Contains(trialReservedMembers, name) {
					token.Members[name] = name
				}
			}
		})
		answer := tr.ask("")
		tr.equal("the claim refresh_token", tr.claims(answer)["refresh_token"], "refresh_token")
		tr.equal("the member sub", answer.members["sub"], "sub")
	})
}

func TestPolicyRefuses(t *testing.T) {
	t.Run("a resource whose last scope Policy took is refused, and not replaced by the default", func(t *testing.T) {
		tr := newTrial(t)
		tr.grantAll(tokenendpoint.Result{Grant: store.Grant{Subject: "u1"}})
		tr.trialPolicy(func(token *tokenendpoint.Token) { token.Scopes = []string{"profile"} })
		tr.refusal(tr.ask("scope=orders.read+profile&resource="+ordersAPI), 400,
			`{"error":"invalid_target","error_description":"a resource belongs to none of the scopes"}`)
	})
	t.Run("Policy may refuse by a code", func(t *testing.T) {
		tr := newTrial(t)
		tr.policy = func(context.Context, *tokenendpoint.Request, *tokenendpoint.Token) error {
			return tokenendpoint.AccessDenied
		}
		tr.refusal(tr.ask(""), 400, `{"error":"access_denied"}`)
		tr.equal("the reason", tr.event().Reason, tokenendpoint.Reason("access_denied"))
	})
	t.Run("Policy may refuse by an Error", func(t *testing.T) {
		tr := newTrial(t)
		tr.policy = func(context.Context, *tokenendpoint.Request, *tokenendpoint.Token) error {
			return &tokenendpoint.Error{Code: tokenendpoint.InvalidScope, Reason: "after_hours", Description: "the shop is closed"}
		}
		tr.refusal(tr.ask(""), 400, `{"error":"invalid_scope","error_description":"the shop is closed"}`)
		tr.equal("the reason", tr.event().Reason, tokenendpoint.Reason("after_hours"))
	})
	t.Run("what Policy did before it refused is of no consequence", func(t *testing.T) {
		tr := newTrial(t)
		tr.policy = func(_ context.Context, _ *tokenendpoint.Request, token *tokenendpoint.Token) error {
			token.Scopes, token.Claims["iss"] = nil, "x"
			return tokenendpoint.InvalidTarget
		}
		tr.refusal(tr.ask(""), 400, `{"error":"invalid_target"}`)
	})
}
