package middleware_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/middleware"
)

// Proves 6750-3.1-01: insufficient_scope is 403, with the scopes that are needed.
func TestRequireScopes(t *testing.T) {
	for _, c := range []struct {
		name   string
		token  string // its scope
		guard  []string
		routes [][]string // from the outside
		want   string
		scope  string // of the challenge
	}{
		{"a token with the scope passes", "a b", nil, [][]string{{"a"}}, "204 granted", ""},
		{"one needs all", "a b", nil, [][]string{{"a", "b"}}, "204 granted", ""},
		{"one that lacks all is refused", "", nil, [][]string{{"a"}}, "403 insufficient_scope insufficient_scope", "a"},
		{"one that lacks one is refused", "a", nil, [][]string{{"a", "b"}}, "403 insufficient_scope insufficient_scope", "a b"},
		{"case matters", "A", nil, [][]string{{"a"}}, "403 insufficient_scope insufficient_scope", "a"},
		{"the scopes of the guard are named too", "a", []string{"a"}, [][]string{{"b", "a"}}, "403 insufficient_scope insufficient_scope", "a b"},
		{"and those of the routes around", "a b", []string{"a"}, [][]string{{"b"}, {"c"}}, "403 insufficient_scope insufficient_scope", "a b c"},
		{"a route around is first", "a c", []string{"a"}, [][]string{{"b"}, {"c"}}, "403 insufficient_scope insufficient_scope", "a b"},
		{"a scope may have any printable character", "#!", []string{"#!"}, [][]string{{"#!"}}, "204 granted", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGate(t, withDPoP, func(g *gate) { g.guard.Scopes = c.guard })
			var next http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				g.reached++
				if token, ok := middleware.TokenFrom(r.Context()); !ok || token.Subject != "alice" {
					t.Error("the handler behind does not find the token")
				}
				w.WriteHeader(http.StatusNoContent)
			})
			for i := len(c.routes) - 1; i >= 0; i-- {
				next = middleware.RequireScopes(c.routes[i]...)(next)
			}
			g.handler = g.guard.Handler(next)
			w := g.bearer(g.token(object{"scope": c.token}))
			lines := strings.Split(strings.TrimSpace(g.log.String()), "\n")
			g.log.Reset()
			g.log.WriteString(lines[len(lines)-1])
			g.expect(w, c.want)
			found := challenges(t, w)
			if w.Code == http.StatusForbidden && (found["Bearer"]["resource_metadata"] != gateMetadata || found["Bearer"]["error"] == "" || found["DPoP"]["error"] != "") {
				t.Errorf("got %v", found)
			}
			if got := found["Bearer"]["scope"]; got != c.scope {
				t.Errorf("the scope is %q, want %q", got, c.scope)
			}
		})
	}
}

func TestRequireScopesFailsClosed(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler was called") })
	g := newGate(t)
	for name, handler := range map[string]http.Handler{
		"without a guard":                  middleware.RequireScopes("a")(next),
		"without a guard and scopes":       middleware.RequireScopes()(next),
		"without any scope":                g.guard.Handler(middleware.RequireScopes()(next)),
		"with a guard inside":              middleware.RequireScopes("a")(g.guard.Handler(next)),
		"with a scope that is none":        g.guard.Handler(middleware.RequireScopes("a b")(next)),
		"with a scope that breaks a quote": g.guard.Handler(middleware.RequireScopes(`a"b`)(next)),
		"with an empty scope":              g.guard.Handler(middleware.RequireScopes("")(next)),
	} {
		t.Run(name+" every request is refused", func(t *testing.T) {
			log.Reset()
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, gateRequest(gateURL, "Authorization", "Bearer "+g.token(nil)))
			checkAnswer(t, w)
			if w.Code != http.StatusInternalServerError || !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "RequireScopes") {
				t.Errorf("%d, and the log: %s", w.Code, log.String())
			}
		})
	}
}
