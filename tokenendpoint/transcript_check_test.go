package tokenendpoint_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// transcriptClaims are in every access token (RFC 9068 section 2.2, and nbf).
var transcriptClaims = []string{"iss", "sub", "aud", "client_id", "exp", "iat", "nbf", "jti", "scope"}

// transcriptErrors are those of RFC 6749 and of its registry that a token
// endpoint may answer with.
var transcriptErrors = []string{
	"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope",
	"invalid_target", "access_denied", "temporarily_unavailable",
	"authorization_pending", "slow_down", "expired_token",
}

var transcriptText = regexp.MustCompile(`^[\x20-\x21\x23-\x5B\x5D-\x7E]+$`)

// checkAnswer holds what is true of every answer, whatever was asked.
func (s *transcriptServer) checkAnswer(t *testing.T, r *http.Request, body string, w *httptest.ResponseRecorder) {
	isBare := w.Code == http.StatusOK && r.URL.Path == revokeURL && w.Body.Len() == 0
	if got := w.Header()["Content-Type"]; !isBare && (len(got) != 1 || got[0] != "application/json") || isBare && got != nil {
		t.Errorf("header Content-Type is %q", got)
	}
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "Pragma": "no-cache",
		"Content-Length": strconv.Itoa(w.Body.Len()),
	} {
		if got := w.Header()[name]; len(got) != 1 || got[0] != want {
			t.Errorf("header %s is %q, want %q", name, got, want)
		}
	}
	for _, name := range []string{"Etag", "Location", "Set-Cookie"} {
		if got := w.Header()[name]; got != nil {
			t.Errorf("header %s is there: %q", name, got)
		}
	}
	for name, statuses := range map[string][]int{
		"Allow":            {http.StatusMethodNotAllowed},
		"Retry-After":      {http.StatusTooManyRequests, http.StatusServiceUnavailable},
		"Www-Authenticate": {http.StatusUnauthorized},
	} {
		if got := w.Header().Get(name); (got != "") != slices.Contains(statuses, w.Code) {
			t.Errorf("status %d with header %s %q", w.Code, name, got)
		}
	}
	answer, err := transcriptObject(w.Body.Bytes())
	if err != nil && !isBare {
		t.Fatal(err)
	}
	if w.Code != http.StatusOK {
		checkTranscriptRefusal(t, w.Code, answer)
	}
	s.checkSilence(t, r, body, w)
	s.checkEvent(t, w.Code, answer)
}

// checkTranscriptRefusal holds what is true of every error answer.
func checkTranscriptRefusal(t *testing.T, status int, answer map[string]any) {
	code, _ := answer["error"].(string)
	if !slices.Contains(transcriptErrors, code) && !slices.Contains(transcriptAskedErrors, code) {
		t.Errorf("error %q is not a registered one", code)
	}
	if (code == "invalid_client") != (status == http.StatusUnauthorized) || status == http.StatusInternalServerError {
		t.Errorf("error %q with status %d", code, status)
	}
	for name, value := range answer {
		text, _ := value.(string)
		if name != "error" && name != "error_description" || !transcriptText.MatchString(text) {
			t.Errorf("an error answer has the member %s: %q", name, value)
		}
	}
}

// checkEvent holds that the observer was told once, and what the client was.
func (s *transcriptServer) checkEvent(t *testing.T, status int, answer map[string]any) {
	if len(s.events) != 1 {
		t.Fatalf("%d events, want one", len(s.events))
	}
	event := s.events[0]
	code, _ := answer["error"].(string)
	if event.Status != status || string(event.Code) != code {
		t.Errorf("the event says %d %q, the answer %d %q", event.Status, event.Code, status, code)
	}
	if scope, _ := answer["scope"].(string); strings.Join(event.Scopes, " ") != scope {
		t.Errorf("the event says scopes %q, the answer %q", event.Scopes, scope)
	}
}

// checkSilence holds that no credential is in the answer, the log or the event,
// that an error repeats nothing of the request, and that nothing a stranger made
// up is logged.
func (s *transcriptServer) checkSilence(t *testing.T, r *http.Request, body string, w *httptest.ResponseRecorder) {
	header := w.Header().Clone()
	header.Del("Content-Type") // a constant that a request may well say too
	said := s.withoutRefreshToken(w) + fmt.Sprint(header)
	logged := s.log.String()
	for _, event := range s.events {
		logged += fmt.Sprintf("%+v %v", event, event.Err)
	}
	if answer, err := transcriptObject(w.Body.Bytes()); err == nil {
		checkAskedSilence(t, answer, logged)
	}
	known := transcriptWords()
	secrets, others := transcriptSent(r, body)
	for _, value := range append(s.secrets, secrets...) {
		if len(value) >= 4 && (strings.Contains(said, value) || strings.Contains(logged, value)) {
			t.Errorf("the credential %q is in the answer, the log or the event:\n%s\n%s", value, said, logged)
		}
	}
	for _, value := range others {
		if len(value) < 6 || !slices.ContainsFunc(strings.Fields(value), func(word string) bool { return !known[word] }) {
			continue
		}
		if w.Code != http.StatusOK && strings.Contains(said, value) {
			t.Errorf("the answer repeats %q", value)
		}
		if strings.Contains(logged, value) {
			t.Errorf("the log or the event repeats %q", value)
		}
	}
	if answer, err := transcriptObject(w.Body.Bytes()); err == nil {
		access, _ := answer["access_token"].(string)
		id, _ := answer["id_token"].(string)
		for part := range strings.SplitSeq(access+"."+id, ".") {
			if part != "" && strings.Contains(logged, part) {
				t.Errorf("a part of a token is in the log or the event: %s", part)
			}
		}
	}
}

// transcriptSent returns what the request says: credentials, and the rest.
func transcriptSent(r *http.Request, body string) (secrets, others []string) {
	open := []string{"grant_type", "scope", "resource", "client_id", "acr_values", "message", "client_assertion_type", "requested_expiry", "token_type_hint"}
	for pair := range strings.SplitSeq(body+"&"+r.URL.RawQuery, "&") {
		name, value, _ := strings.Cut(pair, "=")
		decoded, _ := url.QueryUnescape(value)
		if slices.Contains(open, name) {
			others = append(append(others, value, decoded), strings.Fields(decoded)...)
		} else {
			secrets = append(secrets, value, decoded)
			others = append(others, name)
		}
	}
	for name, values := range r.Header {
		for _, value := range values {
			if name != "Authorization" {
				others = append(append(others, value), strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == ';' })...)
				continue
			}
			_, encoded, _ := strings.Cut(value, " ")
			decoded, _ := base64.StdEncoding.DecodeString(encoded)
			id, secret, _ := strings.Cut(string(decoded), ":")
			unescaped, _ := url.QueryUnescape(secret)
			secrets = append(secrets, encoded, string(decoded), secret, unescaped)
			others = append(others, id)
		}
	}
	return secrets, others
}

// transcriptWords are those that the endpoint knows without the request.
func transcriptWords() map[string]bool {
	known := make(map[string]bool)
	for _, client := range transcriptClients() {
		known[client.ID] = true
		for name := range strings.FieldsSeq(client.Scope) { // also one that the scope store does not know
			known[name] = true
		}
	}
	for _, grant := range transcriptGrants() {
		known[grant.GrantType()] = true
	}
	for _, client := range append(transcriptUserClients(), transcriptAskedClients()...) {
		known[client.ID] = true
		for _, name := range client.GrantTypes {
			known[name] = true
		}
	}
	for _, scope := range transcriptScopes {
		known[scope.Name] = true
	}
	for _, word := range []string{"grant_type", "client_id", "client_secret", "resource", "ticket", "code_verifier", "code_challenge", "redirect_uri", "refresh_token", "device_code", "auth_req_id", "username", "password", "login_hint", "login_hint_token", "id_token_hint", "binding_message", "requested_expiry", "client_notification_token", "user_code", "request", "token_type_hint", "access_token", "application/x-www-form-urlencoded"} {
		known[word] = true
	}
	return known
}

// checkToken holds what is true of every token answer and every access token
// (RFC 9068), and returns the token's header and claims.
func (s *transcriptServer) checkToken(t *testing.T, body []byte) (header, claims map[string]any) {
	answer, _ := transcriptObject(body)
	token, _ := answer["access_token"].(string)
	isOpaque := opaqueShape.MatchString(token)
	var err error
	if isOpaque {
		claims, err = s.lookUp(t, token)
	} else {
		header, claims, err = s.verify(token)
	}
	if err != nil {
		t.Fatalf("access_token %q: %v", token, err)
	}
	if isOpaque {
		header = make(map[string]any)
	} else if header["typ"] != "at+jwt" || header["kid"] != s.keys[0].ID || len(header) != 3 {
		t.Errorf("the token's header is %v", header)
	}
	exp, iat, nbf, expiresIn := transcriptInt(claims["exp"]), transcriptInt(claims["iat"]), transcriptInt(claims["nbf"]), transcriptInt(answer["expires_in"])
	if iat != s.now.Unix() || nbf <= 0 || nbf > iat || expiresIn <= 0 || exp-iat != expiresIn {
		t.Errorf("expires_in %v with exp %v, iat %v, nbf %v at %d", answer["expires_in"], claims["exp"], claims["iat"], claims["nbf"], s.now.Unix())
	}
	if answer["token_type"] != "Bearer" || answer["scope"] != claims["scope"] {
		t.Errorf("token_type %v and scope %v, of the token %v", answer["token_type"], answer["scope"], claims["scope"])
	}
	for _, name := range []string{"sub", "client_id", "jti", "scope"} {
		if value, _ := claims[name].(string); value == "" {
			t.Errorf("claim %s is %v", name, claims[name])
		}
	}
	if claims["iss"] != transcriptIssuer {
		t.Errorf("claim iss is %v", claims["iss"])
	}
	audience, isList := claims["aud"].([]any)
	if !isList {
		audience = []any{claims["aud"]}
	}
	for _, value := range audience {
		if text, _ := value.(string); text == "" || text == claims["client_id"] {
			t.Errorf("claim aud is %v", claims["aud"])
		}
	}
	id, _ := claims["jti"].(string)
	if len(audience) == 0 || s.tokenIDs[id] || len(s.events) == 1 && s.events[0].TokenID != id {
		t.Errorf("claim aud is %v; jti is %q, seen before: %v, in the events %+v", claims["aud"], id, s.tokenIDs[id], s.events)
	}
	s.tokenIDs[id] = true
	if family, _ := claims["grant_id"].(string); len(s.events) == 1 && s.events[0].GrantID != family {
		t.Errorf("claim grant_id is %v, in the events %+v", claims["grant_id"], s.events)
	}
	for _, object := range []map[string]any{answer, header, claims} {
		for name, value := range object {
			if value == nil || value == "" {
				t.Errorf("member %s has no value: %v", name, value)
			}
		}
	}
	return header, claims
}

// lookUp returns the claims of an opaque token.
func (s *transcriptServer) lookUp(t *testing.T, token string) (claims map[string]any, err error) {
	body, err := s.endpoint.Introspect(t.Context(), token)
	if err != nil {
		return nil, err
	}
	claims, err = transcriptObject(body)
	if claims["active"] != true {
		t.Errorf("a token that was just issued is %s", body)
	}
	delete(claims, "active")
	delete(claims, "token_type")
	return claims, err
}

// transcriptInt returns a JSON number without a fraction, or -1.
func transcriptInt(value any) int64 {
	number, _ := value.(json.Number)
	n, err := strconv.ParseInt(string(number), 10, 64)
	if err != nil {
		return -1
	}
	return n
}
