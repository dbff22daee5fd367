package tokenendpoint_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strconv"
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
	trialIssuer = "https://shop.example"
	trialSecret = "sesame-c0ffee"
	trialGrant  = "urn:example:trial"
	ordersAPI   = "https://orders.example"
	stockAPI    = "https://stock.example"
)

// trialNow is what the clock of a trial shows: a fixed time, so that a token's
// times can be compared exactly.
var trialNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// trialKey is made once: tests that share it share no other state.
var trialKey = sync.OnceValue(func() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
})

// trialParts is everything that an endpoint depends on. A test replaces what is
// to misbehave, before a request or between two.
type trialParts struct {
	clients    func(context.Context, string) (*store.Client, error)
	scopes     func(context.Context, []string) ([]store.Scope, error)
	keys       func(context.Context) ([]tokenendpoint.Key, error)
	sign       func(io.Reader, []byte, crypto.SignerOpts) ([]byte, error)
	blocked    func(context.Context, tokenendpoint.Attempt) (time.Duration, error)
	failed     func(context.Context, tokenendpoint.Attempt) error
	validate   func(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error)
	policy     func(context.Context, *tokenendpoint.Request, *tokenendpoint.Token) error
	observe    func(context.Context, tokenendpoint.Event)
	remoteAddr func(*http.Request) netip.Addr
	body       func(string) io.Reader
	secret     string // that requests authenticate with
}

// trial is the token endpoint of a small shop, with every dependency in reach.
type trial struct {
	trialParts
	t        testing.TB
	endpoint *tokenendpoint.Endpoint
	logger   *slog.Logger
	log      *bytes.Buffer
	client   *store.Client
	events   []tokenendpoint.Event
}

func newTrial(t testing.TB, configure ...func(*tokenendpoint.Config)) *trial {
	t.Helper()
	log := new(bytes.Buffer)
	tr := &trial{t: t, log: log, logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	tr.client = &store.Client{
		Metadata: store.Metadata{
			ID: "till", GrantTypes: []string{"client_credentials", trialGrant},
			Scope: "orders.read orders.write stock.read profile offline_access",
		},
		Secrets: []store.Secret{{Hash: store.HashSecret(trialSecret)}},
	}
	scopes := memory.NewScopes(
		store.Scope{Name: "orders.read", Resources: []string{ordersAPI}},
		store.Scope{Name: "orders.write", Resources: []string{ordersAPI}},
		store.Scope{Name: "stock.read", Resources: []string{stockAPI}},
		store.Scope{Name: "profile", Identity: true},
		store.Scope{Name: "offline_access"},
	)
	keys := []tokenendpoint.Key{{ID: "k1", Alg: tokenendpoint.ES256, Signer: trialSigner{tr}}}
	tr.trialParts = trialParts{
		clients: func(_ context.Context, id string) (*store.Client, error) {
			if id != tr.client.ID {
				return nil, store.ErrNotFound
			}
			return tr.client, nil
		},
		scopes:  scopes.Scopes,
		keys:    func(context.Context) ([]tokenendpoint.Key, error) { return keys, nil },
		sign:    trialKey().Sign,
		blocked: func(context.Context, tokenendpoint.Attempt) (time.Duration, error) { return 0, nil },
		failed:  func(context.Context, tokenendpoint.Attempt) error { return nil },
		validate: func(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) {
			return &tokenendpoint.Result{}, nil
		},
		policy:     func(context.Context, *tokenendpoint.Request, *tokenendpoint.Token) error { return nil },
		observe:    func(context.Context, tokenendpoint.Event) {},
		remoteAddr: func(*http.Request) netip.Addr { return netip.MustParseAddr("192.0.2.7") },
		body:       func(s string) io.Reader { return strings.NewReader(s) },
		secret:     trialSecret,
	}
	config := tokenendpoint.Config{
		Issuer:  trialIssuer,
		Clients: trialClients{tr}, Scopes: trialScopes{tr}, Keys: trialKeys{tr}, Throttle: trialThrottle{tr},
		Grants: []tokenendpoint.GrantValidator{grants.ClientCredentials{}, trialValidator{tr}},
		Policy: func(ctx context.Context, req *tokenendpoint.Request, token *tokenendpoint.Token) error {
			return tr.policy(ctx, req, token)
		},
		Observe: func(ctx context.Context, event tokenendpoint.Event) {
			tr.events = append(tr.events, event)
			tokenendpoint.LogEvents(tr.logger)(ctx, event)
			tr.observe(ctx, event)
		},
		RemoteAddr: func(r *http.Request) netip.Addr { return tr.remoteAddr(r) },
		Logger:     tr.logger,
		Now:        func() time.Time { return trialNow },
	}
	for _, change := range configure {
		change(&config)
	}
	endpoint, err := tokenendpoint.New(config)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	tr.endpoint = endpoint
	return tr
}

type (
	trialClients   struct{ *trial }
	trialScopes    struct{ *trial }
	trialKeys      struct{ *trial }
	trialSigner    struct{ *trial }
	trialThrottle  struct{ *trial }
	trialValidator struct{ *trial }
)

func (t trialClients) Client(ctx context.Context, id string) (*store.Client, error) {
	return t.clients(ctx, id)
}

func (t trialScopes) Scopes(ctx context.Context, names []string) ([]store.Scope, error) {
	return t.scopes(ctx, names)
}

func (t trialKeys) Keys(ctx context.Context) ([]tokenendpoint.Key, error) { return t.keys(ctx) }

func (trialSigner) Public() crypto.PublicKey { return trialKey().Public() }

func (t trialSigner) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return t.sign(rand, digest, opts)
}

func (t trialThrottle) Blocked(ctx context.Context, a tokenendpoint.Attempt) (time.Duration, error) {
	return t.blocked(ctx, a)
}

func (t trialThrottle) Failed(ctx context.Context, a tokenendpoint.Attempt) error {
	return t.failed(ctx, a)
}

func (trialValidator) GrantType() string { return trialGrant }

func (t trialValidator) Validate(ctx context.Context, req *tokenendpoint.Request) (*tokenendpoint.Result, error) {
	return t.validate(ctx, req)
}

// trialAnswer is a response, read.
type trialAnswer struct {
	status  int
	header  http.Header
	body    string
	members map[string]any
}

// request makes a token request of the shop's client, by HTTP Basic.
func (tr *trial) request(form string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/connect/token", tr.body(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("till", tr.secret)
	return r
}

// ask sends a request of the trial's own grant type.
func (tr *trial) ask(parameters string) trialAnswer {
	tr.t.Helper()
	return tr.send(tr.request("grant_type=" + trialGrant + "&" + parameters))
}

// send serves a request and holds the answer to what all answers have in common:
// RFC 6749 sections 5.1 and 5.2.
func (tr *trial) send(r *http.Request) trialAnswer {
	tr.t.Helper()
	w := httptest.NewRecorder()
	tr.endpoint.ServeHTTP(w, r)
	answer := trialAnswer{status: w.Code, header: w.Result().Header, body: w.Body.String()}
	if err := json.Unmarshal(w.Body.Bytes(), &answer.members); err != nil {
		tr.t.Fatalf("the body %q is not a JSON object: %v", answer.body, err)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json", "Cache-Control": "no-store", "Pragma": "no-cache",
		"Content-Length": strconv.Itoa(len(answer.body)),
	} {
		if got := answer.header.Values(name); !reflect.DeepEqual(got, []string{want}) {
			tr.t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	_, refused := answer.members["error"]
	_, issued := answer.members["access_token"]
	if refused == issued || issued != (answer.status == http.StatusOK) {
		tr.t.Errorf("status %d with the body %s", answer.status, answer.body)
	}
	return answer
}

// refusal checks that an answer is an error and nothing but what is wanted.
func (tr *trial) refusal(answer trialAnswer, status int, body string) {
	tr.t.Helper()
	if answer.status != status || answer.body != body {
		tr.t.Errorf("answered %d %s, want %d %s", answer.status, answer.body, status, body)
	}
}

// event returns the event of the only request so far.
func (tr *trial) event() tokenendpoint.Event {
	tr.t.Helper()
	if len(tr.events) != 1 {
		tr.t.Fatalf("%d events of one request", len(tr.events))
	}
	return tr.events[0]
}

// claims verifies the token of an answer and returns its claims.
func (tr *trial) claims(answer trialAnswer) map[string]any {
	tr.t.Helper()
	token, _ := answer.members["access_token"].(string)
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		tr.t.Fatalf("no token in %d %s", answer.status, answer.body)
	}
	var decoded [3][]byte
	for i, part := range parts {
		var err error
		if decoded[i], err = base64.RawURLEncoding.DecodeString(part); err != nil {
			tr.t.Fatal(err)
		}
	}
	signature, sum := decoded[2], sha256.Sum256([]byte(parts[0]+"."+parts[1]))
	if len(signature) != 64 || !ecdsa.Verify(&trialKey().PublicKey, sum[:],
		new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		tr.t.Fatalf("the signature of %s is wrong", token)
	}
	if got, want := string(decoded[0]), `{"alg":"ES256","kid":"k1","typ":"at+jwt"}`; got != want {
		tr.t.Errorf("the header is %s, want %s", got, want)
	}
	var claims map[string]any
	if err := json.Unmarshal(decoded[1], &claims); err != nil {
		tr.t.Fatal(err)
	}
	return claims
}

// equal compares, by the JSON that was sent, so that numbers are float64.
func (tr *trial) equal(what string, got, want any) {
	tr.t.Helper()
	if !reflect.DeepEqual(got, want) {
		tr.t.Errorf("%s is %v, want %v", what, got, want)
	}
}
