package tokenendpoint_test

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// eventTrial has, beside the confidential client, a public one and one that is
// disabled.
func eventTrial(t *testing.T) *trial {
	tr := newTrial(t)
	others := map[string]*store.Client{
		"kiosk": {Metadata: store.Metadata{ID: "kiosk", GrantTypes: []string{trialGrant}, Scope: "orders.read",
			TokenEndpointAuthMethod: store.NoAuth}},
		"closed": {Metadata: store.Metadata{ID: "closed"}, Disabled: true, Secrets: []store.Secret{{Hash: store.HashSecret(trialSecret)}}},
		"expired": {Metadata: store.Metadata{ID: "expired"},
			Secrets: []store.Secret{{Hash: store.HashSecret(trialSecret), Label: "2025", ExpiresAt: trialNow}}},
	}
	till := tr.clients
	tr.clients = func(ctx context.Context, id string) (*store.Client, error) {
		if client := others[id]; client != nil {
			return client, nil
		}
		return till(ctx, id)
	}
	return tr
}

func TestEveryOutcomeIsOneEvent(t *testing.T) {
	type event = tokenendpoint.Event
	const good = "grant_type=" + trialGrant + "&scope=orders.read"
	as := func(id, secret string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(id, secret) }
	}
	till := func(e event) event {
		e.ClientID, e.Authenticated, e.AuthMethod = "till", true, store.ClientSecretBasic
		return e
	}
	asked := func(e event) event {
		e = till(e)
		e.GrantType = trialGrant
		return e
	}
	tests := []struct {
		name   string
		form   string
		change func(*http.Request)
		want   event
	}{
		{"a token", good, nil, asked(event{Status: 200, Reason: "issued", Scopes: []string{"orders.read"}})},
		{"a token for a public client", good + "&client_id=kiosk", func(r *http.Request) { r.Header.Del("Authorization") },
			event{Status: 200, Reason: "issued", Scopes: []string{"orders.read"}, ClientID: "kiosk", AuthMethod: store.NoAuth, GrantType: trialGrant}},
		{"another method", good, func(r *http.Request) { r.Method = "PUT" }, event{Status: 405, Code: "invalid_request", Reason: "method_not_allowed"}},
		{"a body that is JSON", `{}`, func(r *http.Request) { r.Header.Set("Content-Type", "application/json") },
			event{Status: 400, Code: "invalid_request", Reason: "wrong_media_type"}},
		{"a body that is compressed", good, func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") },
			event{Status: 400, Code: "invalid_request", Reason: "wrong_media_type"}},
		{"a body that is too large", strings.Repeat("x", 65<<10), nil, event{Status: 413, Code: "invalid_request", Reason: "body_too_large"}},
		{"a body of unknown length that is too large", strings.Repeat("x", 65<<10), func(r *http.Request) { r.ContentLength = -1 },
			event{Status: 413, Code: "invalid_request", Reason: "body_too_large"}},
		{"a bad escape", "scope=%zz", nil, event{Status: 400, Code: "invalid_request", Reason: "malformed_form"}},
		{"a repeated parameter", good + "&scope=x", nil, event{Status: 400, Code: "invalid_request", Reason: "repeated_parameter"}},
		{"too many parameters", good + strings.Repeat("&", 99), nil, event{Status: 400, Code: "invalid_request", Reason: "too_many_parameters"}},
		{"a parameter that is too long", "scope=" + strings.Repeat("x", 4097), nil, event{Status: 400, Code: "invalid_request", Reason: "parameter_too_long"}},
		{"a parameter in the query", good, func(r *http.Request) { r.URL.RawQuery = "client_id=till" },
			event{Status: 400, Code: "invalid_request", Reason: "parameter_in_query"}},
		{"two methods of authentication", good + "&client_secret=x", nil, event{Status: 400, Code: "invalid_request", Reason: "several_auth_methods"}},
		{"two names of the client", good + "&client_id=kiosk", nil, event{Status: 400, Code: "invalid_request", Reason: "client_id_mismatch"}},
		{"malformed credentials", good, func(r *http.Request) { r.Header.Set("Authorization", "Basic !") },
			event{Status: 401, Code: "invalid_client", Reason: "malformed_credentials"}},
		{"another scheme", good, func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") },
			event{Status: 401, Code: "invalid_client", Reason: "unsupported_auth_method"}},
		{"no client", good, func(r *http.Request) { r.Header.Del("Authorization") }, event{Status: 401, Code: "invalid_client", Reason: "missing_client_id"}},
		{"an unknown client", good, as("stranger", "x"), event{Status: 401, Code: "invalid_client", Reason: "unknown_client", AuthMethod: store.ClientSecretBasic, GrantType: trialGrant}},
		{"a disabled client", good, as("closed", trialSecret), event{Status: 401, Code: "invalid_client", Reason: "client_disabled", ClientID: "closed", AuthMethod: store.ClientSecretBasic, GrantType: trialGrant}},
		{"a wrong secret", good, as("till", "x"), event{Status: 401, Code: "invalid_client", Reason: "secret_mismatch", ClientID: "till", AuthMethod: store.ClientSecretBasic, GrantType: trialGrant}},
		{"a secret that has expired this moment", good, as("expired", trialSecret),
			event{Status: 401, Code: "invalid_client", Reason: "secret_expired", ClientID: "expired", AuthMethod: store.ClientSecretBasic, GrantType: trialGrant}},
		{"a method that is not the client's", good, as("till", ""),
			event{Status: 401, Code: "invalid_client", Reason: "auth_method_not_allowed", ClientID: "till", AuthMethod: store.NoAuth, GrantType: trialGrant}},
		{"no grant type", "scope=orders.read", nil, till(event{Status: 400, Code: "invalid_request", Reason: "missing_grant_type"})},
		{"a grant type that nobody knows", "grant_type=made:up", nil, till(event{Status: 400, Code: "unsupported_grant_type", Reason: "unsupported_grant_type"})},
		{"a grant type that is not the client's", "grant_type=client_credentials&client_id=kiosk", func(r *http.Request) { r.Header.Del("Authorization") },
			event{Status: 400, Code: "unauthorized_client", Reason: "grant_type_not_allowed", ClientID: "kiosk", AuthMethod: store.NoAuth,
				GrantType: "client_credentials"}},
		{"a malformed scope", "scope=%22&grant_type=" + trialGrant, nil, asked(event{Status: 400, Code: "invalid_scope", Reason: "malformed_scope"})},
		{"a scope that is not the client's", "scope=admin&grant_type=" + trialGrant, nil, asked(event{Status: 400, Code: "invalid_scope", Reason: "scope_not_allowed"})},
		{"a malformed resource", good + "&resource=x", nil, asked(event{Status: 400, Code: "invalid_target", Reason: "malformed_resource"})},
		{"a resource that is not the client's", good + "&resource=https://x", nil, asked(event{Status: 400, Code: "invalid_target", Reason: "resource_not_allowed"})},
		{"malformed acr_values", good + "&acr_values=idp:", nil, asked(event{Status: 400, Code: "invalid_request", Reason: "malformed_acr_values"})},
	}
	for _, test := range tests {
		t.Run(test.name+" is one event by its reason", func(t *testing.T) {
			tr := eventTrial(t)
			r := tr.request(test.form)
			if test.change != nil {
				test.change(r)
			}
			answer := tr.send(r)
			got := tr.event()
			tr.equal("the status of the answer", answer.status, got.Status)
			if got.Status == http.StatusOK {
				tr.equal("the jti", got.TokenID, tr.claims(answer)["jti"])
				got.TokenID = ""
			}
			if (got.Err == nil) != (got.Status == http.StatusOK) || got.Err != nil && !errors.Is(got.Err, got.Code) {
				t.Errorf("Event.Err is %v", got.Err)
			}
			got.Duration, got.Err = 0, nil
			want := test.want
			want.Time, want.RemoteAddr = trialNow, netip.MustParseAddr("192.0.2.7")
			tr.equal("the event", got, want)
		})
	}
}

// The log of a guessed secret names the client that is guessed at.
func TestEventOfAThrottledRequest(t *testing.T) {
	t.Run("a throttled request is one event by its reason", func(t *testing.T) {
		tr := newTrial(t)
		tr.blocked = func(context.Context, tokenendpoint.Attempt) (time.Duration, error) { return time.Minute, nil }
		tr.equal("the status", tr.ask("").status, http.StatusTooManyRequests)
		event := tr.event()
		tr.equal("the reason", event.Reason, tokenendpoint.ReasonThrottled)
		tr.equal("the event's status", event.Status, http.StatusTooManyRequests)
		tr.equal("the client", event.ClientID, "till")
		tr.equal("whether it is authenticated", event.Authenticated, false)
	})
}

// An operator finds out which secret is to be replaced, and which method a client
// used that it may not: neither is told on the wire.
func TestTheCauseOfARefusalIsInTheEventAlone(t *testing.T) {
	for id, words := range map[string]string{"expired": `label "2025" expired at 20`, "kiosk": "may not use client_secret_basic"} {
		tr := eventTrial(t)
		r := tr.request("grant_type=" + trialGrant)
		r.SetBasicAuth(id, trialSecret)
		answer := tr.send(r)
		tr.refusal(answer, http.StatusUnauthorized, `{"error":"invalid_client","error_description":"client authentication failed"}`)
		if err := tr.event().Err; err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: the event's error is %v, which does not say %s", id, err, words)
		}
	}
}

func TestTheObserver(t *testing.T) {
	t.Run("it is told after the answer was written, and its context outlives the caller", func(t *testing.T) {
		type key struct{}
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "kept"))
		tr := newTrial(t)
		w := new(eventWriter)
		tr.policy = func(context.Context, *tokenendpoint.Request, *tokenendpoint.Token) error { cancel(); return nil }
		tr.observe = func(ctx context.Context, _ tokenendpoint.Event) {
			if ctx.Err() != nil || ctx.Done() != nil || ctx.Value(key{}) != "kept" {
				t.Errorf("the context is %v", ctx)
			}
			if w.written == 0 {
				t.Error("no answer was written")
			}
		}
		tr.endpoint.ServeHTTP(w, tr.request("grant_type="+trialGrant).WithContext(ctx))
		tr.equal("the number of events", len(tr.events), 1)
	})
}

// eventWriter is a connection.
type eventWriter struct {
	header  http.Header
	written int
}

func (w *eventWriter) Header() http.Header {
	if w.header == nil {
		w.header = make(http.Header)
	}
	return w.header
}

func (w *eventWriter) WriteHeader(int) {}

func (w *eventWriter) Write(b []byte) (int, error) { w.written += len(b); return len(b), nil }
