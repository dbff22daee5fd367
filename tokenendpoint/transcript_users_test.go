package tokenendpoint_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http/httptest"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// transcriptCode is what a code is issued for. Its subject is alice unless it says
// otherwise, its challenge that of RFC 7636 appendix B; "-" stands for none.
type transcriptCode struct {
	name string

	ClientID    string         `json:"client_id"`
	Subject     string         `json:"subject"`
	Scope       string         `json:"scope"`
	Resources   []string       `json:"resource"`
	RedirectURI string         `json:"redirect_uri"`
	Challenge   string         `json:"code_challenge"`
	Method      string         `json:"code_challenge_method"`
	Nonce       string         `json:"nonce"`
	AuthTime    int64          `json:"auth_time"`
	ACR         string         `json:"acr"`
	AMR         []string       `json:"amr"`
	Session     string         `json:"sid"`
	UserClaims  map[string]any `json:"claims"`
	Seconds     int            `json:"lifetime"`
}

func readTranscriptCode(value string) (transcriptCode, error) {
	name, object, _ := strings.Cut(value, " ")
	code := transcriptCode{name: name, Subject: "alice", Challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", Method: "S256"}
	decoder := json.NewDecoder(strings.NewReader(object))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&code)
	for _, s := range []*string{&code.Challenge, &code.Method} {
		*s = strings.TrimPrefix(*s, "-")
	}
	return code, err
}

func (c *transcriptCode) code() grants.Code {
	code := grants.Code{
		Grant: store.Grant{
			ClientID: c.ClientID, Subject: c.Subject, Resources: c.Resources, ACR: c.ACR, AMR: c.AMR, Session: c.Session,
			Nonce: c.Nonce, UserClaims: c.UserClaims,
		},
		RedirectURI: c.RedirectURI, CodeChallenge: c.Challenge, CodeChallengeMethod: c.Method,
	}
	if c.Scope != "" {
		code.Grant.Scopes = strings.Fields(c.Scope)
	}
	if c.AuthTime != 0 {
		code.Grant.AuthTime = time.Unix(c.AuthTime, 0)
	}
	return code
}

// addGrant adds grants and clients that have users.
func (s *transcriptServer) addGrant(t *testing.T, name string, config *tokenendpoint.Config) {
	clients := transcriptAskedClients()
	switch name {
	case "users":
		clients = transcriptUserClients()
		config.Records = new(memory.Grants)
		config.Grants = append(config.Grants, grants.AuthorizationCode{}, grants.RefreshToken{})
	case "device_code":
		config.Grants = append(config.Grants, s.asked.device())
	case "ciba":
		config.Grants = append(config.Grants, s.asked.backchannel(config.Logger))
	case "password":
		config.Grants = append(config.Grants, grants.Password{Verify: verifyTranscriptPassword})
	default:
		t.Fatalf("there is no grant %q", name)
	}
	for _, client := range clients {
		s.clients.Put(client)
	}
}

var (
	transcriptName   = regexp.MustCompile(`\{\{[A-Z0-9-]+\}\}`)
	transcriptHandle = regexp.MustCompile(`^[A-Za-z0-9_-]{43,}$`) // 256 bits at least, and nothing to escape
)

// prepare does what stands before an exchange.
func (s *transcriptServer) prepare(t *testing.T, step *transcriptStep) {
	for _, code := range step.codes {
		s.log.Reset()
		grant := grants.AuthorizationCode{Lifetime: time.Duration(code.Seconds) * time.Second}
		handle, err := grant.Issue(t.Context(), s.endpoint, code.code())
		if err != nil {
			t.Fatalf("no code was issued: %v", err)
		}
		if strings.Contains(s.log.String(), handle) || strings.Contains(handle, code.Challenge) && code.Challenge != "" {
			t.Errorf("the code is in the log, or has the challenge in it: %s", s.log.String())
		}
		s.remember(t, code.name, "code", handle)
	}
	for _, decision := range step.decides {
		s.decide(t, decision)
	}
	for _, change := range step.scopes {
		client, err := s.clients.Client(t.Context(), change[0])
		if err != nil {
			t.Fatal(err)
		}
		altered := *client
		altered.Scope = change[1]
		s.clients.Put(altered)
	}
}

func (s *transcriptServer) remember(t *testing.T, name, member, handle string) {
	shape := transcriptHandle
	if other := transcriptShapes[member]; other != nil {
		shape = other
	}
	if !shape.MatchString(handle) {
		t.Errorf("%s is %q", name, handle)
	}
	for other, value := range s.names {
		if value == handle {
			t.Errorf("%s is %s again", name, other)
		}
	}
	s.names[name] = handle
	s.secrets = append(s.secrets, handle)
}

// keep remembers members of an answer.
func (s *transcriptServer) keep(t *testing.T, step *transcriptStep, body []byte) {
	answer, _ := transcriptObject(body)
	for _, keep := range step.keep {
		value, _ := answer[keep[1]].(string)
		s.remember(t, keep[0], keep[1], value)
		if keep[1] == "auth_req_id" {
			s.asked.decisions[value] = s.asked.last
		}
	}
}

// expand puts what was remembered in the place of its name.
func (s *transcriptServer) expand(t *testing.T, text string) string {
	return transcriptName.ReplaceAllStringFunc(text, func(name string) string {
		value, ok := s.names[strings.Trim(name, "{}")]
		if !ok {
			t.Fatalf("nothing is remembered as %s", name)
		}
		return value
	})
}

// withoutRefreshToken returns the body less the one place where a refresh token
// may be.
func (s *transcriptServer) withoutRefreshToken(w *httptest.ResponseRecorder) string {
	body := w.Body.String()
	answer, _ := transcriptObject(w.Body.Bytes())
	if token, _ := answer["refresh_token"].(string); token != "" {
		body = strings.Replace(body, `"refresh_token":"`+token+`"`, "", 1)
	}
	return body
}

// rememberVerifier has a verifier that was sent looked for from now on.
func (s *transcriptServer) rememberVerifier(body string) {
	form, _ := url.ParseQuery(body)
	if verifier := form.Get("code_verifier"); len(verifier) >= 43 {
		s.secrets = append(s.secrets, verifier)
	}
}

// checkIDToken holds what is true of every ID token (OpenID Connect Core sections
// 2 and 3.1.3.6), that it tells of the same sign-in as the access token, and
// compares the rest with the transcript.
func (s *transcriptServer) checkIDToken(t *testing.T, step *transcriptStep, body []byte, access map[string]any) {
	answer, _ := transcriptObject(body)
	scope, _ := access["scope"].(string)
	token, isThere := answer["id_token"].(string)
	if isOpenID := slices.Contains(strings.Fields(scope), "openid"); !isOpenID || !isThere {
		if isOpenID != isThere || step.idClaims != nil || step.idJOSE != nil {
			t.Errorf("scope %q, an ID token: %v, the transcript wants %v %v", scope, isThere, step.idClaims, step.idJOSE)
		}
		return
	}
	header, claims, err := s.verify(token)
	if err != nil {
		t.Fatalf("id_token %q: %v", token, err)
	}
	if header["typ"] != "JWT" || len(header) != 3 {
		t.Errorf("the ID token's header is %v", header)
	}
	for name, want := range step.idJOSE {
		if header[name] != want {
			t.Errorf("the ID token's header has %s %v, want %v", name, header[name], want)
		}
	}
	h := transcriptHashes[header["alg"]].New()
	fmt.Fprint(h, answer["access_token"])
	sum := h.Sum(nil)
	for name, want := range map[string]any{
		"iss": transcriptIssuer, "sub": access["sub"], "aud": access["client_id"], "iat": access["iat"],
		"auth_time": access["auth_time"], "acr": access["acr"], "amr": access["amr"],
		"at_hash": base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2]),
	} {
		if !reflect.DeepEqual(claims[name], want) {
			t.Errorf("claim %s of the ID token is %v, want %v", name, claims[name], want)
		}
	}
	if life := transcriptInt(claims["exp"]) - transcriptInt(claims["iat"]); life <= 0 || life > 600 {
		t.Errorf("the ID token lives for %d seconds", life)
	}
	rest := maps.Clone(claims)
	for _, name := range []string{"iss", "sub", "aud", "iat", "exp", "at_hash", "auth_time", "acr", "amr"} {
		delete(rest, name)
	}
	want := make(map[string]any)
	for name, value := range step.idClaims {
		if text, ok := value.(string); ok {
			value = s.expand(t, text)
		}
		want[name] = value
	}
	if !reflect.DeepEqual(rest, want) {
		t.Errorf("the ID token's other claims are %v, want %v", rest, want)
	}
}
