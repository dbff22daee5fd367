package middleware_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Proves 6750-2-01, 6750-2.1-01, 6750-2.3-01, 6750-3.1-02.
func TestWhereTheTokenIs(t *testing.T) {
	const absent, malformed = "401 token_absent", "400 invalid_request token_malformed"
	for _, c := range []struct {
		name   string
		fields string // lines of the header; TOKEN is a good token
		query  string
		want   string
	}{
		{"in the Authorization header it is taken", "Authorization: Bearer TOKEN", "", "204 granted"},
		{"the case of the scheme does not matter", "Authorization: bEARER TOKEN", "", "204 granted"},
		{"there may be more than one space", "Authorization: Bearer   TOKEN", "", "204 granted"},
		{"another query does not matter", "Authorization: Bearer TOKEN", "q=access_token", "204 granted"},
		{"no token is no error", "", "", absent},
		{"an empty header is none", "Authorization: ", "", absent},
		{"another scheme is none", "Authorization: Basic YTpi", "", absent},
		{"a token without a scheme is none", "Authorization: TOKEN", "", absent},
		{"a scheme that goes on is another one", "Authorization: BearerX TOKEN", "", absent},
		{"without Replays DPoP is another scheme", "Authorization: DPoP TOKEN", "", absent},
		{"a token in the query is none", "", "access_token=TOKEN", absent},
		{"a token in the query beside the header is refused", "Authorization: Bearer TOKEN", "access_token=TOKEN", "400 invalid_request token_repeated"},
		{"so it is if its name is escaped", "Authorization: Bearer TOKEN", "a=b&access%5Ftoken=", "400 invalid_request token_repeated"},
		{"so it is beside another scheme", "Authorization: Basic YTpi", "access_token=TOKEN", "400 invalid_request token_repeated"},
		{"two headers are refused", "Authorization: Bearer TOKEN\nAuthorization: Bearer TOKEN", "", "400 invalid_request token_repeated"},
		{"two headers of which one is empty are refused", "Authorization: \nAuthorization: Bearer TOKEN", "", "400 invalid_request token_repeated"},
		{"a list of two is refused", "Authorization: Bearer TOKEN, Bearer TOKEN", "", malformed},
		{"a scheme without a token is refused", "Authorization: Bearer", "", malformed},
		{"a scheme and a space are refused", "Authorization: Bearer ", "", malformed},
		{"a quoted token is refused", `Authorization: Bearer "TOKEN"`, "", malformed},
		{"padding alone is refused", "Authorization: Bearer ==", "", malformed},
		{"padding in the middle is refused", "Authorization: Bearer a=b", "", malformed},
		{"a tab is no space", "Authorization: Bearer\tTOKEN", "", absent},
		{"octets beyond ASCII are refused", "Authorization: Bearer \u00e4", "", malformed},
		{"the longest token is taken for one", "Authorization: Bearer " + strings.Repeat("a", 16<<10), "", "401 invalid_token token_kind"},
		{"a longer one is refused", "Authorization: Bearer " + strings.Repeat("a", 16<<10+1), "", malformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGate(t)
			token := g.token(nil)
			r := gateRequest(gateURL + "?" + strings.ReplaceAll(c.query, "TOKEN", token))
			for line := range strings.Lines(c.fields) {
				name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
				r.Header.Add(name, strings.ReplaceAll(value, "TOKEN", token))
			}
			g.expect(g.send(r), c.want)
		})
	}
}

type unreadable struct{ t *testing.T }

func (u unreadable) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, http.ErrBodyNotAllowed
}

// Proves 6750-2.2-01: a token in a body is none.
func TestTheBodyIsNotRead(t *testing.T) {
	g := newGate(t)
	r := httptest.NewRequest(http.MethodPost, gateURL, unreadable{t})
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	g.expect(g.send(r), "401 token_absent")
}

func TestTheHandlerSeesTheRequestAsItWas(t *testing.T) {
	g := newGate(t)
	authorization := "Bearer " + g.token(nil)
	g.get("Authorization", authorization, "X-Other", "1")
	if g.seen.Header.Get("Authorization") != authorization || g.seen.Header.Get("X-Other") != "1" || g.seen.URL.String() != gateURL {
		t.Errorf("got %v", g.seen)
	}
}

func TestAPanicOfTheHandlerPassesThrough(t *testing.T) {
	g := newGate(t)
	handler := g.guard.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer func() {
		if p := recover(); p != http.ErrAbortHandler {
			t.Errorf("got %v", p)
		}
	}()
	handler.ServeHTTP(httptest.NewRecorder(), gateRequest(gateURL, "Authorization", "Bearer "+g.token(nil)))
}
