package granttest

import (
	"context"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store"
)

// Flow is one of the grants that a client polls for.
type Flow struct {
	Name  string
	Begin func(ctx context.Context, s *Service, subject string) (*Asked, Answer) // nil if it is refused
}

// Asked is what the client app asked for, and how it is decided.
type Asked struct {
	Subject string // who is to decide
	Handle  string // what app polls with
	Expires time.Duration

	decide   func(ctx context.Context, s *Service, subject string, allowed bool) error
	service  *Service
	poll     url.Values
	interval time.Duration
}

// Flows are the two.
var Flows = []Flow{
	{Name: "device", Begin: beginDevice},
	{Name: "CIBA", Begin: beginCIBA},
}

func beginDevice(ctx context.Context, s *Service, subject string) (*Asked, Answer) {
	answer := s.Post(ctx, "/connect/deviceauthorization", "app", url.Values{"scope": {"openid orders.read"}})
	if answer.Status != 200 {
		return nil, answer
	}
	a, code := s.asked(answer, s.Device.GrantType(), "device_code", subject), answer.Text("user_code")
	a.decide = func(ctx context.Context, s *Service, subject string, allowed bool) error {
		if !allowed {
			return s.Device.Deny(ctx, s.Endpoint, grants.Visitor{Subject: subject}, code)
		}
		return s.Device.Approve(ctx, s.Endpoint, grants.Visitor{Subject: subject}, code, store.Grant{Subject: subject})
	}
	return a, answer
}

// BeginCIBA asks with further parameters, in pairs.
func BeginCIBA(ctx context.Context, s *Service, subject string, parameters ...string) (*Asked, Answer) {
	form := url.Values{"scope": {"openid orders.read"}, "login_hint": {subject}}
	for i := 0; i < len(parameters); i += 2 {
		form.Set(parameters[i], parameters[i+1])
	}
	answer := s.Post(ctx, "/connect/ciba", "app", form)
	if answer.Status != 200 {
		return nil, answer
	}
	a, decision := s.asked(answer, s.CIBA.GrantType(), "auth_req_id", subject), s.Decision(subject)
	a.decide = func(ctx context.Context, s *Service, subject string, allowed bool) error {
		if !allowed {
			return s.CIBA.Deny(ctx, s.Endpoint, decision)
		}
		return s.CIBA.Approve(ctx, s.Endpoint, decision, store.Grant{Subject: subject})
	}
	return a, answer
}

func beginCIBA(ctx context.Context, s *Service, subject string) (*Asked, Answer) {
	return BeginCIBA(ctx, s, subject)
}

// Decision is that of the last authentication request for a subject.
func (s *Service) Decision(subject string) string {
	decision, _ := s.decisions.Load(subject)
	text, _ := decision.(string)
	return text
}

func (s *Service) asked(answer Answer, grantType, parameter, subject string) *Asked {
	seconds := func(member string) time.Duration {
		n, _ := answer.Members[member].(float64)
		return time.Duration(n) * time.Second
	}
	handle := answer.Text(parameter)
	return &Asked{
		Subject: subject, Handle: handle, Expires: seconds("expires_in"), service: s, interval: seconds("interval"),
		poll: url.Values{"grant_type": {grantType}, parameter: {handle}},
	}
}

// Poll is a token request of a client. It may be called by many goroutines.
func (a *Asked) Poll(ctx context.Context, client string) Answer {
	return a.service.Post(ctx, "/connect/token", client, a.poll)
}

// Approve lets app in, as a user of the service.
func (a *Asked) Approve(ctx context.Context, subject string) error {
	return a.decide(ctx, a.service, subject, true)
}

// Deny sends app away.
func (a *Asked) Deny(ctx context.Context, subject string) error {
	return a.decide(ctx, a.service, subject, false)
}

// At is the same at another process of the service.
func (a *Asked) At(s *Service) *Asked {
	other := *a
	other.service = s
	return &other
}

// Must begins, or ends the test.
func (f Flow) Must(t testing.TB, s *Service, subject string) *Asked {
	t.Helper()
	a, answer := f.Begin(t.Context(), s, subject)
	if a == nil || a.Handle == "" || a.Expires <= 0 || a.interval <= 0 {
		t.Fatalf("%s: the request was answered %v", f.Name, answer)
	}
	return a
}

// String says what counts of an answer in a comparison.
func (a Answer) String() string {
	if a.Status == 200 && a.Text("access_token") != "" {
		return "tokens"
	}
	if a.Status == 400 {
		return a.Code()
	}
	return fmt.Sprint(a.Status, " ", a.Code())
}
