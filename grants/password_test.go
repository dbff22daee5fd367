package grants_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

type verifyPassword func(ctx context.Context, req *tokenendpoint.Request, username, password string) (*store.Grant, error)

// passwordDesk is an endpoint with the password grant alone; its client is public.
type passwordDesk struct {
	verify   verifyPassword
	throttle tokenendpoint.Throttle
	now      time.Time
	log      strings.Builder
	event    tokenendpoint.Event
}

const (
	passwordName = "alice-the-user"
	passwordWord = "splendid-password"
)

// ask sends a user name and a password.
func (d *passwordDesk) ask(t *testing.T, username, password string) *httptest.ResponseRecorder {
	t.Helper()
	logger := slog.New(slog.NewTextHandler(&d.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	logEvent := tokenendpoint.LogEvents(logger)
	endpoint, err := tokenendpoint.New(tokenendpoint.Config{
		Issuer: "https://shop.example",
		Clients: memory.NewClients(store.Client{
			Metadata:    store.Metadata{ID: "old-page", GrantTypes: []string{"password"}, Scope: "orders.read"},
			AuthMethods: []store.AuthMethod{store.NoAuth},
		}),
		Scopes: memory.NewScopes(store.Scope{Name: "orders.read"}),
		Keys:   &tokenendpoint.RollingKeys{Logger: logger}, Records: new(memory.Grants), Throttle: d.throttle,
		Grants: []tokenendpoint.GrantValidator{grants.Password{Verify: d.verify}},
		Observe: func(ctx context.Context, event tokenendpoint.Event) {
			logEvent(ctx, event)
			d.event = event
		},
		Logger: logger, Timeout: time.Second, Now: func() time.Time { return d.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"grant_type": {"password"}, "client_id": {"old-page"}, "username": {username}, "password": {password}}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/connect/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	endpoint.ServeHTTP(w, r)
	if said := d.log.String() + fmt.Sprint(d.event, d.event.Err); strings.Contains(said, password) || strings.Contains(said, username) {
		t.Errorf("the password or the user name is in the log or the event:\n%s", said)
	}
	return w
}

// countedThrottle counts what is counted.
type countedThrottle struct {
	failed      []tokenendpoint.Attempt
	wait        time.Duration
	block, fail error
}

func (c *countedThrottle) Blocked(_ context.Context, attempt tokenendpoint.Attempt) (time.Duration, error) {
	if attempt.Secret != tokenendpoint.SecretPassword {
		return 0, nil
	}
	return c.wait, c.block
}

func (c *countedThrottle) Failed(_ context.Context, attempt tokenendpoint.Attempt) error {
	c.failed = append(c.failed, attempt)
	return c.fail
}

// 6749-4.3-01: whatever happens to a password, only a wrong one is a verdict, and only
// it is counted.
func TestPasswordFaults(t *testing.T) {
	canary := errors.New("directory-canary-31")
	grant := &store.Grant{Subject: "alice"}
	refusal := func(code tokenendpoint.ErrorCode, alter func(*tokenendpoint.Error)) error {
		e := &tokenendpoint.Error{Code: code, Description: "canary-of-the-directory", Cause: canary}
		if alter != nil {
			alter(e)
		}
		return e
	}
	for name, test := range map[string]struct {
		grant    *store.Grant
		err      error
		throttle countedThrottle
		status   int
		code     string
		reason   tokenendpoint.Reason
		counted  int
	}{
		"that is right brings a token":                       {grant: grant, status: 200, reason: tokenendpoint.ReasonIssued},
		"that is wrong is counted":                           {err: tokenendpoint.InvalidGrant, status: 400, code: "invalid_grant", reason: tokenendpoint.ReasonWrongPassword, counted: 2},
		"that is wrong, which is wrapped":                    {err: fmt.Errorf("%w: %w", canary, tokenendpoint.InvalidGrant), status: 400, code: "invalid_grant", reason: tokenendpoint.ReasonWrongPassword, counted: 2},
		"that is wrong, with words that the client gets not": {err: refusal(tokenendpoint.InvalidGrant, nil), status: 400, code: "invalid_grant", reason: tokenendpoint.ReasonWrongPassword, counted: 2},
		"that is wrong, beside a grant":                      {grant: grant, err: tokenendpoint.InvalidGrant, status: 400, code: "invalid_grant", reason: tokenendpoint.ReasonWrongPassword, counted: 2},
		"that the directory could not look at":               {err: canary, status: 500, code: "server_error", reason: tokenendpoint.ReasonInternal},
		"that took too long":                                 {err: context.DeadlineExceeded, status: 503, code: "temporarily_unavailable", reason: tokenendpoint.ReasonTimeout},
		"whose look was cancelled":                           {err: fmt.Errorf("%w: %w", canary, context.Canceled), status: 503, code: "temporarily_unavailable", reason: tokenendpoint.ReasonTimeout},
		"while the directory is away":                        {err: tokenendpoint.TemporarilyUnavailable, status: 503, code: "temporarily_unavailable", reason: "temporarily_unavailable"},
		"of a user who must do something else first":         {err: refusal("interaction_required", nil), status: 400, code: "interaction_required", reason: "interaction_required"},
		"that is answered by nothing":                        {status: 500, code: "server_error", reason: tokenendpoint.ReasonInternal},
		"that is answered by nobody":                         {grant: &store.Grant{Scopes: []string{"orders.read"}}, status: 500, code: "server_error", reason: tokenendpoint.ReasonInternal},
		"of a user who is named as the client":               {grant: &store.Grant{Subject: "old-page"}, status: 500, code: "server_error", reason: tokenendpoint.ReasonMalformedSubject},
		"for more than the client may have":                  {grant: &store.Grant{Subject: "alice", Scopes: []string{"orders.write"}}, status: 500, code: "server_error", reason: tokenendpoint.ReasonGrantTooWide},
		"is not looked at when too many were wrong":          {grant: grant, throttle: countedThrottle{wait: time.Minute}, status: 429, code: "temporarily_unavailable", reason: tokenendpoint.ReasonThrottled},
		"is not looked at when nobody counts":                {grant: grant, throttle: countedThrottle{block: canary}, status: 503, code: "temporarily_unavailable", reason: tokenendpoint.ReasonThrottleUnavailable},
		"that is wrong and cannot be counted is no verdict":  {err: tokenendpoint.InvalidGrant, throttle: countedThrottle{fail: canary}, status: 503, code: "temporarily_unavailable", reason: tokenendpoint.ReasonThrottleUnavailable, counted: 1},
	} {
		t.Run("A password "+name, func(t *testing.T) {
			d := &passwordDesk{now: time.Now(), throttle: &test.throttle}
			asked := 0
			d.verify = func(_ context.Context, req *tokenendpoint.Request, username, password string) (*store.Grant, error) {
				if asked++; username != passwordName || password != passwordWord || req.Client.ID != "old-page" {
					t.Errorf("verifying %q, %q of %v", username, password, req.Client)
				}
				return test.grant, test.err
			}
			w := d.ask(t, passwordName, passwordWord)
			if w.Code != test.status || test.code != "" && !strings.Contains(w.Body.String(), `"error":"`+test.code+`"`) || d.event.Reason != test.reason {
				t.Errorf("got %d %s for %q, want %d %s for %q", w.Code, w.Body, d.event.Reason, test.status, test.code, test.reason)
			}
			if test.code != "interaction_required" && strings.Contains(w.Body.String(), "canary") {
				t.Errorf("the directory's words are in the answer: %s", w.Body)
			}
			if len(test.throttle.failed) != test.counted {
				t.Errorf("counted %d times, want %d: %+v", len(test.throttle.failed), test.counted, test.throttle.failed)
			}
			if looked := test.throttle.wait == 0 && test.throttle.block == nil; looked != (asked == 1) {
				t.Errorf("it was looked at %d times", asked)
			}
		})
	}
	t.Run("A password that makes Verify panic is a fault, and is not in the log", func(t *testing.T) {
		d := &passwordDesk{now: time.Now()}
		d.verify = func(context.Context, *tokenendpoint.Request, string, string) (*store.Grant, error) { panic("canary") }
		if w := d.ask(t, passwordName, passwordWord); w.Code != 500 || w.Body.String() != `{"error":"server_error"}` {
			t.Errorf("got %d %s", w.Code, w.Body)
		}
	})
	t.Run("A password that Verify takes too long for is an outage", func(t *testing.T) {
		d := &passwordDesk{now: time.Now()}
		d.verify = func(ctx context.Context, _ *tokenendpoint.Request, _, _ string) (*store.Grant, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		if w := d.ask(t, passwordName, passwordWord); w.Code != 503 || d.event.Reason != tokenendpoint.ReasonTimeout {
			t.Errorf("got %d %s for %q", w.Code, w.Body, d.event.Reason)
		}
	})
}

// How a name is spelled does not make it another user's counter; the password is
// verified as it was sent.
func TestPasswordsAreCountedByUser(t *testing.T) {
	throttle := new(countedThrottle)
	d := &passwordDesk{now: time.Now(), throttle: throttle}
	for _, name := range []string{"alice-the-user", " Alice-The-User ", "ALICE-THE-USER"} {
		d.verify = func(_ context.Context, _ *tokenendpoint.Request, username, _ string) (*store.Grant, error) {
			if username != name {
				t.Errorf("verifying %q, want %q", username, name)
			}
			return nil, tokenendpoint.InvalidGrant
		}
		d.ask(t, name, passwordWord)
	}
	network := "192.0.2.1/32" // that of httptest
	for i, attempt := range throttle.failed {
		user := []string{"alice-the-user", ""}[i%2] // the user there, and anybody there
		if attempt.Secret != tokenendpoint.SecretPassword || attempt.User != user || attempt.Network.String() != network || attempt.ClientID != "" {
			t.Errorf("counted %+v", attempt)
		}
	}
	if len(throttle.failed) != 6 {
		t.Errorf("counted %d times, want 6", len(throttle.failed))
	}
}

func TestPasswordNeedsVerify(t *testing.T) {
	if err := (grants.Password{}).Check(); err == nil || !strings.Contains(err.Error(), "Verify is missing") {
		t.Errorf("Check: %v", err)
	}
	if err := (grants.Password{Verify: func(context.Context, *tokenendpoint.Request, string, string) (*store.Grant, error) { return nil, nil }}).Check(); err != nil {
		t.Errorf("Check: %v", err)
	}
}
