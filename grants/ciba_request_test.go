package grants_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/internal/granttest"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// CIBA-7.1-01, CIBA-7.1-02, CIBA-7.1-04, CIBA-7.1-05, CIBA-7.2-01, CIBA-10.1-02, CIBA-13-01.
func TestAuthenticationRequests(t *testing.T) {
	push := func(c *store.Client) { c.DeliveryMode = "push" }
	for name, c := range map[string]struct {
		parameters []string // beside scope=openid orders.read and login_hint=alice
		client     func(*store.Client)
		want       string
	}{
		"as it should be":                       {nil, nil, ""},
		"without a scope":                       {[]string{"scope", ""}, nil, "invalid_request"},
		"without openid":                        {[]string{"scope", "orders.read"}, nil, "invalid_scope"},
		"for a scope that is not the client's":  {[]string{"scope", "openid orders.write"}, nil, "invalid_scope"},
		"without a hint":                        {[]string{"login_hint", ""}, nil, "invalid_request"},
		"with two hints":                        {[]string{"login_hint_token", "x"}, nil, "invalid_request"},
		"with two other hints":                  {[]string{"login_hint", "", "login_hint_token", "x", "id_token_hint", "y"}, nil, "invalid_request"},
		"with an ID token of nobody's":          {[]string{"login_hint", "", "id_token_hint", "e30.e30.AA"}, nil, "invalid_request"},
		"with a line break in the hint":         {[]string{"login_hint", "alice\nbob"}, nil, "invalid_request"},
		"with a hint that is too long":          {[]string{"login_hint", strings.Repeat("a", 1025)}, nil, "invalid_request"},
		"with a signed request":                 {[]string{"request", "e30.e30.AA"}, nil, "invalid_request"},
		"for 0 seconds":                         {[]string{"requested_expiry", "0"}, nil, "invalid_request"},
		"for -1 seconds":                        {[]string{"requested_expiry", "-1"}, nil, "invalid_request"},
		"for +1 seconds":                        {[]string{"requested_expiry", "+1"}, nil, "invalid_request"},
		"for abc seconds":                       {[]string{"requested_expiry", "abc"}, nil, "invalid_request"},
		"for 1.5 seconds":                       {[]string{"requested_expiry", "1.5"}, nil, "invalid_request"},
		"for a second":                          {[]string{"requested_expiry", "1"}, nil, ""},
		"with 100 characters to compare":        {[]string{"binding_message", strings.Repeat("ü", 100)}, nil, ""},
		"with 101 characters to compare":        {[]string{"binding_message", strings.Repeat("ü", 101)}, nil, "invalid_binding_message"},
		"with an emoji to compare":              {[]string{"binding_message", "W4SCT \U0001F512"}, nil, "invalid_binding_message"},
		"with text to compare that is reversed": {[]string{"binding_message", "W4\u202eSCT"}, nil, "invalid_binding_message"},
		"with a line break to compare":          {[]string{"binding_message", "W4\nSCT"}, nil, "invalid_binding_message"},
		"with an amount to compare":             {[]string{"binding_message", "Pay 12,50 € + tax to Müller & Co. (No. 7)"}, nil, ""},
		"of a public client":                    {[]string{"client_id", "app"}, asPublic, "unauthorized_client"},
		"of a client with the mode push":        {nil, push, "unauthorized_client"},
		"of a client without the grant type":    {nil, func(c *store.Client) { c.GrantTypes = []string{"refresh_token"} }, "unauthorized_client"},
	} {
		t.Run("a request "+name+" is answered "+c.want, func(t *testing.T) {
			s := granttest.New(t, new(memory.Grants))
			alter(t, s, c.client)
			looked := 0
			s.CIBA.Resolve = func(_ context.Context, a *grants.Authentication) (string, error) { looked++; return a.LoginHint, nil }
			asked, answer := granttest.BeginCIBA(t.Context(), s, "alice", c.parameters...)
			if answer.Code() != c.want || (asked != nil) != (c.want == "") {
				t.Fatalf("answered %v", answer)
			}
			if found := s.Decision("alice") != ""; found != (c.want == "") || (looked == 1) != found {
				t.Errorf("alice was looked for %d times and asked: %t", looked, found)
			}
		})
	}
}

// alter changes the client app; a public one then sends no secret.
func alter(t *testing.T, s *granttest.Service, change func(*store.Client)) {
	t.Helper()
	app, err := s.Clients.Client(t.Context(), "app")
	if err != nil {
		t.Fatal(err)
	}
	changed := *app
	if change != nil {
		change(&changed)
	}
	s.Clients.Put(changed)
}

// CIBA-7.3-01, CIBA-7.3-02, CIBA-7.1-04.
func TestAnswersToAuthenticationRequests(t *testing.T) {
	for name, c := range map[string]struct {
		requested string
		client    func(*store.Client)
		expires   float64
		interval  float64
	}{
		"by default":                        {"", nil, 300, 5},
		"as the client is set up":           {"", func(c *store.Client) { c.BackchannelLifetime, c.PollInterval = 90*time.Second, 7*time.Second }, 90, 7},
		"as was asked for":                  {"42", nil, 42, 5},
		"an hour where more was asked for":  {"86400", nil, 3600, 5},
		"an hour where far more was wanted": {"9999999999999999", nil, 3600, 5},
	} {
		t.Run("last and are polled for "+name, func(t *testing.T) {
			s := granttest.New(t, new(memory.Grants))
			alter(t, s, c.client)
			var until time.Time
			ask := s.CIBA.Ask
			s.CIBA.Ask = func(ctx context.Context, a *grants.Authentication) error { until = a.ExpiresAt; return ask(ctx, a) }
			asked, answer := granttest.BeginCIBA(t.Context(), s, "alice", "requested_expiry", c.requested)
			if asked == nil || answer.Members["expires_in"] != c.expires || answer.Members["interval"] != c.interval || len(answer.Members) != 3 {
				t.Fatalf("answered %v", answer.Members)
			}
			if want := s.Clock.Now().Add(time.Duration(c.expires) * time.Second); !until.Equal(want) {
				t.Errorf("the service was told %v, want %v", until, want)
			}
			if !regexp.MustCompile(`^[A-Za-z0-9._-]{27,}$`).MatchString(asked.Handle) {
				t.Errorf("the auth_req_id is %q", asked.Handle)
			}
		})
	}
}

// CIBA-7.1.2-01, CIBA-7.2-01, CIBA-13-01.
func TestWhatResolveAnswers(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{tokenendpoint.UnknownUserID, "unknown_user_id"}, {tokenendpoint.ExpiredLoginHintToken, "expired_login_hint_token"},
		{tokenendpoint.MissingUserCode, "missing_user_code"}, {tokenendpoint.InvalidUserCode, "invalid_user_code"},
		{tokenendpoint.AccessDenied, "403 access_denied"},
		{&tokenendpoint.Error{Code: tokenendpoint.TemporarilyUnavailable, Reason: tokenendpoint.ReasonThrottled}, "429 temporarily_unavailable"},
		{errors.New("canary"), "500 server_error"}, {context.DeadlineExceeded, outage}, {nil, "500 server_error"}, // nobody, and no error
	} {
		t.Run(fmt.Sprintf("%v is answered %s, and nobody is asked", c.err, c.want), func(t *testing.T) {
			s := granttest.New(t, new(memory.Grants))
			s.CIBA.Resolve = func(context.Context, *grants.Authentication) (string, error) { return "", c.err }
			asked, answer := granttest.BeginCIBA(t.Context(), s, "alice")
			if asked != nil || answer.String() != c.want || s.Decision("") != "" {
				t.Errorf("answered %v", answer)
			}
		})
	}
}
