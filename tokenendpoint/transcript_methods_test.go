package tokenendpoint_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/grantor-go/grantor/tokenendpoint"
)

// TestOnlyTheMethodsOfAClientAuthenticateIt presents every kind of credentials
// for every kind of client: what is not listed here as accepted is refused
// (6749-2.2-01, 6749-2.3-01, 6749-2.3-03, Conflicts no. 2, Commonly got wrong
// no. 4 and 5). The grant is one that serves public clients too.
func TestOnlyTheMethodsOfAClientAuthenticateIt(t *testing.T) {
	const basic, body, id, idInHeader = "the secret by Basic", "the secret in the body", "the id alone", "an empty secret by Basic"
	presented := []struct {
		name    string
		several bool
		request func(id, secret string) (basic string, authorization []string, form url.Values)
	}{
		{basic, false, func(id, secret string) (string, []string, url.Values) { return id + ":" + secret, nil, nil }},
		{body, false, func(id, secret string) (string, []string, url.Values) {
			return "", nil, url.Values{"client_id": {id}, "client_secret": {secret}}
		}},
		{id, false, func(id, _ string) (string, []string, url.Values) { return "", nil, url.Values{"client_id": {id}} }},
		{idInHeader, false, func(id, _ string) (string, []string, url.Values) { return id + ":", nil, nil }},
		{"a wrong secret by Basic", false, func(id, _ string) (string, []string, url.Values) { return id + ":wrong-sesame", nil, nil }},
		{"a wrong secret in the body", false, func(id, _ string) (string, []string, url.Values) {
			return "", nil, url.Values{"client_id": {id}, "client_secret": {"wrong-sesame"}}
		}},
		{"nothing", false, func(string, string) (string, []string, url.Values) { return "", nil, nil }},
		{"a secret without an id", false, func(_, secret string) (string, []string, url.Values) {
			return "", nil, url.Values{"client_secret": {secret}}
		}},
		{"a bearer token and the id", false, func(id, secret string) (string, []string, url.Values) {
			return "", []string{"Authorization: Bearer " + secret}, url.Values{"client_id": {id}}
		}},
		{"an assertion", false, func(id, _ string) (string, []string, url.Values) {
			return "", nil, url.Values{"client_id": {id}, "client_assertion": {"splendid.client.assertion"}}
		}},
		{"the secret by Basic and in the body", true, func(id, secret string) (string, []string, url.Values) {
			return id + ":" + secret, nil, url.Values{"client_id": {id}, "client_secret": {secret}}
		}},
		{"the secret by Basic and an assertion", true, func(id, secret string) (string, []string, url.Values) {
			return id + ":" + secret, nil, url.Values{"client_assertion": {"splendid.client.assertion"}}
		}},
		{"the secret in the body and an assertion", true, func(id, secret string) (string, []string, url.Values) {
			return "", nil, url.Values{"client_id": {id}, "client_secret": {secret}, "client_assertion": {"splendid.client.assertion"}}
		}},
		{"two headers", true, func(id, secret string) (string, []string, url.Values) {
			return id + ":" + secret, []string{"Authorization: Bearer splendid-token"}, nil
		}},
	}
	clients := []struct {
		id, secret string
		accepted   []string
	}{
		{"worker", "open-sesame-7", []string{basic, body}},
		{"basic-only", "basic-sesame", []string{basic}},
		{"post-only", "post-sesame", []string{body}},
		{"registered-post", "registered-sesame", []string{body}},
		{"overruled", "overruled-sesame", []string{basic}},
		{"asserting", "asserting-sesame", nil},
		{"public", "some-sesame", []string{id, idInHeader}},
		{"public-with-secret", "stray-sesame", []string{id, idInHeader}},
		{"either", "either-sesame", []string{basic, id, idInHeader}},
		{"unset", "some-sesame", nil},
		{"dormant", "dormant-sesame", nil},
		{"stranger", "some-sesame", nil},
	}
	server := newTranscriptServer(t, []tokenendpoint.Alg{tokenendpoint.ES256}, nil, make(map[string]bool))
	for i, client := range clients {
		remote := fmt.Sprintf("192.0.2.%d:1234", i+1) // so that none is throttled for the failures of another
		for _, cell := range presented {
			t.Run(client.id+" presents "+cell.name, func(t *testing.T) {
				credentials, authorization, form := cell.request(client.id, client.secret)
				if form == nil {
					form = make(url.Values)
				}
				form.Set("grant_type", "urn:example:echo")
				step := &transcriptStep{body: form.Encode(), remote: remote}
				lines := []string{"POST /connect/token HTTP/1.1", "Content-Type: application/x-www-form-urlencoded"}
				if credentials != "" {
					lines = append(lines, "Basic-Auth: "+credentials)
				}
				for _, line := range append(lines, authorization...) {
					if err := step.requestLine(line); err != nil {
						t.Fatal(err)
					}
				}
				w := server.exchange(t, step)
				answer, _ := transcriptObject(w.Body.Bytes())
				code := w.Code
				proven := cell.name == basic || cell.name == body
				switch {
				case slices.Contains(client.accepted, cell.name):
					if code != http.StatusOK || answer["authenticated"] != proven {
						t.Fatalf("got %d %v, want a token with authenticated %v", code, answer, proven)
					}
					server.checkToken(t, w.Body.Bytes())
				case cell.several:
					if code != http.StatusBadRequest || answer["error"] != "invalid_request" {
						t.Errorf("got %d %v, want 400 invalid_request", code, answer)
					}
				case code != http.StatusUnauthorized || answer["error"] != "invalid_client":
					t.Errorf("got %d %v, want 401 invalid_client", code, answer)
				}
			})
		}
	}
}
