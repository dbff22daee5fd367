package tokenendpoint_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/tokenendpoint"
)

func mountSet(t *testing.T, answer mountAnswer) keysSet {
	t.Helper()
	var set keysSet
	if err := json.Unmarshal([]byte(answer.body), &set); err != nil || answer.status != http.StatusOK {
		t.Fatalf("the JWKS: %d %s", answer.status, answer.body)
	}
	return set
}

func mountToken(t *testing.T, answer mountAnswer) string {
	t.Helper()
	var body struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(answer.body), &body); err != nil || body.AccessToken == "" {
		t.Fatalf("no token: %d %s", answer.status, answer.body)
	}
	return body.AccessToken
}

// mountDocuments are the URLs of what Mount adds besides the token endpoint.
func mountDocuments(t *testing.T, m mounted) map[string]string {
	return map[string]string{
		"The JWKS":                       strings.TrimSuffix(m.issuer, "/") + "/.well-known/openid-configuration/jwks",
		"The metadata of RFC 8414":       m.inserted(t),
		"The metadata of OpenID Connect": m.appended(),
	}
}

// JWKS-1-05, JWKS-1-07, X-HTTP-01, 8414-3.1-01: documents are read by GET and HEAD
// alone, by pages of any origin, and are kept for a bounded time.
func TestDocumentsAreReadByAnyone(t *testing.T) {
	m := mount(t, "/tenant1", tokenendpoint.Paths{})
	for name, target := range mountDocuments(t, m) {
		t.Run(name+" is answered to GET and may be kept", func(t *testing.T) {
			answer := m.get(t, target, "Origin", "https://app.example")
			if answer.status != http.StatusOK || answer.header.Get("Content-Type") != "application/json" || !json.Valid([]byte(answer.body)) {
				t.Fatalf("got %d %s %s", answer.status, answer.header.Get("Content-Type"), answer.body)
			}
			if got := answer.header.Get("Access-Control-Allow-Origin"); got != "*" {
				t.Errorf("Access-Control-Allow-Origin: got %q, want *", got)
			}
			if got := answer.header.Get("Access-Control-Allow-Credentials"); got != "" {
				t.Errorf("Access-Control-Allow-Credentials: got %q, want none", got)
			}
			if got := answer.header.Get("Cache-Control"); !regexp.MustCompile(`^public, max-age=(300|3600)$`).MatchString(got) {
				t.Errorf("Cache-Control: got %q, want a bounded max-age", got)
			}
			if got := answer.header.Get("Pragma"); got != "" {
				t.Errorf("Pragma: got %q, want none", got)
			}
		})
		t.Run(name+" is answered to HEAD without its body", func(t *testing.T) {
			got, head := m.get(t, target), m.do(t, "HEAD", target, "")
			if head.status != http.StatusOK || head.body != "" {
				t.Fatalf("got %d %q", head.status, head.body)
			}
			for _, field := range []string{"Content-Type", "Content-Length", "Cache-Control", "Etag", "Access-Control-Allow-Origin"} {
				if head.header.Get(field) != got.header.Get(field) || head.header.Get(field) == "" {
					t.Errorf("%s: HEAD has %q, GET %q", field, head.header.Get(field), got.header.Get(field))
				}
			}
		})
		t.Run(name+" tells a page that asks first that it may read it", func(t *testing.T) {
			answer := m.do(t, "OPTIONS", target, "", "Origin", "https://app.example", "Access-Control-Request-Method", "GET")
			if answer.status != http.StatusNoContent || answer.body != "" {
				t.Errorf("got %d %q, want 204", answer.status, answer.body)
			}
			if got := answer.header.Get("Access-Control-Allow-Origin"); got != "*" {
				t.Errorf("Access-Control-Allow-Origin: got %q, want *", got)
			}
			if got := answer.header.Get("Access-Control-Allow-Methods"); got != "GET" {
				t.Errorf("Access-Control-Allow-Methods: got %q, want GET", got)
			}
			if got := answer.header.Get("Access-Control-Allow-Credentials"); got != "" {
				t.Errorf("Access-Control-Allow-Credentials: got %q, want none", got)
			}
		})
		for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "QUERY"} {
			t.Run(name+" is not answered to "+method, func(t *testing.T) {
				answer := m.do(t, method, target, "grant_type=client_credentials&client_id=confidential&client_secret=secret")
				if answer.status != http.StatusMethodNotAllowed || answer.header.Get("Allow") != "GET, HEAD, OPTIONS" {
					t.Errorf("got %d, Allow %q", answer.status, answer.header.Get("Allow"))
				}
				if answer.header.Get("Content-Type") != "application/json" || !strings.Contains(answer.body, `"error":"invalid_request"`) ||
					answer.header.Get("Cache-Control") != "no-store" {
					t.Errorf("got %v %s", answer.header, answer.body)
				}
			})
		}
	}
}

// JWKS-1-05: whoever has the document need not load it again until it changes.
func TestDocumentsAreLoadedAgainOnlyWhenTheyChange(t *testing.T) {
	m := mount(t, "", tokenendpoint.Paths{})
	m.source.keys = append(m.source.keys, keysOf("2", tokenendpoint.EdDSA, nil, 1, 2))
	for name, target := range mountDocuments(t, m) {
		t.Run(name+" is 304 to whoever has it", func(t *testing.T) {
			tag := m.get(t, target).header.Get("ETag")
			if !regexp.MustCompile(`^"[^"]+"$`).MatchString(tag) {
				t.Fatalf("ETag: got %q", tag)
			}
			for _, match := range []string{tag, `"other", ` + tag, "W/" + tag, "*"} {
				answer := m.get(t, target, "If-None-Match", match)
				if answer.status != http.StatusNotModified || answer.body != "" || answer.header.Get("ETag") != tag {
					t.Errorf("If-None-Match %s: got %d %q, ETag %q", match, answer.status, answer.body, answer.header.Get("ETag"))
				}
				if answer.header.Get("Cache-Control") == "" || answer.header.Get("Access-Control-Allow-Origin") != "*" {
					t.Errorf("a 304 without Cache-Control or CORS: %v", answer.header)
				}
			}
			if answer := m.get(t, target, "If-None-Match", `"other"`); answer.status != http.StatusOK || answer.body == "" {
				t.Errorf("another version: got %d %q", answer.status, answer.body)
			}
		})
	}
	t.Run("The JWKS is loaded again when a key has left it", func(t *testing.T) {
		target := mountDocuments(t, m)["The JWKS"]
		before := m.get(t, target)
		m.clock.Advance(2 * time.Hour)
		after := m.get(t, target, "If-None-Match", before.header.Get("ETag"))
		if after.status != http.StatusOK || after.header.Get("ETag") == before.header.Get("ETag") || len(mountSet(t, after).Keys) != 1 {
			t.Errorf("got %d, ETag %q after %q: %s", after.status, after.header.Get("ETag"), before.header.Get("ETag"), after.body)
		}
	})
}

// 8414-2-10, JWKS-1-01, JWKS-1-02, JWKS-1-03: what is published of each key.
func TestTheKeysThatAreServed(t *testing.T) {
	m := mount(t, "", tokenendpoint.Paths{})
	m.source.keys = append(m.source.keys, keysOf("2", tokenendpoint.EdDSA, nil, nil, nil))
	answer := m.get(t, mountDocuments(t, m)["The JWKS"])
	seen := map[string]bool{}
	for _, key := range mountSet(t, answer).Keys {
		if key["use"] != "sig" || key["alg"] == "" || key["kid"] == "" || seen[key["kid"]] {
			t.Errorf("a key without use, alg or a kid of its own: %v", key)
		}
		seen[key["kid"]] = true
		for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
			if value, there := key[private]; there {
				t.Errorf("the member %s is published: %q", private, value)
			}
		}
	}
	if len(seen) != 2 {
		t.Errorf("%d keys, want 2: %s", len(seen), answer.body)
	}
}

// X-HTTP-11: an answer that is not kept, and nothing of the cause.
func TestAJWKSThatCannotBeServed(t *testing.T) {
	m := mount(t, "", tokenendpoint.Paths{})
	target := mountDocuments(t, m)["The JWKS"]
	good := m.source.keys
	for name, spoil := range map[string]func(){
		"The source fails":          func() { m.source.err = errors.New(keysCanary) },
		"The source has no keys":    func() { m.source.keys = nil },
		"A key is there twice":      func() { m.source.keys = []tokenendpoint.Key{good[0], good[0]} },
		"An algorithm is not known": func() { m.source.keys = []tokenendpoint.Key{{ID: keysCanary, Alg: "none", Signer: good[0].Signer}} },
	} {
		t.Run(name+" and the answer is 503", func(t *testing.T) {
			spoil()
			answer := m.get(t, target, "If-None-Match", "*")
			if answer.status != http.StatusServiceUnavailable || answer.body != `{"error":"temporarily_unavailable"}` ||
				answer.header.Get("Retry-After") != "5" || answer.header.Get("Cache-Control") != "no-store" || answer.header.Get("ETag") != "" {
				t.Errorf("got %d %v %s", answer.status, answer.header, answer.body)
			}
			m.source.keys, m.source.err = good, nil
			if answer := m.get(t, target); answer.status != http.StatusOK {
				t.Errorf("once repaired: %d %s", answer.status, answer.body)
			}
		})
	}
}
