package middleware_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	challengeForm = regexp.MustCompile(`^(Bearer|DPoP) ([a-z_]+="[^"\\]*")(, [a-z_]+="[^"\\]*")*$`)
	attributeForm = regexp.MustCompile(`([a-z_]+)="([^"\\]*)"`)
	describable   = regexp.MustCompile(`^[\x20-\x21\x23-\x5B\x5D-\x7E]*$`) // RFC 6750 section 3
)

// challenges reads the challenges of an answer, by scheme.
func challenges(t testing.TB, w *httptest.ResponseRecorder) map[string]map[string]string {
	t.Helper()
	all := make(map[string]map[string]string)
	for _, line := range w.Header().Values("WWW-Authenticate") {
		if !challengeForm.MatchString(line) {
			t.Errorf("not one challenge: %s", line)
			continue
		}
		scheme, rest, _ := strings.Cut(line, " ")
		if all[scheme] != nil {
			t.Errorf("two challenges of %s", scheme)
		}
		all[scheme] = make(map[string]string)
		for _, found := range attributeForm.FindAllStringSubmatch(rest, -1) {
			if _, twice := all[scheme][found[1]]; twice || !describable.MatchString(found[2]) {
				t.Errorf("the attribute %s is there twice, or has characters that it may not have: %s", found[1], line)
			}
			all[scheme][found[1]] = found[2]
		}
	}
	return all
}

// checkAnswer holds what is so of every answer: 6750-3-01, 6750-3.1-01, 9728-5.1-01.
func checkAnswer(t testing.TB, w *httptest.ResponseRecorder) {
	t.Helper()
	found := challenges(t, w)
	if w.Code == http.StatusNoContent {
		if len(found) > 0 || w.Body.Len() > 0 {
			t.Errorf("an answer of the handler was altered: %v %s", w.Header(), w.Body)
		}
		return
	}
	var body map[string]string
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("the body is not an object of strings: %v %s", err, w.Body)
	}
	if w.Header().Get("Cache-Control") != "no-store" {
		t.Error("a refusal may be kept")
	}
	codes := map[int][]string{
		400: {"invalid_request"}, 401: {"", "invalid_token", "invalid_dpop_proof", "use_dpop_nonce"},
		403: {"insufficient_scope"}, 500: {"server_error"}, 503: {"temporarily_unavailable"},
	}
	if !slices.Contains(codes[w.Code], body["error"]) {
		t.Errorf("status %d with the error %q", w.Code, body["error"])
	}
	if wanted := w.Code < 500; wanted != (len(found) > 0) {
		t.Errorf("status %d with the challenges %v", w.Code, found)
	}
	said := 0
	for scheme, attributes := range found {
		if attributes["error"] != "" {
			said++
		}
		if attributes["error"] != "" && (attributes["error"] != body["error"] || attributes["error_description"] != body["error_description"]) {
			t.Errorf("the challenge of %s says %v, and the body %v", scheme, attributes, body)
		}
		if attributes["resource_metadata"] == "" && attributes["realm"] == "" {
			t.Errorf("the challenge of %s does not say whose it is", scheme)
		}
		if (scheme == "DPoP") != (attributes["algs"] != "") {
			t.Errorf("algs of %s: %q", scheme, attributes["algs"])
		}
	}
	if w.Code < 500 && (said > 0) != (body["error"] != "") {
		t.Errorf("%d challenges have an error, and the body %v", said, body)
	}
	if (w.Code == http.StatusServiceUnavailable) != (w.Header().Get("Retry-After") != "") {
		t.Error("Retry-After belongs to an outage")
	}
	if nonces := w.Header().Values("DPoP-Nonce"); len(nonces) > 1 || body["error"] == "use_dpop_nonce" && len(nonces) != 1 {
		t.Errorf("%d nonces", len(nonces))
	}
}
