// Package granttest checks tokens that are revoked, and the grants that users decide on
// elsewhere, the device authorization grant and CIBA, over any store.GrantStore: every
// short sequence of what can happen to them against a model, and what happens at once. It
// is for the tests of this repository.
package granttest

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"log/slog"
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
	issuer   = "https://shop.example"
	password = "sesame-of-granttest"
)

// Service is a service that mounts the endpoint, with both grants. Its clients are
// "app", who asks, and "other", who may ask too; both get refresh tokens that are kept.
type Service struct {
	Endpoint *tokenendpoint.Endpoint
	Device   grants.DeviceCode
	CIBA     *grants.CIBA
	Clients  *memory.Clients
	Clock    *Clock
	Log      *Log // of the endpoint, its events and CIBA

	mux       http.ServeMux
	decisions sync.Map // of CIBA, by subject
}

// New returns a service over a store. change alters its Config before it is used.
func New(t testing.TB, records store.GrantStore, change ...func(*tokenendpoint.Config)) *Service {
	t.Helper()
	s := &Service{
		Device: grants.DeviceCode{VerificationURL: issuer + "/device"}, Clients: memory.NewClients(),
		Clock: &Clock{now: time.Now().Truncate(time.Microsecond)}, Log: new(Log),
	}
	logger := slog.New(slog.NewTextHandler(s.Log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.CIBA = &grants.CIBA{
		Resolve: func(_ context.Context, a *grants.Authentication) (string, error) { return a.LoginHint, nil },
		Ask: func(_ context.Context, a *grants.Authentication) error {
			s.decisions.Store(a.Subject, a.Decision)
			return nil
		},
		Logger: logger,
	}
	for _, id := range []string{"app", "other"} {
		s.Clients.Put(store.Client{
			Metadata: store.Metadata{ID: id, GrantTypes: []string{s.Device.GrantType(), s.CIBA.GrantType(), "refresh_token"}, Scope: "openid orders.read"},
			Secrets:  []store.Secret{{Hash: store.HashSecret(password)}}, RefreshTokens: store.RefreshTokensAlways, Rotation: store.RotationKeep,
		})
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	config := tokenendpoint.Config{
		Issuer: issuer, Clients: s.Clients, Records: records, Now: s.Clock.Now, Logger: logger,
		Scopes: memory.NewScopes(store.Scope{Name: "openid"}, store.Scope{Name: "orders.read"}),
		Keys:   tokenendpoint.StaticKeys{{ID: "k1", Alg: tokenendpoint.ES256, Signer: key}},
		Grants: []tokenendpoint.GrantValidator{s.Device, s.CIBA, grants.RefreshToken{}},
	}
	for _, alter := range change {
		alter(&config)
	}
	if s.Endpoint, err = tokenendpoint.New(config); err != nil {
		t.Fatal(err)
	}
	s.Endpoint.Mount(&s.mux)
	return s
}

// Answer is what came back: the status, and the members of the JSON.
type Answer struct {
	Status  int
	Members map[string]any
}

// Code is the member error, empty of a success.
func (a Answer) Code() string { return a.Text("error") }

// Text is a member that is a string.
func (a Answer) Text(member string) string { s, _ := a.Members[member].(string); return s }

// Post sends a client's form to a path, with its secret or, if there is a client_id in
// the form, as it is. It may be called by many goroutines.
func (s *Service) Post(ctx context.Context, path, client string, form url.Values) Answer {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, issuer+path, strings.NewReader(form.Encode()))
	if err != nil {
		panic(err) // the path is a test's own
	}
	r.RemoteAddr = "192.0.2.1:1234"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if !form.Has("client_id") {
		r.SetBasicAuth(client, password)
	}
	w := httptest.NewRecorder()
	s.mux.ServeHTTP(w, r)
	answer := Answer{Status: w.Code}
	if json.Unmarshal(w.Body.Bytes(), &answer.Members) != nil {
		answer.Members = map[string]any{"error": "no JSON"}
	}
	return answer
}

// Refresh redeems the refresh token of an answer.
func (s *Service) Refresh(ctx context.Context, tokens Answer) Answer {
	return s.Post(ctx, "/connect/token", "app", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.Text("refresh_token")}})
}

// Clock stands still until it is set. It begins at the real time: an engine may expire
// records by its own.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now is for Config.Now.
func (c *Clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }

// Set sets the clock.
func (c *Clock) Set(now time.Time) { c.mu.Lock(); defer c.mu.Unlock(); c.now = now }

// Add moves the clock.
func (c *Clock) Add(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.now = c.now.Add(d) }

// Log keeps what was logged.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements [io.Writer].
func (l *Log) Write(p []byte) (int, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.text.Write(p) }

// String returns all of it.
func (l *Log) String() string { l.mu.Lock(); defer l.mu.Unlock(); return l.text.String() }
