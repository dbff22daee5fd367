package tokenendpoint_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"maps"
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
	"github.com/grantor-go/grantor/tokenendpoint"
)

const dpopTokenURL = trialIssuer + "/connect/token"

// dpopDesk is a desk whose clients send proofs: key makes those that are right, other
// has another key. Beside the clients of a desk there is "signer", who authenticates by
// assertions. Any client may use any grant.
type dpopDesk struct {
	*desk
	mux        *http.ServeMux
	replays    *dpopReplays
	key, other prover
	device     grants.DeviceCode
	ciba       *grants.CIBA
	decision   string       // of the last backchannel request
	changes    atomic.Int64 // of the store, by calls of Exchange and Revoke
}

func newDPoPDesk(t *testing.T, configure ...func(*tokenendpoint.Config)) *dpopDesk {
	t.Helper()
	d := &dpopDesk{mux: http.NewServeMux(), device: grants.DeviceCode{VerificationURL: trialIssuer + "/device"}}
	d.ciba = &grants.CIBA{
		Resolve: func(_ context.Context, a *grants.Authentication) (string, error) { return a.LoginHint, nil },
		Ask:     func(_ context.Context, a *grants.Authentication) error { d.decision = a.Decision; return nil },
	}
	password := grants.Password{Verify: func(context.Context, *tokenendpoint.Request, string, string) (*store.Grant, error) {
		return &store.Grant{Subject: "alice"}, nil
	}}
	d.desk = newDesk(t, append([]func(*tokenendpoint.Config){func(c *tokenendpoint.Config) {
		c.Grants = append(c.Grants, grants.ClientCredentials{}, d.device, d.ciba, password)
		d.replays = &dpopReplays{now: c.Now, ends: make(map[string]time.Time)}
		c.Replays = d.replays
	}}, configure...)...)
	d.endpoint.Mount(d.mux)
	d.key, d.other = newProver(t, dpopTokenURL, d.clock.Now), newProver(t, dpopTokenURL, d.clock.Now)
	d.validate = func(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) {
		return &tokenendpoint.Result{Grant: store.Grant{Subject: "alice"}}, nil
	}
	d.records.around = func(ctx context.Context, method string, call func(context.Context) error) error {
		if method == "Exchange" || method == "Revoke" {
			d.changes.Add(1)
		}
		return call(ctx)
	}
	for _, id := range []string{"web", "till", "app"} {
		d.alter(id, func(c *store.Client) {
			c.GrantTypes = append(c.GrantTypes, "client_credentials", "password", d.device.GrantType(), d.ciba.GrantType())
		})
	}
	d.clients.Put(store.Client{Metadata: store.Metadata{
		ID: "signer", GrantTypes: []string{"client_credentials"}, Scope: "orders.read",
		TokenEndpointAuthMethod: store.PrivateKeyJWT, JWKS: json.RawMessage(assertionBy("signer", tokenendpoint.ES256).jwks()),
	}})
	return d
}

// alter changes a client.
func (d *dpopDesk) alter(id string, change func(*store.Client)) {
	d.t.Helper()
	client, err := d.clients.Client(d.t.Context(), id)
	if err != nil {
		d.t.Fatal(err)
	}
	altered := *client
	change(&altered)
	d.clients.Put(altered)
}

// dpopAnswer is an answer, the event of its request and how often the store was changed.
type dpopAnswer struct {
	deskAnswer
	header  http.Header
	event   tokenendpoint.Event
	changes int64
}

func (a dpopAnswer) text(member string) string { s, _ := a.members[member].(string); return s }

// send sends a client's form with any number of DPoP headers. It may be called by many
// goroutines; the event and the changes then are those of any.
func (d *dpopDesk) send(client string, form url.Values, proofs ...string) dpopAnswer {
	return d.post("/connect/token", client, form, http.Header{"Dpop": proofs})
}

func (d *dpopDesk) post(path, client string, form url.Values, headers http.Header) dpopAnswer {
	sent := url.Values{"client_id": {client}}
	for name, values := range form {
		sent[name] = values
	}
	if client == "web" || client == "till" {
		sent.Set("client_secret", redeemSecret)
	}
	before := d.changes.Load()
	r := httptest.NewRequestWithContext(d.t.Context(), http.MethodPost, path, strings.NewReader(sent.Encode()))
	maps.Copy(r.Header, headers)
	if host := headers.Get("Host"); host != "" {
		r.Host = host
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	d.mux.ServeHTTP(w, r)
	answer := dpopAnswer{deskAnswer: deskAnswer{status: w.Code, body: w.Body.String()}, header: w.Header(), changes: d.changes.Load() - before}
	if err := json.Unmarshal(w.Body.Bytes(), &answer.members); err != nil {
		d.t.Errorf("the body %q is no JSON object", answer.body)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	answer.event = d.events[len(d.events)-1]
	return answer
}

// issued checks that tokens were issued, bound to a key or, by "", to none.
func (d *dpopDesk) issued(answer dpopAnswer, jkt string) dpopAnswer {
	d.t.Helper()
	d.want(answer.deskAnswer, 200, "")
	wantType, want := "Bearer", any(nil)
	if jkt != "" {
		wantType, want = "DPoP", map[string]any{"jkt": jkt}
	}
	d.equal("token_type", answer.text("token_type"), wantType)
	d.equal("cnf", d.claims(answer.deskAnswer, "access_token")["cnf"], want)
	return answer
}

// refused checks that a request was refused and that nothing was changed for it.
func (d *dpopDesk) refused(answer dpopAnswer, code string, reason tokenendpoint.Reason) {
	d.t.Helper()
	_, token := answer.members["access_token"]
	if answer.status != 400 || answer.text("error") != code || token || answer.event.Reason != reason || string(answer.event.Code) != code {
		d.t.Errorf("answered %d %s for %q (%v), want %s for %q", answer.status, answer.body, answer.event.Reason, answer.event.Err, code, reason)
	}
	if answer.changes != 0 {
		d.t.Errorf("the store was changed %d times for %s", answer.changes, answer.body)
	}
	if nonces := len(answer.header.Values("DPoP-Nonce")); nonces != 0 && code != "use_dpop_nonce" {
		d.t.Errorf("%s has %d DPoP-Nonce headers", answer.body, nonces)
	}
}

// refreshing is the form that redeems the refresh token of an answer.
func (d *dpopDesk) refreshing(answer dpopAnswer) url.Values {
	d.t.Helper()
	if answer.refresh() == "" {
		d.t.Fatalf("no refresh token in %s", answer.body)
	}
	return deskForm("refresh_token", []string{"refresh_token", answer.refresh()})
}

// redeeming is the form that redeems a new code.
func (d *dpopDesk) redeeming(client string, alter ...func(*store.Grant)) url.Values {
	return deskForm("authorization_code", []string{"code", d.code(client, alter...), "code_verifier", redeemVerifier})
}

// dpopReplays is a ReplayStore that goes by the clock of a test and can fail.
type dpopReplays struct {
	now  func() time.Time
	mu   sync.Mutex
	ends map[string]time.Time
	fail error
}

var errDPoPReplays = errors.New("dial replays.internal: refused")

func (r *dpopReplays) Use(_ context.Context, id string, lifetime time.Duration) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		return false, r.fail
	}
	now := r.now()
	if end, ok := r.ends[id]; ok && now.Before(end) {
		return false, nil
	}
	r.ends[id] = now.Add(lifetime)
	return true, nil
}

func (r *dpopReplays) used() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.ends)
}

// sendRaw sends a form with the headers of a request as they are on the wire.
func (d *dpopDesk) sendRaw(head, client string, form url.Values) dpopAnswer {
	d.t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head + "\r\n")))
	if err != nil {
		d.t.Fatal(err)
	}
	return d.post(r.URL.Path, client, form, r.Header)
}
