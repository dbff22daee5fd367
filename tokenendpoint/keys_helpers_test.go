package tokenendpoint_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// keysStart has a fraction of a second, which must not lengthen any token.
var keysStart = time.Date(2026, 3, 1, 12, 0, 0, 900_000_000, time.UTC)

// keysClock is a clock that goes only when it is told to.
type keysClock struct{ nanoseconds atomic.Int64 }

func newKeysClock(at time.Time) *keysClock {
	c := new(keysClock)
	c.Set(at)
	return c
}

func (c *keysClock) Now() time.Time          { return time.Unix(0, c.nanoseconds.Load()).UTC() }
func (c *keysClock) Set(at time.Time)        { c.nanoseconds.Store(at.UnixNano()) }
func (c *keysClock) Advance(d time.Duration) { c.nanoseconds.Add(int64(d)) }

// keysLog is a log that can be read while it is written.
type keysLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *keysLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *keysLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *keysLog) Logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// keysConfig is that of an endpoint with one client, "reports", whose tokens live
// an hour.
func keysConfig(source tokenendpoint.KeySource, clock *keysClock) tokenendpoint.Config {
	return tokenendpoint.Config{
		Issuer: "https://shop.example",
		Clients: memory.NewClients(store.Client{
			Metadata: store.Metadata{ID: "reports", GrantTypes: []string{"client_credentials"}, Scope: "read"},
			Secrets:  []store.Secret{{Hash: store.HashSecret("secret")}},
		}),
		Scopes: memory.NewScopes(store.Scope{Name: "read", Resources: []string{"https://api.example"}}),
		Keys:   source,
		Grants: []tokenendpoint.GrantValidator{grants.ClientCredentials{}},
		Logger: new(keysLog).Logger(),
		Now:    clock.Now,
	}
}

func keysEndpoint(t *testing.T, source tokenendpoint.KeySource, clock *keysClock) *tokenendpoint.Endpoint {
	t.Helper()
	endpoint, err := tokenendpoint.New(keysConfig(source, clock))
	if err != nil {
		t.Fatal(err)
	}
	return endpoint
}

// keysAsk asks for a token.
func keysAsk(endpoint http.Handler) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "https://shop.example/connect/token",
		strings.NewReader("grant_type=client_credentials&client_id=reports&client_secret=secret"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	endpoint.ServeHTTP(w, r)
	return w
}

// keysToken asks for a token and returns it with its lifetime in seconds.
func keysToken(t *testing.T, endpoint http.Handler) (token string, expiresIn int64) {
	t.Helper()
	w := keysAsk(endpoint)
	var answer struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int64  `json:"expires_in"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusOK || answer.AccessToken == "" {
		t.Fatalf("no token: status %d, %s", w.Code, w.Body)
	}
	return answer.AccessToken, answer.ExpiresIn
}

// keysPublished returns the JWK Set as an API fetches it.
func keysPublished(t *testing.T, endpoint *tokenendpoint.Endpoint) keysSet {
	t.Helper()
	mux := http.NewServeMux()
	endpoint.Mount(mux)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest("GET", "https://shop.example/.well-known/openid-configuration/jwks", nil))
	var set keysSet
	if err := json.Unmarshal(w.Body.Bytes(), &set); err != nil || w.Code != http.StatusOK {
		t.Fatalf("the JWKS: status %d, %s", w.Code, w.Body)
	}
	return set
}

// keysAtHand are keys that tests share where it does not matter which they are.
var keysAtHand = sync.OnceValue(func() map[tokenendpoint.Alg]crypto.Signer {
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return map[tokenendpoint.Alg]crypto.Signer{tokenendpoint.ES256: p256, tokenendpoint.EdDSA: ed}
})

func newKeysGet(handler http.Handler, url string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest("GET", url, nil))
	return w
}

// keysPanicking is a source that panics once it is broken.
type keysPanicking struct {
	tokenendpoint.KeySource
	broken *bool
}

func (p keysPanicking) Keys(ctx context.Context) ([]tokenendpoint.Key, error) {
	if *p.broken {
		panic("canary")
	}
	return p.KeySource.Keys(ctx)
}
