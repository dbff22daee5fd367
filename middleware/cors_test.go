package middleware_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/middleware"
)

// wantHeader holds the whole header, so that nothing else is sent.
func wantHeader(t *testing.T, w *httptest.ResponseRecorder, want map[string][]string) {
	t.Helper()
	if !maps.EqualFunc(w.Header(), want, slices.Equal) {
		t.Errorf("header %v, want %v", w.Header(), want)
	}
}

var (
	preflightVary = []string{"Origin", "Access-Control-Request-Method, Access-Control-Request-Headers"}
	onlyVary      = map[string][]string{"Vary": {"Origin"}}
	refused       = map[string][]string{"Vary": preflightVary}
)

func permission(origin string) map[string][]string {
	return map[string][]string{
		"Access-Control-Allow-Origin":  {origin},
		"Access-Control-Allow-Methods": {"POST"},
		"Access-Control-Allow-Headers": {"Authorization, Content-Type, DPoP"},
		"Access-Control-Max-Age":       {"600"},
		"Vary":                         preflightVary,
	}
}

// Proves 9449-8-05.
func exposure(origin string) map[string][]string {
	return map[string][]string{
		"Access-Control-Allow-Origin":   {origin},
		"Access-Control-Expose-Headers": {"DPoP-Nonce, Retry-After, WWW-Authenticate"},
		"Vary":                          {"Origin"},
	}
}

func TestCORS(t *testing.T) {
	const app, local = "https://app.example", "http://localhost:3000"
	cors, err := middleware.CORS(app, local)
	if err != nil {
		t.Fatal(err)
	}
	passed := http.StatusTeapot
	for _, c := range []struct {
		name    string
		method  string
		asks    string // Access-Control-Request-Method
		origins []string
		status  int
		header  map[string][]string
	}{
		{"a preflight of an allowed origin is permitted", "OPTIONS", "POST", []string{app}, 204, permission(app)},
		{"a preflight of the second origin is permitted", "OPTIONS", "POST", []string{local}, 204, permission(local)},
		{"a preflight for another method learns what is allowed", "OPTIONS", "DELETE", []string{app}, 204, permission(app)},
		{"a preflight of another origin is refused", "OPTIONS", "POST", []string{"https://evil.example"}, 403, refused},
		{"a preflight of several origins is refused", "OPTIONS", "POST", []string{app, app}, 403, refused},
		{"a preflight of the null origin is refused", "OPTIONS", "POST", []string{"null"}, 403, refused},
		{"a preflight of an empty origin is refused", "OPTIONS", "POST", []string{""}, 403, refused},
		{"OPTIONS without origin is passed on", "OPTIONS", "POST", nil, passed, onlyVary},
		{"OPTIONS that asks for no method is passed on", "OPTIONS", "", []string{app}, passed, exposure(app)},

		{"a request of an allowed origin is exposed", "POST", "", []string{app}, passed, exposure(app)},
		{"a request is no preflight for asking for a method", "POST", "POST", []string{app}, passed, exposure(app)},
		{"a request without origin is passed on", "POST", "", nil, passed, onlyVary},
		{"a request of another origin is passed on unexposed", "POST", "", []string{"https://evil.example"}, passed, onlyVary},
		{"a request of several origins is passed on unexposed", "POST", "", []string{app, local}, passed, onlyVary},
		{"a request of the null origin is passed on unexposed", "POST", "", []string{"null"}, passed, onlyVary},
		{"the scheme matters", "POST", "", []string{"http://app.example"}, passed, onlyVary},
		{"the port matters", "POST", "", []string{"https://app.example:8443"}, passed, onlyVary},
		{"a missing port matters", "POST", "", []string{"http://localhost"}, passed, onlyVary},
		{"the case matters", "POST", "", []string{"https://App.example"}, passed, onlyVary},
		{"a subdomain is another origin", "POST", "", []string{"https://x.app.example"}, passed, onlyVary},
		{"an origin that begins alike is another", "POST", "", []string{"https://app.example.evil.example"}, passed, onlyVary},
		{"a list in one line is not allowed", "POST", "", []string{app + " " + local}, passed, onlyVary},
	} {
		t.Run(c.name, func(t *testing.T) {
			next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(passed) })
			r := httptest.NewRequest(c.method, "/connect/token", nil)
			for _, origin := range c.origins {
				r.Header.Add("Origin", origin)
			}
			if c.asks != "" {
				r.Header.Set("Access-Control-Request-Method", c.asks)
				r.Header.Set("Access-Control-Request-Headers", "authorization,x-other")
			}
			w := httptest.NewRecorder()
			cors(next).ServeHTTP(w, r)
			if w.Code != c.status {
				t.Errorf("status %d, want %d", w.Code, c.status)
			}
			wantHeader(t, w, c.header)
		})
	}
}

func TestCORSKeepsTheVaryOfOthers(t *testing.T) {
	cors, err := middleware.CORS("https://app.example")
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	w.Header().Set("Vary", "Accept-Encoding")
	cors(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", nil))
	if got := w.Header().Values("Vary"); !slices.Equal(got, []string{"Accept-Encoding", "Origin"}) {
		t.Errorf("Vary %q", got)
	}
}

func TestCORSOrigins(t *testing.T) {
	for _, origin := range []string{
		"https://app.example", "https://app.example:8443", "http://app.example", "http://localhost:3000", "https://app.example:80",
		"http://127.0.0.1:8080", "https://[2001:db8::1]", "https://[2001:db8::1]:8443", "https://xn--bcher-kva.example",
	} {
		t.Run("an exact origin is taken: "+origin, func(t *testing.T) {
			cors, err := middleware.CORS(origin)
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			r.Header.Set("Origin", origin)
			w := httptest.NewRecorder()
			cors(http.NotFoundHandler()).ServeHTTP(w, r)
			if got := w.Header().Get("Access-Control-Allow-Origin"); got != origin {
				t.Errorf("Access-Control-Allow-Origin %q", got)
			}
		})
	}

	for _, c := range []struct{ name, origin, remedy string }{
		{"a wildcard", "*", "list every origin"},
		{"a wildcard in the host", "https://*.app.example", "list every origin"},
		{"null", "null", "an origin of its own"},
		{"nothing", "", "like"},
		{"a trailing slash", "https://app.example/", "nothing after"},
		{"a path", "https://app.example/app", "nothing after"},
		{"a query", "https://app.example?a=b", "nothing after"},
		{"an empty query", "https://app.example?", "nothing after"},
		{"a fragment", "https://app.example#a", "nothing after"},
		{"an empty fragment", "https://app.example#", "nothing after"},
		{"user information", "https://user@app.example", "like"},
		{"user information with a password", "https://user:pw@app.example", "like"},
		{"a scheme in upper case", "HTTPS://app.example", "lower case"},
		{"a host in upper case", "https://App.example", "lower case"},
		{"no scheme", "app.example", "scheme"},
		{"no scheme but slashes", "//app.example", "scheme"},
		{"no host", "https://", "host"},
		{"no host but a port", "https://:8443", "host"},
		{"another scheme", "ftp://app.example", "like"},
		{"white space before", " https://app.example", "like"},
		{"white space after", "https://app.example ", "like"},
		{"two in one", "https://a.example,https://b.example", "like"},
		{"two hosts in one", "https://a.example,b.example", "host"},
		{"the default port of https", "https://app.example:443", "leave out"},
		{"the default port of http", "http://app.example:80", "leave out"},
		{"an empty port", "https://app.example:", "port"},
		{"a port with a leading zero", "https://app.example:08443", "port"},
		{"a port that is too large", "https://app.example:65536", "port"},
		{"a port that is a name", "https://app.example:web", "port"},
		{"an international host", "https://b\u00fccher.example", "punycode"},
		{"a percent-encoded host", "https://%61pp.example", "like"},
		{"an IPv6 address that is not in its shortest form", "https://[2001:db8:0::1]", "shortest"},
		{"an IPv6 address without brackets", "https://2001:db8::1", "write"},
		{"IPv4 in brackets", "https://[192.0.2.1]", "write"},
		{"an IPv6 address with a raw zone", "https://[fe80::1%eth0]", "like"},
		{"an IPv6 address with a zone", "https://[fe80::1%25eth0]", "like"},
	} {
		t.Run("the error names the value and the remedy: "+c.name, func(t *testing.T) {
			cors, err := middleware.CORS("https://app.example", c.origin)
			if err == nil || cors != nil {
				t.Fatalf("CORS(%q) gave no error", c.origin)
			}
			for _, want := range []string{"middleware: ", `"` + c.origin + `"`, c.remedy} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q lacks %q", err, want)
				}
			}
		})
	}

	t.Run("every bad origin is named at once", func(t *testing.T) {
		_, err := middleware.CORS("*", "https://app.example", "null")
		if err == nil || !strings.Contains(err.Error(), `"*"`) || !strings.Contains(err.Error(), `"null"`) {
			t.Errorf("error = %v", err)
		}
	})

	t.Run("no origins allow none", func(t *testing.T) {
		cors, err := middleware.CORS()
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set("Origin", "")
		w := httptest.NewRecorder()
		cors(http.NotFoundHandler()).ServeHTTP(w, r)
		if w.Header().Values("Access-Control-Allow-Origin") != nil {
			t.Error("an origin was allowed")
		}
	})
}
