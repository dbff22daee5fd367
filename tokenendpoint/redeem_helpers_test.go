package tokenendpoint_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
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

// The challenge and verifier of RFC 7636 appendix B.
const (
	redeemChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	redeemVerifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	redeemSecret    = "sesame-of-the-desk"
	redeemOwn       = "urn:example:own" // a grant type of the host's own
)

// redeemStore is a store that a test can stand in the way of.
type redeemStore struct {
	memory.Grants
	around func(ctx context.Context, method string, call func(context.Context) error) error
	found  func(*store.Record, *store.Family) // alters what Find returns
}

type redeemCalls struct{}

// do calls a method, and counts it in the context of the request.
func (s *redeemStore) do(ctx context.Context, method string, call func(context.Context) error) error {
	if calls, ok := ctx.Value(redeemCalls{}).(*atomic.Int64); ok {
		calls.Add(1)
	}
	if s.around != nil {
		return s.around(ctx, method, call)
	}
	return call(ctx)
}

func (s *redeemStore) Find(ctx context.Context, key store.Key) (record *store.Record, family *store.Family, err error) {
	err = s.do(ctx, "Find", func(ctx context.Context) (err error) {
		if record, family, err = s.Grants.Find(ctx, key); err == nil && s.found != nil {
			s.found(record, family)
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return record, family, nil
}

func (s *redeemStore) Exchange(ctx context.Context, change *store.Change) error {
	return s.do(ctx, "Exchange", func(ctx context.Context) error { return s.Grants.Exchange(ctx, change) })
}

func (s *redeemStore) Revoke(ctx context.Context, match store.Match, at time.Time) (n int, err error) {
	err = s.do(ctx, "Revoke", func(ctx context.Context) (err error) {
		n, err = s.Grants.Revoke(ctx, match, at)
		return err
	})
	return n, err
}

func (s *redeemStore) FamilyLive(ctx context.Context, id string) (live bool, err error) {
	err = s.do(ctx, "FamilyLive", func(ctx context.Context) (err error) {
		live, err = s.Grants.FamilyLive(ctx, id)
		return err
	})
	return live, err
}

// desk is a service with users: its endpoint, and what is behind it.
type desk struct {
	t        *testing.T
	endpoint *tokenendpoint.Endpoint
	records  *redeemStore
	clients  *memory.Clients
	clock    *keysClock
	log      *keysLog
	users    func(context.Context, *tokenendpoint.Request, *tokenendpoint.Token) error
	validate func(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error)

	mu     sync.Mutex
	events []tokenendpoint.Event
}

// newDesk has three clients that get refresh tokens always: web rotates them, till
// keeps them, both with a secret, and app is public.
func newDesk(t *testing.T, configure ...func(*tokenendpoint.Config)) *desk {
	t.Helper()
	d := &desk{t: t, records: new(redeemStore), clients: memory.NewClients(), clock: newKeysClock(keysStart), log: new(keysLog)}
	for _, id := range []string{"web", "till", "app"} {
		client := store.Client{
			Metadata: store.Metadata{
				ID: id, GrantTypes: []string{"authorization_code", "refresh_token", redeemOwn}, RedirectURIs: []string{"https://app.example/callback"},
				Scope: "openid profile offline_access orders.read orders.write",
			},
			RefreshTokens: store.RefreshTokensAlways, Secrets: []store.Secret{{Hash: store.HashSecret(redeemSecret)}},
		}
		switch id {
		case "web":
			client.Rotation = store.RotationRotate
		case "app":
			client.Secrets, client.AuthMethods = nil, []store.AuthMethod{store.NoAuth}
		}
		d.clients.Put(client)
	}
	config := tokenendpoint.Config{
		Issuer:  trialIssuer,
		Clients: d.clients,
		Scopes: memory.NewScopes(store.Scope{Name: "openid"}, store.Scope{Name: "profile", Identity: true, Claims: []string{"name"}}, store.Scope{Name: "offline_access"},
			store.Scope{Name: "orders.read", Resources: []string{ordersAPI}, Claims: []string{"branch"}}, store.Scope{Name: "orders.write", Resources: []string{ordersAPI}}),
		Keys:    tokenendpoint.StaticKeys{{ID: "k1", Alg: tokenendpoint.ES256, Signer: trialKey()}},
		Grants:  []tokenendpoint.GrantValidator{grants.AuthorizationCode{}, grants.RefreshToken{}, deskGrant{d}},
		Records: d.records,
		Users: func(ctx context.Context, req *tokenendpoint.Request, token *tokenendpoint.Token) error {
			if d.users == nil {
				return nil
			}
			return d.users(ctx, req, token)
		},
		Observe: func(_ context.Context, event tokenendpoint.Event) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.events = append(d.events, event)
		},
		Logger: d.log.Logger(),
		Now:    d.clock.Now,
	}
	for _, change := range configure {
		change(&config)
	}
	var err error
	if d.endpoint, err = tokenendpoint.New(config); err != nil {
		t.Fatal(err)
	}
	return d
}

type deskGrant struct{ *desk }

func (deskGrant) GrantType() string { return redeemOwn }

func (g deskGrant) Validate(ctx context.Context, req *tokenendpoint.Request) (*tokenendpoint.Result, error) {
	return g.validate(ctx, req)
}

// deskAnswer is an answer and how many calls of the store it took.
type deskAnswer struct {
	status  int
	body    string
	members map[string]any
	calls   int
}

func (a deskAnswer) refresh() string { s, _ := a.members["refresh_token"].(string); return s }

// ask sends a request of a client. It may be called by many goroutines.
func (d *desk) ask(ctx context.Context, client string, form url.Values) deskAnswer {
	form.Set("client_id", client)
	if client != "app" {
		form.Set("client_secret", redeemSecret)
	}
	calls := new(atomic.Int64)
	ctx = context.WithValue(ctx, redeemCalls{}, calls)
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/connect/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	d.endpoint.ServeHTTP(w, r)
	answer := deskAnswer{status: w.Code, body: w.Body.String(), calls: int(calls.Load())}
	if err := json.Unmarshal(w.Body.Bytes(), &answer.members); err != nil {
		d.t.Errorf("the body %q is no JSON object", answer.body)
	}
	return answer
}

// redeem sends a code with its verifier, refresh a refresh token. Parameters come
// in pairs.
func (d *desk) redeem(client, code string, parameters ...string) deskAnswer {
	return d.ask(d.t.Context(), client, deskForm("authorization_code", append(parameters, "code", code, "code_verifier", redeemVerifier)))
}

func (d *desk) refresh(client, token string, parameters ...string) deskAnswer {
	return d.ask(d.t.Context(), client, deskForm("refresh_token", append(parameters, "refresh_token", token)))
}

func deskForm(grantType string, parameters []string) url.Values {
	form := url.Values{"grant_type": {grantType}}
	for i := 0; i < len(parameters); i += 2 {
		form.Set(parameters[i], parameters[i+1])
	}
	return form
}

// code issues a code for alice at a client.
func (d *desk) code(client string, alter ...func(*store.Grant)) string {
	d.t.Helper()
	grant := store.Grant{ClientID: client, Subject: "alice", Scopes: []string{"openid", "profile", "orders.read", "orders.write"}, Session: "s1"}
	for _, change := range alter {
		change(&grant)
	}
	code, err := grants.AuthorizationCode{}.Issue(d.t.Context(), d.endpoint, grants.Code{Grant: grant, CodeChallenge: redeemChallenge, CodeChallengeMethod: "S256"})
	if err != nil {
		d.t.Fatalf("Issue: %v", err)
	}
	return code
}

// signIn issues a code and redeems it.
func (d *desk) signIn(client string, alter ...func(*store.Grant)) deskAnswer {
	d.t.Helper()
	answer := d.redeem(client, d.code(client, alter...))
	d.want(answer, 200, "")
	return answer
}

// want checks the status and the reason of the last event; of a success that
// tokens are there, of an error that none are.
func (d *desk) want(answer deskAnswer, status int, reason tokenendpoint.Reason) {
	d.t.Helper()
	if status == 200 {
		reason = tokenendpoint.ReasonIssued
	}
	d.mu.Lock()
	event := d.events[len(d.events)-1]
	d.mu.Unlock()
	_, issued := answer.members["access_token"]
	if answer.status != status || issued != (status == 200) || event.Reason != reason || event.Status != status {
		d.t.Fatalf("answered %d %s for %q (%v), want %d for %q", answer.status, answer.body, event.Reason, event.Err, status, reason)
	}
	if code := map[int]string{400: "invalid_grant", 500: "server_error", 503: "temporarily_unavailable"}[status]; code != "" && answer.members["error"] != code {
		d.t.Fatalf("answered %s, want %s", answer.body, code)
	}
	if status >= 500 && len(answer.members) > 1 {
		d.t.Errorf("a failure says more than its code: %s", answer.body)
	}
}

// claims returns those of a token of an answer, whose signature the transcripts
// hold.
func (d *desk) claims(answer deskAnswer, member string) map[string]any {
	d.t.Helper()
	token, _ := answer.members[member].(string)
	var claims map[string]any
	parts := strings.Split(token+"..", ".")
	decoded, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err == nil {
		err = json.Unmarshal(decoded, &claims)
	}
	if err != nil {
		d.t.Fatalf("%s of %s: %v", member, answer.body, err)
	}
	return claims
}

func (d *desk) equal(what string, got, want any) {
	d.t.Helper()
	if fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", want) {
		d.t.Errorf("%s is %v, want %v", what, got, want)
	}
}
