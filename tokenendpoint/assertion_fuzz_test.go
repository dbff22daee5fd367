package tokenendpoint_test

import (
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// newFuzzShop has the client till of client_secret_jwt, whose assertions cost little.
func newFuzzShop(f *testing.F) (s *assertionShop, header, claims string) {
	s = newAssertionShop(f, func(c *tokenendpoint.Config) { c.ClientSecrets = assertionSecrets(longSecret) })
	s.register("till", "", assertMethods(store.ClientSecretJWT))
	h, c := hmacAsserter("HS256", longSecret).parts()
	return s, assertionJSON(h), assertionJSON(c)
}

// FuzzAssertionClaims signs whatever stands in the header and the claims by the secret of
// the client, so that all that is behind the signature is reached.
func FuzzAssertionClaims(f *testing.F) {
	s, h, c := newFuzzShop(f)
	f.Add(h, c)
	for _, claims := range []string{
		"", "{}", "null", "[]", `"zq7"`, `{"sub":"till"}`, `{"sub":"zq7"}`, `{"sub":1}`, strings.Replace(c, "id-", "zq7-", 1),
		strings.Replace(c, `"till"`, `"zq7"`, 1), strings.Replace(c, assertionIssuer, "zq7", 1), strings.Replace(c, `"aud"`, `"aud":[],"zq7"`, 1),
		c[:len(c)-1] + `,"exp":1e300}`, c[:len(c)-1] + `,"nbf":-0.0}`, c[:len(c)-1] + `,"nbf":1e-400}`, c[:len(c)-1] + `,"nbf":null}`,
		c[:len(c)-1] + `,"SUB":"zq7"}`, c[:len(c)-1] + `,"\u0073ub":"zq7"}`, c[:len(c)-1] + `,"\u017fub":"zq7"}`, c + c, strings.Repeat("[", 100),
		strings.Replace(c, `"exp":17`, `"exp":1.7e9,"x":17`, 1), strings.Replace(c, `"iat":17`, `"iat":99999999999999999999,"x":17`, 1),
	} {
		f.Add(h, claims)
	}
	for _, header := range []string{
		`{"alg":"HS512"}`, `{"alg":"none"}`, `{"alg":"zq7"}`, `{"alg":"HS256","kid":"zq7","typ":"zq7"}`, `{"alg":"HS256","crit":["zq7"]}`,
		`{"alg":"HS256","typ":"JWT"}`, `{"alg":"HS256","typ":"client-authentication+jwt"}`, `{"alg":"ES256"}`, "{}", "", "zq7",
	} {
		f.Add(header, c)
	}
	f.Fuzz(func(t *testing.T, header, claims string) {
		checkFuzzedAssertion(t, s, asserter{alg: "HS256", secret: longSecret}.sign(header, claims), "")
	})
}

// FuzzAssertion sends any token, type and client_id.
func FuzzAssertion(f *testing.F) {
	s, h, c := newFuzzShop(f)
	good := hmacAsserter("HS256", longSecret).sign(h, c)
	parts := strings.Split(good, ".")
	for _, token := range []string{
		good, "", "zq7", "..", "zq7.zq7.zq7", good + ".zq7", good + "\n", " " + good, parts[0] + "." + parts[1] + ".", parts[0] + ".." + parts[2],
		parts[0] + "." + parts[1], "." + parts[1] + "." + parts[2], good + "=", parts[0] + "=." + parts[1] + "." + parts[2], assertionES256().token(),
	} {
		f.Add(token, assertionType, "")
	}
	f.Add(good, "zq7", "")
	f.Add(good, "", "till")
	f.Add(good, assertionType, "zq7")
	f.Add(good, assertionType, "till")
	f.Fuzz(func(t *testing.T, token, kind, clientID string) {
		checkFuzzedAssertion(t, s, token, clientID, "client_assertion_type", kind)
	})
}

// checkFuzzedAssertion checks that an assertion is accepted or refused, and repeated
// nowhere. X-HTTP-10.
func checkFuzzedAssertion(t *testing.T, s *assertionShop, token, clientID string, parameters ...string) {
	s.t, s.events = t, nil
	s.replays.t, s.replays.ends = t, make(map[string]time.Time)
	s.throttle.failures = nil
	s.log.mu.Lock()
	s.log.text.Reset()
	s.log.mu.Unlock()
	answer := s.assert(token, append(parameters, "client_id", clientID)...)
	switch answer.status {
	case 200:
		if !answer.event.Authenticated || s.replays.used() != 1 {
			t.Errorf("a token is issued: %v, %+v, %d ids used up", answer, answer.event, s.replays.used())
		}
	case 400, 401:
		if s.replays.used() != 0 || strings.Contains(answer.body, "access_token") {
			t.Errorf("it is refused: %v, %d ids used up", answer, s.replays.used())
		}
	default:
		t.Errorf("answered %v, and the log is %s", answer, s.log)
	}
	if strings.Contains(answer.String()+s.log.String(), fuzzMark) {
		t.Errorf("what was sent is repeated: %v, %s", answer, s.log)
	}
	if id := answer.event.ClientID; id != "" && id != "till" && id != "reports" {
		t.Errorf("a stranger's name is in the event %+v", answer.event)
	}
}
