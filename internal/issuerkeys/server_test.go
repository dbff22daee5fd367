package issuerkeys

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/grantor-go/grantor/internal/fetch"
	"github.com/grantor-go/grantor/internal/keysets"
)

var loopback = fetch.Guard{Inside: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}

// site is a server on 127.0.0.1 with a page for each path that has one.
type site struct {
	*httptest.Server
	mu    sync.Mutex
	pages map[string]http.HandlerFunc
	seen  []string
}

func listen(t *testing.T) *site {
	t.Helper()
	s := &site{pages: make(map[string]http.HandlerFunc)}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.seen = append(s.seen, r.URL.Path)
		page := s.pages[r.URL.Path]
		s.mu.Unlock()
		if page == nil {
			page = http.NotFound
		}
		page(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func page(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, body)
	}
}

func (s *site) metadata(issuer, jwksPath string) http.HandlerFunc {
	body, err := json.Marshal(map[string]string{"issuer": issuer, "jwks_uri": s.URL + jwksPath, "token_endpoint": "secret"})
	if err != nil {
		panic(err)
	}
	return page(string(body))
}

// 8414-3-01, 8414-3.1-01: the path of the issuer stands behind the well-known one, and
// by OpenID Connect before it.
func TestKeysComeByWayOfTheMetadata(t *testing.T) {
	a := newKey("a")
	for _, c := range []struct{ path, server, discovery string }{
		{"", "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"},
		{"/", "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"},
		{"/t1", "/.well-known/oauth-authorization-server/t1", "/t1/.well-known/openid-configuration"},
		{"/t1/", "/.well-known/oauth-authorization-server/t1", "/t1/.well-known/openid-configuration"},
		{"/a/b", "/.well-known/oauth-authorization-server/a/b", "/a/b/.well-known/openid-configuration"},
	} {
		t.Run("of the issuer with the path "+c.path, func(t *testing.T) {
			w := listen(t)
			w.pages["/keys"] = page(setOf(a))
			w.pages[c.server] = w.metadata(w.URL+c.path, "/keys")
			w.pages[c.discovery] = page("{}")
			verdict(t, &Set{Issuer: w.URL + c.path, Guard: loopback}, a.token("a"), true)
		})
		t.Run("by OpenID Connect of the issuer with the path "+c.path, func(t *testing.T) {
			w := listen(t)
			w.pages["/keys"] = page(setOf(a))
			w.pages[c.discovery] = w.metadata(w.URL+c.path, "/keys")
			verdict(t, &Set{Issuer: w.URL + c.path, Guard: loopback}, a.token("a"), true)
		})
	}
}

func TestTheMetadataIsReadWithEveryFetch(t *testing.T) {
	a, b := newKey("a"), newKey("b")
	w := listen(t)
	w.pages["/before"], w.pages["/after"] = page(setOf(a)), page(setOf(b))
	w.pages[serverPath] = w.metadata(w.URL, "/before")
	s := &Set{Issuer: w.URL, Guard: loopback}
	verdict(t, s, a.token("a"), true)
	w.mu.Lock()
	w.pages[serverPath] = w.metadata(w.URL, "/after")
	w.mu.Unlock()
	verdict(t, s, b.token("b"), true)
	if got := fmt.Sprint(w.seen); got != fmt.Sprint([]string{serverPath, "/before", serverPath, "/after"}) {
		t.Errorf("requests: %v", got)
	}
}

// X-JWKS-FETCH-01, 8414-3.3-01, 8414-4-01
func TestAnIssuerThatIsWrong(t *testing.T) {
	a := newKey("a")
	inner := listen(t)
	inner.pages["/keys"], inner.pages[serverPath] = page(setOf(a)), page("{}")
	good := listen(t)
	good.pages["/keys"], good.pages[serverPath] = page(setOf(a)), good.metadata(good.URL, "/keys")
	to := func(url string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, url, http.StatusTemporaryRedirect) }
	}
	unavailable := func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "secret", http.StatusServiceUnavailable) }
	jwksURI := func(uri string) http.HandlerFunc {
		return page(fmt.Sprintf(`{"issuer":%q,"jwks_uri":%q}`, good.URL, uri))
	}
	unusable, outages := keysets.ErrUnusable, keysets.ErrUnavailable
	for _, c := range []struct {
		name  string
		pages map[string]http.HandlerFunc // that are not as they should be
		want  error
	}{
		{"metadata of another issuer", map[string]http.HandlerFunc{serverPath: good.metadata("https://secret.example", "/keys")}, unusable},
		{"metadata of another issuer that differs by a slash", map[string]http.HandlerFunc{serverPath: good.metadata(good.URL+"/", "/keys")}, unusable},
		{"metadata of no issuer", map[string]http.HandlerFunc{serverPath: page(`{"jwks_uri":"` + good.URL + `/keys"}`)}, unusable},
		{"metadata of an issuer twice", map[string]http.HandlerFunc{serverPath: page(`{"issuer":"` + good.URL + `","issuer":"` + good.URL + `","jwks_uri":"` + good.URL + `/keys"}`)}, unusable},
		{"metadata without jwks_uri", map[string]http.HandlerFunc{serverPath: page(`{"issuer":"` + good.URL + `"}`)}, unusable},
		{"metadata that is no JSON", map[string]http.HandlerFunc{serverPath: page(`secret`)}, unusable},
		{"metadata that is too large", map[string]http.HandlerFunc{serverPath: page(`{"secret":"` + strings.Repeat("x", 1<<20) + `"}`)}, unusable},
		{"metadata by a redirect", map[string]http.HandlerFunc{serverPath: to(inner.URL + serverPath)}, unusable},
		{"no metadata", map[string]http.HandlerFunc{serverPath: http.NotFound}, unusable},
		{"metadata that cannot be had now", map[string]http.HandlerFunc{serverPath: unavailable, discoveryPath: good.metadata(good.URL, "/keys")}, outages},
		{"metadata by OpenID Connect that cannot be had now", map[string]http.HandlerFunc{serverPath: http.NotFound, discoveryPath: unavailable}, outages},
		{"metadata by OpenID Connect of another issuer", map[string]http.HandlerFunc{serverPath: http.NotFound, discoveryPath: inner.metadata(inner.URL, "/keys")}, unusable},
		{"a jwks_uri at an inner address", map[string]http.HandlerFunc{serverPath: jwksURI("https://10.0.0.1/secret")}, unusable},
		{"a jwks_uri at the metadata service of a cloud", map[string]http.HandlerFunc{serverPath: jwksURI("http://169.254.169.254/secret")}, unusable},
		{"a jwks_uri that is not https", map[string]http.HandlerFunc{serverPath: jwksURI("http://issuer.example/secret")}, unusable},
		{"a jwks_uri that is a file", map[string]http.HandlerFunc{serverPath: jwksURI("file:///etc/secret")}, unusable},
		{"a jwks_uri that is no URL", map[string]http.HandlerFunc{serverPath: jwksURI("https://%zz/secret")}, unusable},
		{"a jwks_uri that is too long", map[string]http.HandlerFunc{serverPath: jwksURI("https://issuer.example/secret" + strings.Repeat("x", 2048))}, unusable},
		{"keys by a redirect", map[string]http.HandlerFunc{"/keys": to(inner.URL + "/keys")}, unusable},
		{"keys that are none", map[string]http.HandlerFunc{"/keys": page(`{"secret":[]}`)}, unusable},
		{"keys that are not there", map[string]http.HandlerFunc{"/keys": http.NotFound}, unusable},
		{"keys that cannot be had now", map[string]http.HandlerFunc{"/keys": unavailable}, outages},
	} {
		t.Run(c.name+" is an outage", func(t *testing.T) {
			good.mu.Lock()
			before := maps.Clone(good.pages)
			maps.Copy(good.pages, c.pages)
			good.mu.Unlock()
			defer func() {
				good.mu.Lock()
				good.pages = before
				good.mu.Unlock()
			}()
			err := outage(t, &Set{Issuer: good.URL, Guard: loopback}, a.token("a"))
			if !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
	verdict(t, &Set{Issuer: good.URL, Guard: loopback}, a.token("a"), true)
	if len(inner.seen) != 0 {
		t.Errorf("requests to where nobody may go: %v", inner.seen)
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	w := listen(t)
	w.pages[serverPath] = page(`{"issuer":"` + w.URL + `"}`)
	if err := outage(t, &Set{Issuer: w.URL, Guard: loopback}, newKey("a").token("a")); !strings.Contains(err.Error(), "no jwks_uri") {
		t.Error(err)
	}
}

func TestAnIssuerThatMayNotBeRequestedIsAnOutage(t *testing.T) {
	a := newKey("a")
	w := listen(t)
	w.pages["/keys"], w.pages[serverPath] = page(setOf(a)), w.metadata(w.URL, "/keys")
	outage(t, &Set{Issuer: w.URL}, a.token("a"))
	for _, issuer := range []string{"", "issuer.example", "http://issuer.example", w.URL + "?x", w.URL + "?", w.URL + "#x", "https://10.0.0.1"} {
		if err := outage(t, &Set{Issuer: issuer, Guard: loopback}, a.token("a")); !errors.Is(err, fetch.ErrRefused) {
			t.Errorf("%q: %v", issuer, err)
		}
	}
	if len(w.seen) != 0 {
		t.Errorf("requests: %v", w.seen)
	}
}
