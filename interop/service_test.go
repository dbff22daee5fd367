package interop

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/middleware"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// service is a service that mounts the endpoint, with the defaults. Its one user is
// alice, who is signed in and agrees to everything.
type service struct {
	*testing.T
	issuer   string
	http     *http.Client // trusts the service
	clients  *memory.Clients
	endpoint *tokenendpoint.Endpoint
	devices  grants.DeviceCode
	entered  chan string  // a user code, which alice enters after the next poll in vain
	reason   atomic.Value // of the last answer
}

// start starts a service with these keys and further scopes, which ends with the test.
func start(t *testing.T, keys tokenendpoint.KeySource, scopes ...store.Scope) *service {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewUnstartedServer(mux)
	server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	server.StartTLS()
	t.Cleanup(server.Close)
	s := &service{T: t, issuer: server.URL, http: server.Client(), clients: memory.NewClients(), entered: make(chan string, 1),
		devices: grants.DeviceCode{VerificationURL: server.URL + "/device"}}
	var err error
	s.endpoint, err = tokenendpoint.New(tokenendpoint.Config{
		Issuer:  s.issuer,
		Clients: s.clients,
		Scopes: memory.NewScopes(append(scopes, store.Scope{Name: "openid"}, store.Scope{Name: "offline_access"}, store.Scope{Name: "api"},
			store.Scope{Name: "profile", Identity: true, Claims: []string{"name"}})...),
		Keys:              keys,
		Grants:            []tokenendpoint.GrantValidator{grants.AuthorizationCode{}, grants.RefreshToken{}, grants.ClientCredentials{}, s.devices},
		Records:           new(memory.Grants),
		Replays:           new(memory.Replays),
		AuthorizationURL:  s.issuer + "/authorize",
		ClientCertificate: middleware.ClientCertificates{}.Of,
		Observe:           s.observe,
		Logger:            slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	s.endpoint.Mount(mux)
	mux.HandleFunc("GET /authorize", s.authorize)
	return s
}

// rolling are the keys of a service that chose none: ES256.
func rolling() tokenendpoint.KeySource {
	return &tokenendpoint.RollingKeys{Logger: slog.New(slog.DiscardHandler)}
}

// alice is what she grants: as much as was asked for.
func alice() store.Grant {
	return store.Grant{Subject: "alice", AuthTime: time.Now(), UserClaims: map[string]any{"name": "Alice Smith"}}
}

// authorize is the service's own page.
func (s *service) authorize(w http.ResponseWriter, r *http.Request) {
	query, grant := r.URL.Query(), alice()
	grant.ClientID, grant.Scopes, grant.Nonce = query.Get("client_id"), strings.Fields(query.Get("scope")), query.Get("nonce")
	grant.Resources = query["resource"]
	code, err := grants.AuthorizationCode{}.Issue(r.Context(), s.endpoint, grants.Code{
		Grant:               grant,
		RedirectURI:         query.Get("redirect_uri"),
		CodeChallenge:       query.Get("code_challenge"),
		CodeChallengeMethod: query.Get("code_challenge_method"),
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer := url.Values{"code": {code}, "state": {query.Get("state")}, "iss": {s.issuer}}
	http.Redirect(w, r, query.Get("redirect_uri")+"?"+answer.Encode(), http.StatusSeeOther)
}

func (s *service) observe(ctx context.Context, event tokenendpoint.Event) {
	s.reason.Store(event.Reason)
	if event.Reason != tokenendpoint.ReasonPending {
		return
	}
	select {
	case code := <-s.entered:
		if err := s.devices.Approve(ctx, s.endpoint, grants.Visitor{Subject: "alice"}, code, alice()); err != nil {
			s.Errorf("alice cannot let the device in: %v", err)
		}
	default:
	}
}

// browse opens an application's authorization request and returns what the service
// sends back to the application.
func (s *service) browse(authorizationRequest string) url.Values {
	s.Helper()
	browser := *s.http
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := browser.Get(authorizationRequest)
	if err != nil {
		s.Fatal(err)
	}
	response.Body.Close()
	back, err := response.Location()
	if err != nil {
		s.Fatalf("status %d: %v", response.StatusCode, err)
	}
	return back.Query()
}

// refused wants the last request refused for this reason, and the client told so.
func (s *service) refused(t *testing.T, err error, reason tokenendpoint.Reason) {
	t.Helper()
	if err == nil {
		t.Errorf("answered as asked, want %s", reason)
	}
	s.isReason(t, reason)
}

func (s *service) isReason(t *testing.T, reason tokenendpoint.Reason) {
	t.Helper()
	if got := s.reason.Load(); got != reason {
		t.Errorf("the reason is %v, want %s", got, reason)
	}
}
