package middleware_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/grantor-go/grantor/middleware"
)

// Proves 6749-2.3.1-06 and 6749-3.2-06.
func TestRequireTLS(t *testing.T) {
	const proxy, stranger = "10.0.0.1:1", "192.0.2.1:1"
	for _, c := range []struct {
		name   string
		remote string
		tls    bool
		protos []string
		passes bool
	}{
		{"a TLS connection passes", stranger, true, nil, true},
		{"a TLS connection passes whatever a header says", stranger, true, []string{"http"}, true},
		{"a plain connection is refused", stranger, false, nil, false},
		{"a stranger's header is not believed", stranger, false, []string{"https"}, false},
		{"a trusted proxy that saw TLS passes", proxy, false, []string{"https"}, true},
		{"an IPv4-mapped trusted proxy passes", "[::ffff:10.0.0.1]:1", false, []string{"https"}, true},
		{"the header's case does not matter", proxy, false, []string{"HTTPS"}, true},
		{"a trusted proxy that saw plain http is refused", proxy, false, []string{"http"}, false},
		{"a trusted proxy that says nothing is refused", proxy, false, nil, false},
		{"a trusted proxy with an empty header is refused", proxy, false, []string{""}, false},
		{"two lines are refused", proxy, false, []string{"https", "https"}, false},
		{"a second line that says http is refused", proxy, false, []string{"https", "http"}, false},
		{"a list is refused", proxy, false, []string{"https, https"}, false},
		{"a letter that only folds to s is refused", proxy, false, []string{"http\u017f"}, false},
		{"a peer without address is refused", "@", false, []string{"https"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			called := false
			next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				called = true
				w.WriteHeader(http.StatusTeapot)
			})
			r := requestFrom(c.remote)
			if c.tls {
				r.TLS = &tls.ConnectionState{}
			}
			for _, proto := range c.protos {
				r.Header.Add("X-Forwarded-Proto", proto)
			}
			w := httptest.NewRecorder()
			middleware.RequireTLS(mustParseProxies(t, "10.0.0.0/8"))(next).ServeHTTP(w, r)

			if called != c.passes {
				t.Fatalf("next called: %v, want %v", called, c.passes)
			}
			if c.passes {
				if w.Code != http.StatusTeapot || len(w.Header()) != 0 {
					t.Errorf("answer altered: %d %v", w.Code, w.Header())
				}
				return
			}
			wantRefusal(t, w)
		})
	}
}

func TestRequireTLSTrustsNobodyUnlessTold(t *testing.T) {
	r := requestFrom("127.0.0.1:1")
	r.Header.Set("X-Forwarded-Proto", "https")
	w := httptest.NewRecorder()
	middleware.RequireTLS(nil)(http.NotFoundHandler()).ServeHTTP(w, r)
	wantRefusal(t, w)
}

func TestRequireTLSKeepsItsOwnListOfProxies(t *testing.T) {
	proxies := mustParseProxies(t, "10.0.0.1")
	handler := middleware.RequireTLS(proxies)(http.NotFoundHandler())
	proxies[0] = netip.MustParsePrefix("192.0.2.0/24")
	r := requestFrom("192.0.2.1:1")
	r.Header.Set("X-Forwarded-Proto", "https")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	wantRefusal(t, w)
}

func wantRefusal(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	if w.Code != http.StatusBadRequest {
		t.Errorf("status %d, want 400", w.Code)
	}
	if want := `{"error":"invalid_request","error_description":"TLS is required"}`; w.Body.String() != want {
		t.Errorf("body %q, want %q", w.Body, want)
	}
	wantHeader(t, w, map[string][]string{
		"Content-Type":  {"application/json"},
		"Cache-Control": {"no-store"},
		"Pragma":        {"no-cache"},
	})
}
