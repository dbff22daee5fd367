package tokenendpoint_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// transcriptAsked is the part of the service that asks users.
type transcriptAsked struct {
	deviceCode grants.DeviceCode
	ciba       *grants.CIBA
	last       string            // the decision of the last authentication request
	decisions  map[string]string // by auth_req_id
}

// transcriptAskedErrors are those of the backchannel authentication endpoint (CIBA
// section 13).
var transcriptAskedErrors = []string{
	"expired_login_hint_token", "unknown_user_id", "missing_user_code", "invalid_user_code", "invalid_binding_message",
}

// transcriptShapes are those of what is kept that is no handle. An auth_req_id has
// 256 bits in the characters that CIBA section 7.3 recommends.
var transcriptShapes = map[string]*regexp.Regexp{
	"user_code":    regexp.MustCompile(`^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$`),
	"id_token":     regexp.MustCompile(`^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$`),
	"access_token": regexp.MustCompile(`^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$|` + opaqueShape.String()),
}

func (a *transcriptAsked) device() grants.DeviceCode {
	a.deviceCode = grants.DeviceCode{VerificationURL: "https://shop.example/device"}
	return a.deviceCode
}

// backchannel finds users by their names, by a ticket for one, and not at all if their
// user code is not 4711 where the client may send one.
func (a *transcriptAsked) backchannel(logger *slog.Logger) *grants.CIBA {
	a.decisions = make(map[string]string)
	a.ciba = &grants.CIBA{UserCodes: true, Logger: logger}
	a.ciba.Resolve = func(_ context.Context, req *grants.Authentication) (string, error) {
		switch hint := strings.ToLower(strings.TrimSpace(req.LoginHint + req.LoginHintToken + req.HintSubject)); {
		case hint == "expired-ticket":
			return "", tokenendpoint.ExpiredLoginHintToken
		case hint == "barred-user":
			return "", tokenendpoint.AccessDenied
		case hint == "often-asked":
			return "", &tokenendpoint.Error{Code: tokenendpoint.TemporarilyUnavailable, Reason: tokenendpoint.ReasonThrottled, RetryAfter: time.Minute}
		case hint != "alice" && hint != "ticket-of-alice":
			return "", tokenendpoint.UnknownUserID
		case !req.Request.Client.UserCodeParameter:
			return "alice", nil
		case req.UserCode == "":
			return "", tokenendpoint.MissingUserCode
		case req.UserCode != "code-4711":
			return "alice", tokenendpoint.InvalidUserCode
		}
		return "alice", nil
	}
	a.ciba.Ask = func(_ context.Context, req *grants.Authentication) error {
		a.last = req.Decision
		return nil
	}
	return a.ciba
}

// verifyTranscriptPassword knows alice, and puts the client's wishes into the token.
func verifyTranscriptPassword(_ context.Context, req *tokenendpoint.Request, username, password string) (*store.Grant, error) {
	switch {
	case strings.EqualFold(username, "locked-user"):
		return nil, &tokenendpoint.Error{Code: tokenendpoint.InvalidGrant, Description: "the account is locked"}
	case username == "unreachable-user":
		return nil, &tokenendpoint.Error{Code: tokenendpoint.TemporarilyUnavailable, Reason: tokenendpoint.ReasonStoreUnavailable}
	case username == "refused-user":
		return nil, tokenendpoint.AccessDenied
	case !strings.EqualFold(username, "alice-the-user") || password != "splendid-password":
		return nil, tokenendpoint.InvalidGrant
	}
	claims := make(map[string]any)
	for name, wish := range map[string]string{"wished_tenant": req.Tenant, "wished_idp": req.IdP, "wished_acr": strings.Join(req.ACRValues, " ")} {
		if wish != "" {
			claims[name] = wish
		}
	}
	return &store.Grant{Subject: "alice", AMR: []string{"pwd"}, Claims: claims}, nil
}

// transcriptDecision is what a user decides on a page of the service: who, that
// they approve, deny or find it, a user code or auth_req_id, perhaps a JSON object
// with scope, auth_time and acr, and perhaps ": " and the reason why it cannot be.
type transcriptDecision struct {
	who, verb, what string
	Scope           string   `json:"scope"`
	AuthTime        int64    `json:"auth_time"`
	ACR             string   `json:"acr"`
	AMR             []string `json:"amr"`
	refused         tokenendpoint.Reason
}

var transcriptDecisionLine = regexp.MustCompile(`^(\S+) (approves|denies|finds) ([^ :]+)(?: (\{"[^}]*\}))?(?:: (\w+))?$`)

func readTranscriptDecision(value string) (d transcriptDecision, err error) {
	parts := transcriptDecisionLine.FindStringSubmatch(value)
	if parts == nil {
		return d, fmt.Errorf("%q is no decision", value)
	}
	d.who, d.verb, d.what, d.refused = parts[1], parts[2], parts[3], tokenendpoint.Reason(parts[5])
	if parts[4] != "" {
		decoder := json.NewDecoder(strings.NewReader(parts[4]))
		decoder.DisallowUnknownFields()
		err = decoder.Decode(&d)
	}
	return d, err
}

// decide does what the page of the service does.
func (s *transcriptServer) decide(t *testing.T, d transcriptDecision) {
	what := s.expand(t, d.what)
	grant := store.Grant{Subject: d.who, ACR: d.ACR, AMR: d.AMR, Scopes: strings.Fields(d.Scope)}
	if len(grant.Scopes) == 0 {
		grant.Scopes = nil
	}
	if d.AuthTime != 0 {
		grant.AuthTime = time.Unix(d.AuthTime, 0)
	}
	s.log.Reset()
	err := s.asked.decide(t.Context(), s.endpoint, d.verb, what, grant)
	var refusal *tokenendpoint.Error
	switch {
	case err == nil && d.refused != "":
		t.Errorf("%s %s: nothing is wrong, want %q", d.who, d.verb, d.refused)
	case err != nil && (!errors.As(err, &refusal) || refusal.Reason != d.refused):
		t.Errorf("%s %s: %v, want %q", d.who, d.verb, err, d.refused)
	}
	if said := s.log.String() + fmt.Sprint(err); strings.Contains(said, what) {
		t.Errorf("a credential is in the log or the error: %s", said)
	}
}

func (a *transcriptAsked) decide(ctx context.Context, e *tokenendpoint.Endpoint, verb, what string, grant store.Grant) (err error) {
	visitor := grants.Visitor{Subject: grant.Subject, RemoteAddr: netip.MustParseAddr("203.0.113.7")}
	if grant.Subject == "mallory" {
		visitor.RemoteAddr = netip.MustParseAddr("203.0.113.8")
	}
	if decision, ok := a.decisions[what]; ok {
		switch verb {
		case "approves":
			return a.ciba.Approve(ctx, e, decision, grant)
		case "denies":
			return a.ciba.Deny(ctx, e, decision)
		}
		_, err = a.ciba.Find(ctx, e, decision)
		return err
	}
	switch verb {
	case "approves":
		return a.deviceCode.Approve(ctx, e, visitor, what, grant)
	case "denies":
		return a.deviceCode.Deny(ctx, e, visitor, what)
	}
	_, err = a.deviceCode.Find(ctx, e, visitor, what)
	return err
}

// endpoint is the name of the companion that a request goes to, empty for the token
// endpoint.
func (s *transcriptStep) endpoint() string {
	_, path, _ := strings.Cut(s.request[0], " ")
	path = path[:strings.IndexAny(path+"?", " ?")]
	return map[string]string{
		"/connect/deviceauthorization": "device_authorization_endpoint",
		"/connect/ciba":                "backchannel_authentication_endpoint",
		introspectURL:                  "introspection_endpoint",
		revokeURL:                      "revocation_endpoint",
	}[path]
}

// isBare reports whether a success has no body (RFC 7009 section 2.2).
func (s *transcriptStep) isBare() bool {
	return s.status == http.StatusOK && s.endpoint() == "revocation_endpoint"
}

// isDocument reports whether a request is for a public document, which is no
// exchange of credentials.
func (s *transcriptStep) isDocument() bool {
	return strings.HasPrefix(s.request[0], "GET /.well-known/")
}

// get asks for a public document and compares it.
func (s *transcriptServer) get(t *testing.T, step *transcriptStep) *httptest.ResponseRecorder {
	r, err := step.httpRequest("")
	if err != nil {
		t.Fatalf("the transcript's request cannot be read: %v", err)
	}
	w := httptest.NewRecorder()
	s.mux.ServeHTTP(w, r)
	if w.Code != step.status || w.Code != http.StatusOK {
		t.Fatalf("status %d, want %d; body %s", w.Code, step.status, w.Body)
	}
	step.checkBody(t, w.Body.Bytes(), step.answer)
	return w
}

// checkAskedSilence holds that what an answer hands out is not in the log.
func checkAskedSilence(t *testing.T, answer map[string]any, logged string) {
	for _, name := range []string{"device_code", "user_code", "verification_uri_complete", "auth_req_id", "refresh_token"} {
		value, _ := answer[name].(string)
		if value != "" && (strings.Contains(logged, value) || strings.Contains(logged, strings.ReplaceAll(value, "-", ""))) {
			t.Errorf("the %s is in the log or the event:\n%s", name, logged)
		}
	}
}
