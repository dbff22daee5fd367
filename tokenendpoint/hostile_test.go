package tokenendpoint_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// trialLint returns the subjects of lints of one code.
func (tr *trial) trialLint(code string) (messages []string) {
	for _, lint := range tr.endpoint.Lints() {
		if lint.Code == code {
			messages = append(messages, lint.Message)
		}
	}
	return messages
}

// A client's scopes may have been registered by the client itself.
func TestScopesThatAreNoScopeTokensAreNeverGiven(t *testing.T) {
	for _, name := range []string{`x","sub":"admin","z":"`, "a\x01b", `a\b`, "é"} {
		tr := newTrial(t)
		tr.client.Scope = "orders.read " + name
		tr.scopes = func(_ context.Context, names []string) ([]store.Scope, error) {
			return []store.Scope{{Name: "orders.read"}, {Name: name}}, nil
		}
		answer := tr.ask("")
		tr.equal("the scope", answer.members["scope"], "orders.read")
		claims := tr.claims(answer)
		tr.equal("the scope claim", claims["scope"], "orders.read")
		tr.equal("sub", claims["sub"], "till")
		if len(tr.trialLint(tokenendpoint.LintScopeUnusable)) != 1 {
			t.Errorf("%q is not linted: %v", name, tr.endpoint.Lints())
		}
	}
}

// Whoever hangs up while being refused has guessed all the same (6749-2.3.1-05).
func TestAGuessIsCountedEvenIfTheCallerHangsUp(t *testing.T) {
	tr := newTrial(t)
	tr.secret = "wrong"
	ctx, hangUp := context.WithCancel(t.Context())
	found := tr.clients
	tr.clients = func(ctx context.Context, id string) (*store.Client, error) {
		defer hangUp()
		return found(ctx, id)
	}
	counted := 0
	tr.failed = func(ctx context.Context, _ tokenendpoint.Attempt) error {
		counted++
		return ctx.Err()
	}
	tr.send(tr.request("grant_type=" + trialGrant).WithContext(ctx))
	if counted != 1 {
		t.Errorf("counted %d times", counted)
	}
	if event := tr.event(); event.Reason != tokenendpoint.ReasonSecretMismatch || event.Status != http.StatusUnauthorized {
		t.Errorf("the event says %s, %d", event.Reason, event.Status)
	}
}

// X-CT-02: a fast reference beside slow secrets would let time tell.
func TestAFastReferenceBesideSlowSecretsIsLinted(t *testing.T) {
	const slow = "$2b$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
	for reference, lints := range map[string]int{"": 1, slow: 0} {
		tr := newTrial(t, func(c *tokenendpoint.Config) { c.ReferenceHash = reference })
		tr.client.Secrets = append(tr.client.Secrets, store.Secret{Hash: slow})
		tr.ask("scope=orders.read")
		if got := tr.trialLint(tokenendpoint.LintReferenceHash); len(got) != lints {
			t.Errorf("with reference %q: %q", reference, got)
		}
	}
}

func TestALifetimeThatTheKeyCutsIsLinted(t *testing.T) {
	tr := newTrial(t)
	tr.keys = func(context.Context) ([]tokenendpoint.Key, error) {
		return []tokenendpoint.Key{{ID: "k1", Alg: tokenendpoint.ES256, Signer: trialSigner{tr}, PublishUntil: trialNow.Add(10 * time.Minute)}}, nil
	}
	tr.equal("expires_in", tr.ask("scope=orders.read").members["expires_in"], 600.0)
	if got := tr.trialLint(tokenendpoint.LintLifetimeCut); len(got) != 1 || !strings.Contains(got[0], `"k1"`) {
		t.Errorf("the lints are %q", got)
	}
}

// Some readers of JSON ignore case and take the last of two members.
func TestReservedNamesAreReservedInAnyCase(t *testing.T) {
	for _, name := range []string{"Scope", "SUB", "\u017fub", "Client_ID"} {
		tr := newTrial(t)
		tr.client.Claims = map[string]any{name: "admin"}
		tr.refusal(tr.ask("scope=orders.read"), 500, `{"error":"server_error"}`)
		tr.equal("the reason", tr.event().Reason, tokenendpoint.ReasonReservedName)
	}
}

// A hook's mistake must not become a cut connection.
func TestErrorsThatAreThemselvesBrokenAreServerErrors(t *testing.T) {
	var none *tokenendpoint.Error
	for name, err := range map[string]error{
		"a nil *Error":           none,
		"a wrapped nil *Error":   errors.Join(none),
		"an Error without Code":  &tokenendpoint.Error{},
		"an empty ErrorCode":     tokenendpoint.ErrorCode(""),
		"an Unwrap that panics":  trialBadError{},
		"a nil *Error in a list": errors.Join(errors.New("first"), none),
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTrial(t)
			tr.validate = func(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) { return nil, err }
			tr.refusal(tr.ask("scope=orders.read"), 500, `{"error":"server_error"}`)
			tr.event()
		})
	}
}

type trialBadError struct{}

func (trialBadError) Error() string { return "bad" }
func (trialBadError) Unwrap() error { panic("bad") }

// Two answers for one request would be two places that can disagree.
func TestAScopeThatIsRegisteredOrReturnedTwiceIsGivenOnce(t *testing.T) {
	tr := newTrial(t)
	tr.client.Scope = "orders.read orders.read stock.read orders.read"
	tr.equal("the default", tr.ask("").members["scope"], "orders.read stock.read")
	tr.validate = func(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) {
		return &tokenendpoint.Result{Scopes: []string{"stock.read", "stock.read"}, Resources: []string{stockAPI, stockAPI}}, nil
	}
	answer := tr.ask("")
	tr.equal("the scope", answer.members["scope"], "stock.read")
	tr.equal("the audience", tr.claims(answer)["aud"], stockAPI)
}

// Names come from strangers, so long lists must be looked up the same way.
func TestLongListsOfScopesAreJudgedLikeShortOnes(t *testing.T) {
	tr := newTrial(t)
	var names []string
	for i := range 200 {
		names = append(names, "s"+strings.Repeat("x", i+1))
	}
	tr.client.Scope = strings.Join(names, " ")
	tr.scopes = func(_ context.Context, asked []string) ([]store.Scope, error) {
		var found []store.Scope
		for _, name := range slices.Backward(asked) {
			found = append(found, store.Scope{Name: name, Resources: []string{"https://" + name}})
		}
		return found, nil
	}
	tr.equal("the default", tr.ask("").members["scope"], tr.client.Scope)
	tr.equal("a scope", tr.ask("scope=" + names[150]).members["scope"], names[150])
	tr.refusal(tr.ask("scope=s"), 400, `{"error":"invalid_scope","error_description":"a scope is unknown or not allowed to the client"}`)
	tr.equal("the audience", tr.claims(tr.ask("resource=https://" + names[20]))["aud"], "https://"+names[20])
}
