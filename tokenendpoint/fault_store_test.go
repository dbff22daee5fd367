package tokenendpoint_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

const faultAuthentication = `{"error":"invalid_client","error_description":"client authentication failed"}`

func TestVerdictsOfTheClientStore(t *testing.T) {
	stores := []struct {
		name   string
		client *store.Client
		err    error
		status int
		body   string
		reason tokenendpoint.Reason
	}{
		{"ErrNotFound is a verdict", nil, store.ErrNotFound, 401, faultAuthentication, tokenendpoint.ReasonUnknownClient},
		{"a wrapped ErrNotFound is a verdict", nil, fmt.Errorf("clients: %w", store.ErrNotFound), 401, faultAuthentication,
			tokenendpoint.ReasonUnknownClient},
		{"ErrNotFound beside other errors is a verdict", nil, errors.Join(errFaultCanary, store.ErrNotFound), 401, faultAuthentication,
			tokenendpoint.ReasonUnknownClient},
		{"a client beside ErrNotFound is not looked at", trialTill("till"), store.ErrNotFound, 401, faultAuthentication,
			tokenendpoint.ReasonUnknownClient},
		{"a store that ran out of time is out of order", nil, context.DeadlineExceeded, 503, faultUnavailable, tokenendpoint.ReasonStoreUnavailable},
		{"a store that was cancelled is out of order", nil, fmt.Errorf("query: %w", context.Canceled), 503, faultUnavailable,
			tokenendpoint.ReasonStoreUnavailable},
		{"an ErrorCode of a store is no verdict", nil, tokenendpoint.InvalidClient, 503, faultUnavailable, tokenendpoint.ReasonStoreUnavailable},
		{"a client that cannot be read is a fault", nil, fmt.Errorf("clients: %w", store.ErrCorrupt), 500, faultServerError, tokenendpoint.ReasonCorrupt},
		{"neither a client nor an error is a mistake of the store", nil, nil, 500, faultServerError, tokenendpoint.ReasonInternal},
		{"a client of another case is unknown", trialTill("TILL"), nil, 401, faultAuthentication, tokenendpoint.ReasonUnknownClient},
		{"a client with a space is unknown", trialTill("till "), nil, 401, faultAuthentication, tokenendpoint.ReasonUnknownClient},
	}
	for _, s := range stores {
		t.Run(s.name, func(t *testing.T) {
			tr := newTrial(t)
			tr.clients = func(context.Context, string) (*store.Client, error) { return s.client, s.err }
			answer := tr.ask("scope=orders.read")
			tr.refusal(answer, s.status, s.body)
			tr.equal("the reason", tr.event().Reason, s.reason)
			tr.equal("Event.ClientID", tr.event().ClientID, "")
			if (answer.header.Get("Retry-After") != "") != (s.status == 503) {
				t.Errorf("Retry-After is %q", answer.header.Get("Retry-After"))
			}
		})
	}
}

// trialTill is the trial's client by another name.
func trialTill(id string) *store.Client {
	return &store.Client{
		Metadata: store.Metadata{ID: id, GrantTypes: []string{trialGrant}, Scope: "orders.read"},
		Secrets:  []store.Secret{{Hash: store.HashSecret(trialSecret)}},
	}
}

func TestAnswersOfTheScopeStore(t *testing.T) {
	t.Run("a scope store has no verdict, so that ErrNotFound is an outage", func(t *testing.T) {
		tr := newTrial(t)
		tr.scopes = func(context.Context, []string) ([]store.Scope, error) { return nil, store.ErrNotFound }
		tr.refusal(tr.ask("scope=orders.read"), 503, faultUnavailable)
	})
	t.Run("a scope that cannot be read is a fault", func(t *testing.T) {
		tr := newTrial(t)
		tr.scopes = func(context.Context, []string) ([]store.Scope, error) { return nil, store.ErrCorrupt }
		tr.refusal(tr.ask("scope=orders.read"), 500, faultServerError)
		tr.equal("the reason", tr.event().Reason, tokenendpoint.ReasonCorrupt)
	})
	t.Run("scopes that come beside an error are not used", func(t *testing.T) {
		tr := newTrial(t)
		tr.scopes = func(context.Context, []string) ([]store.Scope, error) {
			return []store.Scope{{Name: "orders.read"}}, errFaultCanary
		}
		tr.refusal(tr.ask("scope=orders.read"), 503, faultUnavailable)
	})
	t.Run("names that the client does not have are ignored", func(t *testing.T) {
		tr := newTrial(t)
		tr.client.Scope = "orders.read"
		tr.scopes = func(context.Context, []string) ([]store.Scope, error) {
			return []store.Scope{
				{Name: "admin", Resources: []string{"https://admin.example"}},
				{Name: "orders.read", Resources: []string{ordersAPI}},
				{Name: "Orders.read", Resources: []string{"https://admin.example"}},
			}, nil
		}
		answer := tr.ask("")
		tr.equal("scope", answer.members["scope"], "orders.read")
		tr.equal("aud", tr.claims(answer)["aud"], ordersAPI)
		tr.refusal(tr.ask("scope=admin"), 400,
			`{"error":"invalid_scope","error_description":"a scope is unknown or not allowed to the client"}`)
		tr.refusal(tr.ask("resource=https://admin.example"), 400,
			`{"error":"invalid_target","error_description":"a resource is unknown or not allowed to the client"}`)
	})
	t.Run("a scope that is gone from the store is refused, and left out of the default", func(t *testing.T) {
		tr := newTrial(t)
		tr.client.Scope = "orders.read stock.read"
		tr.scopes = memory.NewScopes(store.Scope{Name: "stock.read", Resources: []string{stockAPI}}).Scopes
		tr.refusal(tr.ask("scope=orders.read+stock.read"), 400,
			`{"error":"invalid_scope","error_description":"a scope is unknown or not allowed to the client"}`)
		tr.equal("the reason", tr.event().Reason, tokenendpoint.ReasonUnknownScope)
		tr.equal("scope", tr.ask("").members["scope"], "stock.read")
	})
	t.Run("the default keeps the client's order, whatever the store's is", func(t *testing.T) {
		tr := newTrial(t)
		tr.scopes = func(context.Context, []string) ([]store.Scope, error) {
			return []store.Scope{{Name: "stock.read"}, {Name: "orders.write"}, {Name: "orders.read"}}, nil
		}
		tr.equal("scope", tr.ask("").members["scope"], "orders.read orders.write stock.read")
	})
	t.Run("a client without a scope costs no look-up", func(t *testing.T) {
		tr := newTrial(t)
		tr.client.Scope = ""
		tr.scopes = func(context.Context, []string) ([]store.Scope, error) { panic("asked") }
		tr.refusal(tr.ask(""), 400,
			`{"error":"invalid_scope","error_description":"no scope was asked for and the client has none by default"}`)
	})
}

// X-HTTP-11: no time is no verdict. The clock of these tests is the bubble's,
// so that ten seconds pass at once and exactly.
func TestTimeRunsOut(t *testing.T) {
	tests := []struct {
		name    string
		timeout time.Duration
		want    time.Duration
	}{
		{"after Config.Timeout", 3 * time.Second, 3 * time.Second},
		{"after ten seconds, if Config.Timeout is zero", 0, 10 * time.Second},
	}
	for _, test := range tests {
		t.Run("a store that hangs is answered for "+test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := newTrial(t, func(c *tokenendpoint.Config) { c.Timeout = test.timeout })
				tr.clients = func(ctx context.Context, _ string) (*store.Client, error) {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				start := time.Now()
				answer := tr.ask("scope=orders.read")
				tr.refusal(answer, 503, faultUnavailable)
				tr.equal("Retry-After", answer.header.Get("Retry-After"), "5")
				tr.equal("the reason", tr.event().Reason, tokenendpoint.ReasonStoreUnavailable)
				tr.equal("the time", time.Since(start), test.want)
				tr.equal("Event.Duration", tr.event().Duration, test.want)
				if !errors.Is(tr.event().Err, context.DeadlineExceeded) {
					t.Errorf("Event.Err is %v", tr.event().Err)
				}
			})
		})
	}
	t.Run("a validator that ran out of time is answered 503 by the reason timeout", func(t *testing.T) {
		for _, err := range []error{context.DeadlineExceeded, fmt.Errorf("user service: %w", context.Canceled)} {
			tr := newTrial(t)
			tr.validate = func(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) { return nil, err }
			answer := tr.ask("scope=orders.read")
			tr.refusal(answer, 503, faultUnavailable)
			tr.equal("Retry-After", answer.header.Get("Retry-After"), "5")
			tr.equal("the reason", tr.event().Reason, tokenendpoint.ReasonTimeout)
		}
	})
	t.Run("a caller that went away is nobody's fault", func(t *testing.T) {
		for _, err := range []error{context.Canceled, fmt.Errorf("query: %w", context.Canceled)} {
			tr := newTrial(t)
			tr.clients = func(context.Context, string) (*store.Client, error) { return nil, err }
			tr.refusal(tr.sendGone(), 503, faultUnavailable)
			tr.equal("the reason", tr.event().Reason, tokenendpoint.ReasonCallerGone)
			if log := tr.log.String(); !strings.Contains(log, "level=INFO") || strings.Contains(log, "level=ERROR") {
				t.Errorf("the log is %s", log)
			}
		}
	})
	t.Run("what failed for another reason keeps it, even if the caller went away", func(t *testing.T) {
		reasons := map[error]tokenendpoint.Reason{
			errFaultCanary: tokenendpoint.ReasonStoreUnavailable, store.ErrNotFound: tokenendpoint.ReasonUnknownClient,
			context.DeadlineExceeded: tokenendpoint.ReasonStoreUnavailable,
		}
		for err, reason := range reasons {
			tr := newTrial(t)
			tr.clients = func(context.Context, string) (*store.Client, error) { return nil, err }
			tr.sendGone()
			tr.equal("the reason", tr.event().Reason, reason)
		}
	})
	t.Run("a store that is cancelled while the caller waits is out of order", func(t *testing.T) {
		tr := newTrial(t)
		tr.clients = func(context.Context, string) (*store.Client, error) { return nil, context.Canceled }
		tr.ask("")
		tr.equal("the reason", tr.event().Reason, tokenendpoint.ReasonStoreUnavailable)
	})
	t.Run("every dependency sees the deadline", func(t *testing.T) {
		tr := newTrial(t)
		healthy := tr.trialParts
		seen := map[string]bool{}
		see := func(name string, ctx context.Context) { _, seen[name] = ctx.Deadline() }
		tr.clients = func(ctx context.Context, id string) (*store.Client, error) {
			see("clients", ctx)
			return healthy.clients(ctx, id)
		}
		tr.scopes = func(ctx context.Context, n []string) ([]store.Scope, error) {
			see("scopes", ctx)
			return healthy.scopes(ctx, n)
		}
		tr.keys = func(ctx context.Context) ([]tokenendpoint.Key, error) { see("keys", ctx); return healthy.keys(ctx) }
		tr.blocked = func(ctx context.Context, _ tokenendpoint.Attempt) (time.Duration, error) {
			see("throttle", ctx)
			return 0, nil
		}
		tr.policy = func(ctx context.Context, _ *tokenendpoint.Request, _ *tokenendpoint.Token) error {
			see("policy", ctx)
			return nil
		}
		tr.validate = func(ctx context.Context, _ *tokenendpoint.Request) (*tokenendpoint.Result, error) {
			see("validator", ctx)
			return &tokenendpoint.Result{}, nil
		}
		tr.equal("the status", tr.ask("").status, http.StatusOK)
		tr.equal("who sees a deadline", seen, map[string]bool{
			"clients": true, "scopes": true, "keys": true, "throttle": true, "policy": true, "validator": true,
		})
	})
}

// sendGone sends a request whose caller does not wait for the answer.
func (tr *trial) sendGone() trialAnswer {
	tr.t.Helper()
	ctx, cancel := context.WithCancel(tr.t.Context())
	cancel()
	return tr.send(tr.request("grant_type=" + trialGrant).WithContext(ctx))
}
