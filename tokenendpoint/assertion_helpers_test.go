package tokenendpoint_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

const (
	assertionIssuer   = "https://shop.example"
	assertionTokenURL = assertionIssuer + "/connect/token"
	assertionFormURL  = "/connect/deviceauthorization"
	assertionType     = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	assertionRefused  = `{"error":"invalid_client","error_description":"client authentication failed"}`
)

// assertionShop is a service whose clients authenticate by assertions, and what is
// behind it. It has one client, "reports", with the key of an asserter.
type assertionShop struct {
	t        testing.TB
	handler  http.Handler
	endpoint *tokenendpoint.Endpoint
	clients  *memory.Clients
	replays  *assertionReplays
	throttle *assertionThrottle
	clock    *keysClock
	log      *keysLog

	mu     sync.Mutex
	events []tokenendpoint.Event
}

func newAssertionShop(t testing.TB, configure ...func(*tokenendpoint.Config)) *assertionShop {
	t.Helper()
	clock := newKeysClock(keysStart)
	s := &assertionShop{
		t: t, clients: memory.NewClients(), clock: clock, log: new(keysLog), throttle: new(assertionThrottle),
		replays: &assertionReplays{t: t, now: clock.Now, ends: make(map[string]time.Time)},
	}
	s.register("reports", assertionES256().jwks())
	config := tokenendpoint.Config{
		Issuer:   assertionIssuer,
		Clients:  s.clients,
		Scopes:   memory.NewScopes(store.Scope{Name: "read", Resources: []string{ordersAPI}}),
		Keys:     tokenendpoint.StaticKeys{{ID: "k1", Alg: tokenendpoint.ES256, Signer: trialKey()}},
		Grants:   []tokenendpoint.GrantValidator{grants.ClientCredentials{}, grants.DeviceCode{VerificationURL: assertionIssuer + "/device"}},
		Records:  new(memory.Grants),
		Replays:  s.replays,
		Throttle: s.throttle,
		Observe: func(ctx context.Context, event tokenendpoint.Event) {
			tokenendpoint.LogEvents(s.log.Logger())(ctx, event)
			s.mu.Lock()
			defer s.mu.Unlock()
			s.events = append(s.events, event)
		},
		Logger: s.log.Logger(),
		Now:    clock.Now,
	}
	for _, change := range configure {
		change(&config)
	}
	var err error
	if s.endpoint, err = tokenendpoint.New(config); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	s.endpoint.Mount(mux)
	s.handler = mux
	return s
}

// register adds a client that authenticates by private_key_jwt, unless that is altered.
func (s *assertionShop) register(id, jwks string, alter ...func(*store.Client)) {
	client := store.Client{Metadata: store.Metadata{
		ID: id, GrantTypes: []string{"client_credentials", grants.DeviceCode{}.GrantType()}, Scope: "read",
		TokenEndpointAuthMethod: store.PrivateKeyJWT, JWKS: json.RawMessage(jwks),
	}}
	for _, change := range alter {
		change(&client)
	}
	s.clients.Put(client)
}

// assertionAnswer is an answer and the event of its request.
type assertionAnswer struct {
	status int
	header http.Header
	body   string
	event  tokenendpoint.Event
}

// assert sends a token request with an assertion. Parameters come in pairs.
func (s *assertionShop) assert(token string, parameters ...string) assertionAnswer {
	form := deskForm("client_credentials", append([]string{"client_assertion_type", assertionType, "client_assertion", token}, parameters...))
	return s.post("/connect/token", form)
}

// post may be called by many goroutines.
func (s *assertionShop) post(path string, form url.Values, headers ...string) assertionAnswer {
	var event tokenendpoint.Event
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	s.mu.Lock()
	if len(s.events) > 0 {
		event = s.events[len(s.events)-1]
	}
	s.mu.Unlock()
	return assertionAnswer{w.Code, w.Header(), w.Body.String(), event}
}

// want checks what was answered and the reason that was reported: of a refusal that it
// is the one answer that all of them have, of a failure that it says nothing.
func (s *assertionShop) want(answer assertionAnswer, reason tokenendpoint.Reason) {
	s.t.Helper()
	status, body := 401, assertionRefused
	switch reason {
	case tokenendpoint.ReasonIssued:
		status, body = 200, answer.body
	case tokenendpoint.ReasonClientKeys:
		status, body = 500, faultServerError
	case tokenendpoint.ReasonClientKeysUnavailable, tokenendpoint.ReasonStoreUnavailable:
		status, body = 503, faultUnavailable
	case tokenendpoint.ReasonSeveralMethods:
		status, body = 400, `{"error":"invalid_request","error_description":"the request has more than one client authentication"}`
	}
	s.wantAnswer(answer, reason, status, body)
}

func (s *assertionShop) wantAnswer(answer assertionAnswer, reason tokenendpoint.Reason, status int, body string) {
	s.t.Helper()
	if answer.status != status || answer.body != body || answer.event.Reason != reason {
		s.t.Errorf("answered %d %s for %q (%v), want %d %s for %q", answer.status, answer.body, answer.event.Reason, answer.event.Err, status, body, reason)
	}
	if issued := status == 200; answer.event.Authenticated != issued || strings.Contains(answer.body, "access_token") != issued {
		s.t.Errorf("answered %s, and the event is %+v", answer.body, answer.event)
	}
	if challenge := answer.header.Get("WWW-Authenticate"); (challenge != "") != (status == 401) {
		s.t.Errorf("a %d with the challenge %q", status, challenge)
	}
}

// assertionReplays is a ReplayStore that goes by the clock of a test and can fail.
type assertionReplays struct {
	t    testing.TB
	now  func() time.Time
	mu   sync.Mutex
	ends map[string]time.Time
	fail error
	last time.Duration // the lifetime that was asked for
}

func (r *assertionReplays) Use(_ context.Context, id string, lifetime time.Duration) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		return false, r.fail
	}
	if len(id) < 1 || len(id) > 64 || strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" || lifetime <= 0 {
		r.t.Errorf("Use(%q, %v)", id, lifetime)
	}
	now := r.now()
	if end, ok := r.ends[id]; ok && now.Before(end) {
		return false, nil
	}
	r.ends[id], r.last = now.Add(lifetime), lifetime
	return true, nil
}

func (r *assertionReplays) used() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.ends)
}

// assertionThrottle counts what failed and blocks nobody.
type assertionThrottle struct {
	mu       sync.Mutex
	failures []tokenendpoint.Attempt
}

func (t *assertionThrottle) Blocked(context.Context, tokenendpoint.Attempt) (time.Duration, error) {
	return 0, nil
}

func (t *assertionThrottle) Failed(_ context.Context, attempt tokenendpoint.Attempt) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failures = append(t.failures, attempt)
	return nil
}

// assertionCase is an assertion that is altered, and how it ends.
type assertionCase struct {
	name   string
	alter  assertionChange
	reason tokenendpoint.Reason // empty: issued
}

// try sends the assertions of a client, and checks that those that are refused use up no
// jti.
func (s *assertionShop) try(a asserter, cases []assertionCase) {
	t := s.t.(*testing.T)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s.t = t
			if c.reason == "" {
				c.reason = tokenendpoint.ReasonIssued
			}
			before := s.replays.used()
			s.want(s.assert(a.token(c.alter)), c.reason)
			if used := s.replays.used() - before; (used == 1) != (c.reason == tokenendpoint.ReasonIssued) {
				t.Errorf("%d ids were used up", used)
			}
		})
	}
	s.t = t
}

func (a assertionAnswer) String() string { return fmt.Sprint(a.status, a.header, a.body) }

func setLegacyAudience(c *store.Client) { c.LegacyAssertionAudience = true }

func assertMethods(methods ...store.AuthMethod) func(*store.Client) {
	return func(c *store.Client) { c.AuthMethods = methods }
}

// assertionSecrets is a Config.ClientSecrets that knows the same for all clients.
func assertionSecrets(secrets ...string) func(context.Context, *store.Client) ([]string, error) {
	return func(context.Context, *store.Client) ([]string, error) { return secrets, nil }
}

// assertionSpy is a grant type that looks for what it must not be shown.
type assertionSpy struct{ t *testing.T }

func (assertionSpy) GrantType() string { return "urn:example:spy" }

func (spy assertionSpy) Validate(_ context.Context, req *tokenendpoint.Request) (*tokenendpoint.Result, error) {
	if req.Form.Has("client_assertion") || req.Form.Has("client_assertion_type") || strings.Contains(fmt.Sprintf("%+v", *req), "eyJ") {
		spy.t.Errorf("the request is %+v", *req)
	}
	if !req.Authenticated || req.AuthMethod != store.PrivateKeyJWT || req.Client.ID != "reports" {
		spy.t.Errorf("authenticated %t by %q as %q", req.Authenticated, req.AuthMethod, req.Client.ID)
	}
	return &tokenendpoint.Result{}, nil
}
