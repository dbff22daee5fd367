package tokenendpoint_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

const pendingGrantType = "urn:example:asked"

// pendingDesk is a desk with a grant type of its own that a user decides on: the
// companion keeps what is asked for by the decision that a test chooses.
type pendingDesk struct {
	*desk
	mux      *http.ServeMux
	decision string // of the next request
	deferred store.Record
	deferErr error // of the last request
}

// newPendingDesk may use a grant type more: the clients web and app.
func newPendingDesk(t *testing.T) *pendingDesk {
	t.Helper()
	p := &pendingDesk{mux: http.NewServeMux(), decision: tokenendpoint.NewDecision()}
	p.desk = newDesk(t, func(config *tokenendpoint.Config) { config.Grants = append(config.Grants, pendingGrant{p}) })
	for _, id := range []string{"web", "app"} {
		client, err := p.clients.Client(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		changed := *client
		changed.GrantTypes = append([]string{pendingGrantType}, client.GrantTypes...)
		p.clients.Put(changed)
	}
	p.endpoint.Mount(p.mux)
	return p
}

type pendingGrant struct{ *pendingDesk }

func (pendingGrant) GrantType() string { return pendingGrantType }

func (p pendingGrant) Companion() tokenendpoint.Companion {
	return tokenendpoint.Companion{Name: "asking_endpoint", Path: "/connect/ask", Serve: p.ask}
}

func (p pendingGrant) ask(ctx context.Context, req *tokenendpoint.Request) (tokenendpoint.Members, error) {
	record := p.deferred
	record.Kind, record.Data = p.kind(), []byte("the grant type's own")
	if record.Grant == nil {
		record.Grant = &store.Grant{Scopes: req.Scopes, Resources: req.Resources}
	}
	handle, err := req.Defer(ctx, record, p.decision, 10*time.Minute)
	if p.deferErr = err; err != nil {
		return nil, err
	}
	return tokenendpoint.Members{"handle": handle}, nil
}

func (p pendingGrant) Validate(ctx context.Context, req *tokenendpoint.Request) (*tokenendpoint.Result, error) {
	record, err := req.Find(ctx, p.kind(), req.Form.Get("handle"))
	switch {
	case err != nil:
		return nil, err
	case !record.SpentAt.IsZero():
		return nil, tokenendpoint.InvalidGrant
	case record.State == store.StatePending:
		return nil, tokenendpoint.AuthorizationPending
	case record.State == store.StateDenied:
		return nil, tokenendpoint.AccessDenied
	}
	return &tokenendpoint.Result{Spend: record}, nil
}

// post sends a request of a client to the companion. Parameters come in pairs.
func (p *pendingDesk) post(client string, parameters ...string) deskAnswer {
	p.t.Helper()
	form := url.Values{"client_id": {client}}
	if client != "app" {
		form.Set("client_secret", redeemSecret)
	}
	for i := 0; i < len(parameters); i += 2 {
		form.Set(parameters[i], parameters[i+1])
	}
	r := httptest.NewRequest(http.MethodPost, "/connect/ask", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	p.mux.ServeHTTP(w, r)
	answer := deskAnswer{status: w.Code, body: w.Body.String()}
	if err := json.Unmarshal(w.Body.Bytes(), &answer.members); err != nil {
		p.t.Fatalf("the body %q is no JSON object", answer.body)
	}
	return answer
}

// begin asks for scopes and returns the handle to poll with.
func (p *pendingDesk) begin(client string, parameters ...string) string {
	p.t.Helper()
	answer := p.post(client, parameters...)
	handle, _ := answer.members["handle"].(string)
	if answer.status != 200 || handle == "" {
		p.t.Fatalf("asking: %d %s", answer.status, answer.body)
	}
	return handle
}

func (p *pendingDesk) poll(client, handle string) deskAnswer {
	return p.desk.ask(p.t.Context(), client, deskForm(pendingGrantType, []string{"handle", handle}))
}

// kind is that of what a user code, or a decision id, is for.
func (p *pendingDesk) kind() store.Kind {
	if len(p.decision) < 65 {
		return store.KindDevice
	}
	return store.KindBackchannel
}

func (p *pendingDesk) find() *tokenendpoint.Pending {
	p.t.Helper()
	pending, err := p.endpoint.FindPending(p.t.Context(), p.kind(), p.decision)
	if err != nil {
		p.t.Fatalf("FindPending: %v", err)
	}
	return pending
}

// decide has the user alice agree to all that is asked for.
func (p *pendingDesk) decide(pending *tokenendpoint.Pending) error {
	return p.endpoint.Decide(p.t.Context(), pending, &store.Grant{Subject: "alice", Session: "s1", AuthTime: p.clock.Now()})
}

// refused checks the code and reason of an error.
func (p *pendingDesk) refused(err error, code tokenendpoint.ErrorCode, reason tokenendpoint.Reason) {
	p.t.Helper()
	var refusal *tokenendpoint.Error
	if !errors.As(err, &refusal) || refusal.Code != code || refusal.Reason != reason {
		p.t.Errorf("the error is %v, want %s for %q", err, code, reason)
	}
	if err != nil && strings.Contains(err.Error(), p.decision) {
		p.t.Errorf("the decision is in the error %v", err)
	}
}

// undecided checks that the client is told to wait, and that the user can still agree.
func (p *pendingDesk) undecided(client, handle string) {
	p.t.Helper()
	if answer := p.poll(client, handle); answer.status != 400 || answer.members["error"] != "authorization_pending" {
		p.t.Errorf("it is decided: %d %s", answer.status, answer.body)
	}
	if err := p.decide(p.find()); err != nil {
		p.t.Errorf("it cannot be decided: %v", err)
	}
	p.want(p.poll(client, handle), 200, "")
}
