package middleware_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grantor-go/grantor/middleware"
)

const (
	gateIssuer   = "https://shop.example"
	gateResource = "https://api.example/orders"
	gateURL      = "https://api.example/orders/7"
)

var gateTime = time.Unix(1_900_000_000, 0)

type object map[string]any

// with returns a copy with some members altered; those that are nil are taken out.
func (o object) with(changes object) object {
	all := object{}
	for _, from := range []object{o, changes} {
		for name, value := range from {
			if all[name] = value; value == nil {
				delete(all, name)
			}
		}
	}
	return all
}

// keyholder signs by ES256, with the standard library alone.
type keyholder struct{ key *ecdsa.PrivateKey }

func newKeyholder(t testing.TB) keyholder {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return keyholder{key}
}

func (k keyholder) jwk(changes object) object {
	point, err := k.key.PublicKey.Bytes()
	if err != nil {
		panic(err)
	}
	x, y := base64.RawURLEncoding.EncodeToString(point[1:33]), base64.RawURLEncoding.EncodeToString(point[33:])
	return object{"kty": "EC", "crv": "P-256", "x": x, "y": y}.with(changes)
}

// jkt is of RFC 7638 section 3.
func (k keyholder) jkt() string {
	jwk := k.jwk(nil)
	sum := sha256.Sum256(fmt.Appendf(nil, `{"crv":"P-256","kty":"EC","x":"%s","y":"%s"}`, jwk["x"], jwk["y"]))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func encodeJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func (k keyholder) sign(header, claims object) string {
	signed := encodeJSON(header) + "." + encodeJSON(claims)
	sum := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, k.key, sum[:])
	if err != nil {
		panic(err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// gate is a guard and all that is around it: an issuer, a handler, a log.
type gate struct {
	t      testing.TB
	issuer keyholder
	guard  *middleware.RequireToken
	passed atomic.Int64 // nanoseconds since gateTime; keys are fetched again in the background
	log    bytes.Buffer
	events []middleware.Access

	replays  *replays
	handler  http.Handler
	seen     *http.Request // the last that came to the handler
	reached  int
	keysErr  error
	keySet   []object
	asked    []string // tokens that were introspected
	answer   string   // of introspection
	askError error
}

// newGate has the keys of its issuer and nothing else, but for the changes.
func newGate(t testing.TB, changes ...func(*gate)) *gate {
	t.Helper()
	g := &gate{t: t, issuer: newKeyholder(t), replays: &replays{}}
	g.keySet = []object{g.issuer.jwk(object{"kid": "k1", "alg": "ES256"})}
	g.guard = &middleware.RequireToken{
		Issuer: gateIssuer, Resource: gateResource,
		JWKS: func(context.Context) ([]byte, error) {
			b, err := json.Marshal(object{"keys": g.keySet})
			if g.keysErr != nil {
				b, err = nil, g.keysErr
			}
			return b, err
		},
		Now:    g.now,
		Logger: slog.New(slog.NewTextHandler(&g.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, change := range changes {
		change(g)
	}
	g.handler = g.guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.reached++
		g.seen = r
		w.WriteHeader(http.StatusNoContent)
	}))
	return g
}

func (g *gate) now() time.Time { return gateTime.Add(time.Duration(g.passed.Load())) }

func (g *gate) pass(d time.Duration) { g.passed.Add(int64(d)) }

func withDPoP(g *gate) { g.guard.Replays = g.replays }

func withIntrospection(g *gate) {
	g.guard.Introspect = func(_ context.Context, token string) ([]byte, error) {
		g.asked = append(g.asked, token)
		return []byte(g.answer), g.askError
	}
}

// observed keeps the events instead of logging them.
func observed(g *gate) {
	g.guard.Observe = func(_ context.Context, a middleware.Access) { g.events = append(g.events, a) }
}

func (g *gate) claims(changes object) object {
	return object{
		"iss": gateIssuer, "aud": gateResource, "sub": "alice", "client_id": "app", "jti": "t1", "grant_id": "f1",
		"iat": gateTime.Unix(), "nbf": gateTime.Unix(), "exp": gateTime.Unix() + 300, "scope": "orders.read orders.write",
	}.with(changes)
}

// token is a good one, but for the changes to its claims.
func (g *gate) token(changes object) string {
	return g.issuer.sign(object{"alg": "ES256", "kid": "k1", "typ": "at+jwt"}, g.claims(changes))
}

// get sends a request with these header fields, and holds the answer to what every
// answer of a guard must be.
func (g *gate) get(fields ...string) *httptest.ResponseRecorder {
	g.t.Helper()
	return g.send(gateRequest(gateURL, fields...))
}

// gateRequest has header fields that are given as names and values in turn.
func gateRequest(url string, fields ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, url, nil)
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	return r
}

func (g *gate) send(r *http.Request) *httptest.ResponseRecorder {
	g.t.Helper()
	w := httptest.NewRecorder()
	before := g.reached
	g.handler.ServeHTTP(w, r)
	if passed := w.Code == http.StatusNoContent; passed != (g.reached == before+1) || !passed && g.reached != before {
		g.t.Errorf("the handler was called %d times, and the status is %d", g.reached-before, w.Code)
	}
	checkAnswer(g.t, w)
	return w
}

// bearer sends one request with a token.
func (g *gate) bearer(token string) *httptest.ResponseRecorder {
	g.t.Helper()
	return g.get("Authorization", "Bearer "+token)
}

// refusedAs is a status, an error code and what the log says of it; "204 granted" is
// that of a request that came to the handler.
func (g *gate) refusedAs(w *httptest.ResponseRecorder) string {
	body := struct {
		Error string `json:"error"`
	}{}
	_ = json.Unmarshal(w.Body.Bytes(), &body)
	_, reason, _ := strings.Cut(g.log.String(), "reason=")
	g.log.Reset()
	reason, _, _ = strings.Cut(reason, " ")
	return strings.Join(strings.Fields(fmt.Sprint(w.Code, " ", body.Error, " ", reason)), " ")
}

func (g *gate) expect(w *httptest.ResponseRecorder, want string) {
	g.t.Helper()
	if got := g.refusedAs(w); got != want {
		g.t.Errorf("got %q, want %q: %s %v", got, want, w.Body, w.Header())
	}
}

// replays is a ReplayStore whose ids are never forgotten.
type replays struct {
	mu        sync.Mutex
	ids       map[string]bool
	lifetimes []time.Duration
	err       error
}

func (s *replays) Use(_ context.Context, id string, lifetime time.Duration) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return false, s.err
	}
	first := !s.ids[id]
	if s.ids == nil {
		s.ids = make(map[string]bool)
	}
	s.ids[id] = true
	s.lifetimes = append(s.lifetimes, lifetime)
	return first, nil
}
