package keysets

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/grantor-go/grantor/internal/fetch"
)

var loopback = fetch.Guard{Inside: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}

// listen is a client's server on 127.0.0.1.
func listen(t *testing.T, handle http.HandlerFunc) (url string, requests *atomic.Int64) {
	t.Helper()
	requests = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		handle(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/jwks?secret", requests
}

func publish(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Type", "application/jwk-set+json")
	io.WriteString(w, body)
}

func TestKeysComeFromAServer(t *testing.T) {
	var body atomic.Value
	body.Store(setOf("a"))
	url, requests := listen(t, func(w http.ResponseWriter, _ *http.Request) { publish(w, body.Load().(string)) })
	r := &Remote{Guard: loopback}
	find := func(kid string) {
		t.Helper()
		if keys, err := find(r, t.Context(), url, kid, "ES256"); err != nil || len(keys) != 1 || !public().Equal(keys[0].Public) {
			t.Errorf("%v, %v", keys, err)
		}
	}
	find("a")
	body.Store(setOf("b"))
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { find("b") })
	}
	all.Wait()
	if n := requests.Load(); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
}

// X-JWKS-FETCH-01
func TestWhatIsNoSetIsUnusable(t *testing.T) {
	inner, innerRequests := listen(t, func(w http.ResponseWriter, _ *http.Request) { publish(w, setOf("a")) })
	for name, handle := range map[string]http.HandlerFunc{
		"a redirect":               func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, inner, http.StatusFound) },
		"ten mebibytes":            func(w http.ResponseWriter, _ *http.Request) { publish(w, setOf("a")+strings.Repeat(" ", 10<<20)) },
		"another media type":       func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, setOf("a")) },
		"a page that is not there": http.NotFound,
	} {
		url, _ := listen(t, handle)
		keys, err := find(&Remote{Guard: loopback}, t.Context(), url, "a", "ES256")
		if keys != nil || !errors.Is(err, ErrUnusable) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, %v", name, keys, err)
		}
	}
	for name, url := range map[string]string{
		"a URL on this machine":         inner,
		"a URL that is not https":       "http://client.example/secret",
		"a URL that is too long":        here + strings.Repeat("x", 2048),
		"a URL with a fragment":         here + "#secret",
		"a URL that cannot be parsed":   "https://%zz/secret",
		"a URL of the empty string":     "",
		"an address that is not public": "https://10.0.0.1/secret",
	} {
		keys, err := find(new(Remote), t.Context(), url, "a", "ES256")
		if keys != nil || !errors.Is(err, ErrUnusable) || !errors.Is(err, fetch.ErrRefused) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, %v", name, keys, err)
		}
	}
	if n := innerRequests.Load(); n != 0 {
		t.Errorf("%d requests to where nobody may go", n)
	}
}

func TestAServerInTroubleIsUnavailable(t *testing.T) {
	url, _ := listen(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	closed := httptest.NewServer(nil)
	closed.Close()
	for _, url := range []string{url, closed.URL + "/jwks?secret"} {
		keys, err := find(&Remote{Guard: loopback}, t.Context(), url, "a", "ES256")
		if keys != nil || !errors.Is(err, ErrUnavailable) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v, %v", keys, err)
		}
	}
}
