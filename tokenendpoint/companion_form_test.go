package tokenendpoint_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/tokenendpoint"
)

type formServe func(context.Context, *tokenendpoint.Request) (tokenendpoint.Members, error)

// formAsk has a form of the desk's endpoint serve one request.
func formAsk(d *desk, serve formServe, method, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(d.t.Context(), method, "/own/form", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	d.endpoint.Form("own_form", serve).ServeHTTP(w, r)
	return w
}

const formTill = "client_id=till&client_secret=" + redeemSecret

// A host's own endpoint is answered and reported as the token endpoint is.
func TestAFormOfTheHostsOwn(t *testing.T) {
	answers := map[string]struct {
		members tokenendpoint.Members
		err     error
		status  int
		body    string
		reason  tokenendpoint.Reason
	}{
		"members":                      {members: tokenendpoint.Members{"b": 1, "a": "<x>"}, status: 200, body: `{"a":"\u003cx\u003e","b":1}`, reason: tokenendpoint.ReasonAnswered},
		"no members but not nil":       {members: tokenendpoint.Members{}, status: 200, body: `{}`, reason: tokenendpoint.ReasonAnswered},
		"nothing at all":               {status: 500, body: `{"error":"server_error"}`, reason: tokenendpoint.ReasonUnencodable},
		"what JSON cannot say":         {members: tokenendpoint.Members{"a": func() {}}, status: 500, body: `{"error":"server_error"}`, reason: tokenendpoint.ReasonUnencodable},
		"a code":                       {err: tokenendpoint.InvalidGrant, status: 400, body: `{"error":"invalid_grant"}`, reason: "invalid_grant"},
		"access_denied, which is 403":  {err: tokenendpoint.AccessDenied, status: 403, body: `{"error":"access_denied"}`, reason: "access_denied"},
		"the same as an Error":         {err: &tokenendpoint.Error{Code: tokenendpoint.AccessDenied, Description: "no"}, status: 403, body: `{"error":"access_denied","error_description":"no"}`, reason: "access_denied"},
		"an outage":                    {err: &tokenendpoint.Error{Code: tokenendpoint.TemporarilyUnavailable, Cause: errRecordsCanary}, status: 503, body: `{"error":"temporarily_unavailable"}`, reason: "temporarily_unavailable"},
		"a throttle, which is 429":     {err: &tokenendpoint.Error{Code: tokenendpoint.TemporarilyUnavailable, Reason: tokenendpoint.ReasonThrottled}, status: 429, body: `{"error":"temporarily_unavailable"}`, reason: tokenendpoint.ReasonThrottled},
		"any other error":              {err: errRecordsCanary, status: 500, body: `{"error":"server_error"}`, reason: tokenendpoint.ReasonInternal},
		"time that ran out":            {err: fmt.Errorf("%w: %w", errRecordsCanary, context.DeadlineExceeded), status: 503, body: `{"error":"temporarily_unavailable"}`, reason: tokenendpoint.ReasonTimeout},
		"characters that are not sent": {err: &tokenendpoint.Error{Code: tokenendpoint.InvalidRequest, Description: "a \"quote\"\r\nX: \\"}, status: 400, body: `{"error":"invalid_request","error_description":"a quoteX: "}`, reason: "invalid_request"},
	}
	for name, test := range answers {
		t.Run("that returns "+name+" is answered so", func(t *testing.T) {
			d := newDesk(t)
			w := formAsk(d, func(context.Context, *tokenendpoint.Request) (tokenendpoint.Members, error) {
				return test.members, test.err
			}, "POST", formTill)
			if w.Code != test.status || w.Body.String() != test.body {
				t.Errorf("got %d %s, want %d %s", w.Code, w.Body, test.status, test.body)
			}
			for name, want := range map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store", "Pragma": "no-cache"} {
				if got := w.Header().Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			event := d.event()
			if event.Endpoint != "own_form" || event.Status != test.status || event.Reason != test.reason || event.ClientID != "till" || !event.Authenticated || event.GrantType != "" {
				t.Errorf("the event is %+v", event)
			}
			if test.err != nil && !errors.Is(event.Err, test.err) && !strings.Contains(fmt.Sprint(event.Err), test.err.Error()) {
				t.Errorf("the event's error is %v, want %v", event.Err, test.err)
			}
		})
	}
	t.Run("that panics is a fault, whose reason is in the log alone", func(t *testing.T) {
		d := newDesk(t)
		w := formAsk(d, func(context.Context, *tokenendpoint.Request) (tokenendpoint.Members, error) { panic("panic-canary") }, "POST", formTill)
		if w.Code != 500 || w.Body.String() != `{"error":"server_error"}` || !strings.Contains(d.log.String(), "panic-canary") {
			t.Errorf("got %d %s, and the log %s", w.Code, w.Body, d.log)
		}
	})
	t.Run("sees the form, and nothing of scopes and resources", func(t *testing.T) {
		d := newDesk(t)
		var seen *tokenendpoint.Request
		serve := func(ctx context.Context, req *tokenendpoint.Request) (tokenendpoint.Members, error) {
			if _, limited := ctx.Deadline(); !limited {
				t.Error("there is no end to the time it may take")
			}
			seen = req
			return tokenendpoint.Members{}, nil
		}
		formAsk(d, serve, "POST", "client_id=app&colour=red&scope=nonsense+%22&resource=nonsense&empty=")
		switch {
		case seen == nil:
			t.Fatal("it was not called")
		case seen.Form.Get("colour") != "red" || seen.Form.Has("empty") || seen.Form.Has("client_secret"):
			t.Errorf("the form is %v", seen.Form)
		case seen.Scopes != nil || seen.Resources != nil || seen.GrantType != "":
			t.Errorf("scopes %v, resources %v, grant type %q", seen.Scopes, seen.Resources, seen.GrantType)
		case seen.Client.ID != "app" || seen.Authenticated || seen.Issuer != trialIssuer || !seen.Time.Equal(d.clock.Now()):
			t.Errorf("the request is %+v", seen)
		}
	})
	for name, test := range map[string]struct {
		method, body, code string
		status             int
	}{
		"a GET":                  {"GET", "", "invalid_request", 405},
		"no client":              {"POST", "colour=red", "invalid_client", 401},
		"a wrong secret":         {"POST", "client_id=till&client_secret=wrong", "invalid_client", 401},
		"a repeated parameter":   {"POST", formTill + "&colour=red&colour=red", "invalid_request", 400},
		"more than 64 KiB":       {"POST", formTill + "&colour=" + strings.Repeat("a", 64<<10), "invalid_request", 413},
		"a parameter of 51 KiB":  {"POST", formTill + "&colour=" + strings.Repeat("a", 51<<10), "invalid_request", 400},
		"a form that is invalid": {"POST", formTill + "&%zz", "invalid_request", 400},
	} {
		t.Run("is not asked when there is "+name, func(t *testing.T) {
			d := newDesk(t)
			w := formAsk(d, func(context.Context, *tokenendpoint.Request) (tokenendpoint.Members, error) {
				t.Error("it was asked")
				return nil, nil
			}, test.method, test.body)
			if w.Code != test.status || !strings.Contains(w.Body.String(), `"error":"`+test.code+`"`) {
				t.Errorf("got %d %s, want %d %s", w.Code, w.Body, test.status, test.code)
			}
			if event := d.event(); event.Endpoint != "own_form" || event.Status != test.status {
				t.Errorf("the event is %+v", event)
			}
		})
	}
}

// event returns the last.
func (d *desk) event() tokenendpoint.Event {
	d.t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.events) == 0 {
		d.t.Fatal("there is no event")
	}
	return d.events[len(d.events)-1]
}

// CIBA-13-01: access_denied is 403 beside the token endpoint, and 400 at it.
func TestAccessDeniedAtTheTokenEndpointIs400(t *testing.T) {
	d := newDesk(t)
	d.validate = func(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) {
		return nil, tokenendpoint.AccessDenied
	}
	if answer := d.ask(t.Context(), "till", deskForm(redeemOwn, nil)); answer.status != http.StatusBadRequest {
		t.Errorf("got %d %s", answer.status, answer.body)
	}
}

// A client that a companion is asked by has the grant type, and asks for what it may
// have, before the companion is.
func TestACompanionIsAskedLast(t *testing.T) {
	p := newPendingDesk(t)
	for body, reason := range map[string]tokenendpoint.Reason{
		"client_id=till&client_secret=" + redeemSecret:      tokenendpoint.ReasonGrantTypeNotAllowed,
		"client_id=app&scope=orders.delete":                 tokenendpoint.ReasonScopeNotAllowed,
		"client_id=app&scope=%22":                           tokenendpoint.ReasonMalformedScope,
		"client_id=app&resource=https://other.example":      tokenendpoint.ReasonResourceNotAllowed,
		"client_id=app&acr_values=tenant:one+tenant:two":    tokenendpoint.ReasonMalformedACR,
		"client_id=web&client_secret=wrong&scope=made.up.1": tokenendpoint.ReasonSecretMismatch,
	} {
		r := httptest.NewRequest("POST", "/connect/ask", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		p.deferErr = errRecordsCanary
		p.mux.ServeHTTP(httptest.NewRecorder(), r)
		if event := p.event(); event.Reason != reason || !errors.Is(p.deferErr, errRecordsCanary) {
			t.Errorf("%s: %q, asked: %v; want %q", body, event.Reason, !errors.Is(p.deferErr, errRecordsCanary), reason)
		}
	}
}
