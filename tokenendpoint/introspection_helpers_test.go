package tokenendpoint_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

const (
	introspectURL   = "/connect/introspect"
	revokeURL       = "/connect/revocation"
	tokenIsInactive = `{"active":false}`
)

// introspectionDesk is a desk whose tokens are looked up. Beside its clients there are
// two APIs, "orders" and "stock"; any client may use any grant and has stock.read too.
type introspectionDesk struct {
	*dpopDesk
	source *hintSource

	parts introspectionParts
}

// introspectionParts are the stores, of which a test counts the calls and has some fail.
type introspectionParts struct {
	mu    sync.Mutex
	calls map[string]int
	fail  map[string]error
}

func (p *introspectionParts) called(name string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls[name]++
	return p.fail[name]
}

// count returns the calls so far.
func (p *introspectionParts) count() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.calls)
}

// fails has a method fail from now on, or no longer if err is nil.
func (p *introspectionParts) fails(name string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fail[name] = err
}

type introspectionClients struct {
	store.ClientStore
	*introspectionParts
}

func (c introspectionClients) Client(ctx context.Context, id string) (*store.Client, error) {
	if err := c.called("Client " + id); err != nil {
		return nil, err
	}
	return c.ClientStore.Client(ctx, id)
}

type introspectionScopes struct {
	store.ScopeStore
	*introspectionParts
}

func (s introspectionScopes) Scopes(ctx context.Context, names []string) ([]store.Scope, error) {
	if err := s.called("Scopes"); err != nil {
		return nil, err
	}
	return s.ScopeStore.Scopes(ctx, names)
}

func newIntrospectionDesk(t *testing.T, configure ...func(*tokenendpoint.Config)) *introspectionDesk {
	t.Helper()
	d := &introspectionDesk{source: &hintSource{keys: []tokenendpoint.Key{{ID: "k1", Alg: tokenendpoint.ES256, Signer: trialKey()}}}}
	d.parts.calls, d.parts.fail = make(map[string]int), make(map[string]error)
	d.dpopDesk = newDPoPDesk(t, append([]func(*tokenendpoint.Config){func(c *tokenendpoint.Config) {
		c.Keys = d.source
		c.Clients = introspectionClients{c.Clients, &d.parts}
		c.Scopes = introspectionScopes{memory.NewScopes(
			store.Scope{Name: "openid"}, store.Scope{Name: "offline_access"}, store.Scope{Name: "status.read"},
			store.Scope{Name: "profile", Identity: true, Claims: []string{"name"}, Resources: []string{ordersAPI}},
			store.Scope{Name: "orders.read", Resources: []string{ordersAPI}, Claims: []string{"branch"}},
			store.Scope{Name: "orders.write", Resources: []string{ordersAPI}}, store.Scope{Name: "stock.read", Resources: []string{stockAPI}},
		), &d.parts}
		c.ClientCertificate = certificateOf
		observe := c.Observe
		c.Observe = func(ctx context.Context, event tokenendpoint.Event) {
			observe(ctx, event)
			tokenendpoint.LogEvents(slog.New(slog.NewTextHandler(d.log, &slog.HandlerOptions{Level: slog.LevelDebug})))(ctx, event)
		}
	}}, configure...)...)
	count := d.records.around
	d.records.around = func(ctx context.Context, method string, call func(context.Context) error) error {
		if err := d.parts.called(method); err != nil {
			return err
		}
		return count(ctx, method, call)
	}
	for _, id := range []string{"web", "till", "app"} {
		d.alter(id, func(c *store.Client) { c.Scope += " stock.read status.read" })
	}
	for id, resource := range map[string]string{"orders": ordersAPI, "stock": stockAPI} {
		d.clients.Put(store.Client{
			Metadata: store.Metadata{ID: id}, ProtectedResources: []string{resource},
			Secrets: []store.Secret{{Hash: store.HashSecret(redeemSecret)}},
		})
	}
	return d
}

// run runs a sub-test with the same desk.
func (d *introspectionDesk) run(name string, test func()) {
	outer := d.t
	outer.Run(name, func(t *testing.T) {
		d.t = t
		test()
	})
	d.t = outer
}

// opaque gives clients opaque access tokens from now on.
func (d *introspectionDesk) opaque(ids ...string) *introspectionDesk {
	for _, id := range ids {
		d.alter(id, func(c *store.Client) { c.AccessTokenFormat = store.AccessTokenOpaque })
	}
	return d
}

// tokens asks for tokens by a form, which must give some.
func (d *introspectionDesk) tokens(client, grantType string, parameters ...string) dpopAnswer {
	d.t.Helper()
	answer := d.send(client, deskForm(grantType, parameters))
	d.want(answer.deskAnswer, 200, "")
	return answer
}

// byCode asks for those of a code of alice.
func (d *introspectionDesk) byCode(client string, alter ...func(*store.Grant)) dpopAnswer {
	d.t.Helper()
	return d.tokens(client, "authorization_code", "code", d.code(client, alter...), "code_verifier", redeemVerifier)
}

func (a dpopAnswer) access() string { return a.text("access_token") }

// introspectionAnswer is an answer, its event, and how often each store was asked.
type introspectionAnswer struct {
	status  int
	header  http.Header
	body    string
	members map[string]any
	event   tokenendpoint.Event
	calls   map[string]int
}

// look sends a token to an endpoint. Whatever comes of it the token is not in the log,
// the event or an answer.
func (d *introspectionDesk) look(ctx context.Context, path, caller, token string, parameters ...string) introspectionAnswer {
	d.t.Helper()
	form := deskForm("", append([]string{"client_id", caller}, parameters...))
	form.Del("grant_type")
	if token != "" {
		form.Set("token", token)
	}
	if caller != "app" && !form.Has("client_secret") {
		form.Set("client_secret", redeemSecret)
	}
	before := d.parts.count()
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	d.mux.ServeHTTP(w, r)
	answer := introspectionAnswer{status: w.Code, header: w.Header(), body: w.Body.String(), calls: d.parts.count()}
	for name, n := range before {
		if answer.calls[name] -= n; answer.calls[name] == 0 {
			delete(answer.calls, name)
		}
	}
	if answer.body != "" {
		if err := json.Unmarshal(w.Body.Bytes(), &answer.members); err != nil {
			d.t.Errorf("the body %q is no JSON object", answer.body)
		}
	}
	d.mu.Lock()
	answer.event = d.events[len(d.events)-1]
	d.mu.Unlock()
	if said := answer.body + d.log.String() + fmt.Sprintf("%+v", answer.event); len(token) > 8 && strings.Contains(said, token) {
		d.t.Errorf("the token is in the answer %s, the log or the event %+v", answer.body, answer.event)
	}
	return answer
}

func (d *introspectionDesk) introspect(caller, token string, parameters ...string) introspectionAnswer {
	d.t.Helper()
	return d.look(d.t.Context(), introspectURL, caller, token, parameters...)
}

func (d *introspectionDesk) revoke(caller, token string, parameters ...string) introspectionAnswer {
	d.t.Helper()
	return d.look(d.t.Context(), revokeURL, caller, token, parameters...)
}

// introspectionHeader is that of every answer that is no error: of no two can one be told
// from the other but by its body.
func introspectionHeader(body string) http.Header {
	header := http.Header{"Cache-Control": {"no-store"}, "Pragma": {"no-cache"}, "Content-Length": {fmt.Sprint(len(body))}}
	if body != "" {
		header.Set("Content-Type", "application/json")
	}
	return header
}

// inactive checks that a token is inactive to a caller, byte for byte as all of them are,
// and why.
func (d *introspectionDesk) inactive(caller, token string, reason tokenendpoint.Reason, parameters ...string) introspectionAnswer {
	d.t.Helper()
	answer := d.introspect(caller, token, parameters...)
	if answer.status != 200 || answer.body != tokenIsInactive || !reflect.DeepEqual(answer.header, introspectionHeader(tokenIsInactive)) {
		d.t.Errorf("answered %d %v %s, want an inactive token", answer.status, answer.header, answer.body)
	}
	if answer.event.Reason != reason || answer.event.Endpoint != "introspection_endpoint" || answer.event.Err != nil || answer.event.Scopes != nil {
		d.t.Errorf("the event is %+v, want %q", answer.event, reason)
	}
	return answer
}

// active checks that a token is active to a caller, and returns what is said of it.
func (d *introspectionDesk) active(caller, token string, parameters ...string) map[string]any {
	d.t.Helper()
	answer := d.introspect(caller, token, parameters...)
	if answer.status != 200 || answer.members["active"] != true || !reflect.DeepEqual(answer.header, introspectionHeader(answer.body)) {
		d.t.Errorf("answered %d %v %s for %q, want an active token", answer.status, answer.header, answer.body, answer.event.Reason)
	}
	if scope, _ := answer.members["scope"].(string); answer.event.Reason != tokenendpoint.ReasonActive || strings.Join(answer.event.Scopes, " ") != scope {
		d.t.Errorf("the event is %+v for %s", answer.event, answer.body)
	}
	return answer.members
}

// revoked checks that a revocation is answered 200 without a body, for a reason.
func (d *introspectionDesk) revoked(caller, token string, reason tokenendpoint.Reason, parameters ...string) introspectionAnswer {
	d.t.Helper()
	answer := d.revoke(caller, token, parameters...)
	if answer.status != 200 || answer.body != "" || !reflect.DeepEqual(answer.header, introspectionHeader("")) {
		d.t.Errorf("answered %d %v %s, want an empty 200", answer.status, answer.header, answer.body)
	}
	if answer.event.Reason != reason || answer.event.Endpoint != "revocation_endpoint" || answer.event.Err != nil {
		d.t.Errorf("the event is %+v, want %q", answer.event, reason)
	}
	return answer
}

// unavailable checks that an answer is an outage and says no more.
func (d *introspectionDesk) unavailable(answer introspectionAnswer, reason tokenendpoint.Reason) {
	d.t.Helper()
	if answer.status != 503 || answer.body != faultUnavailable || answer.header.Get("Retry-After") != "5" || answer.event.Reason != reason {
		d.t.Errorf("answered %d %v %s for %q (%v), want 503 for %q", answer.status, answer.header, answer.body, answer.event.Reason, answer.event.Err, reason)
	}
}

// refusedWith checks that an answer is an error.
func (d *introspectionDesk) refusedWith(answer introspectionAnswer, status int, code string, reason tokenendpoint.Reason) {
	d.t.Helper()
	if answer.status != status || answer.members["error"] != code || answer.event.Reason != reason || answer.members["active"] != nil {
		d.t.Errorf("answered %d %s for %q (%v), want %d %s for %q", answer.status, answer.body, answer.event.Reason, answer.event.Err, status, code, reason)
	}
	if challenge := answer.header.Get("WWW-Authenticate"); (challenge != "") != (status == 401) {
		d.t.Errorf("a %d with the challenge %q", status, challenge)
	}
}
