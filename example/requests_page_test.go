package main

import (
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// ref is what the page calls the request with a message.
func ref(t *testing.T, page, message string) string {
	t.Helper()
	_, after, found := strings.Cut(page, message)
	match := regexp.MustCompile(`name="decision_ref" value="(\w+)"`).FindStringSubmatch(after)
	if !found || match == nil {
		t.Fatalf("the page does not ask about %q:\n%s", message, page)
	}
	return match[1]
}

// CIBA-10.1.1-02: the ID token is about the user who decided, and how they signed in.
func TestAUserDecidesOnRequestsToSignIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newInside(t)
		b := in.signedIn("bob", "/requests")
		b.shows(http.StatusOK, "Nobody asks to sign you in.")
		first, second := in.beginCIBA("bob", "Sale 1"), in.beginCIBA("bob", "Sale 2")
		b.open(shopURL + "/requests")
		for _, words := range []string{"ciba", "<li>api1</li>", "Sale 1", "Sale 2", " UTC</time>"} {
			b.shows(http.StatusOK, words)
		}
		if problem, _ := in.pollCIBA(first); problem != "authorization_pending" {
			t.Errorf("after the page was opened: %q", problem)
		}
		page := b.page
		b.submit("action", "deny", "decision_ref", ref(t, page, "Sale 2"))
		b.shows(http.StatusOK, "You denied it.")
		if strings.Contains(b.page, "Sale 2") || !strings.Contains(b.page, "Sale 1") {
			t.Errorf("what is decided is asked, or what is not is gone:\n%s", b.page)
		}
		b.submit("action", "allow", "decision_ref", ref(t, page, "Sale 1"))
		b.shows(http.StatusOK, "You allowed it.")
		if problem, _ := in.pollCIBA(second); problem != "access_denied" {
			t.Errorf("denied: %q", problem)
		}
		problem, members := in.pollCIBA(first)
		if problem != "" || members["scope"] != "openid api1" {
			t.Fatalf("allowed: %q", problem)
		}
		var claims struct {
			Sub, SID string
			AuthTime int64 `json:"auth_time"`
			AMR      []string
		}
		if err := decodePart(strings.Split(members["id_token"].(string), ".")[1], &claims); err != nil {
			t.Fatal(err)
		}
		if claims.Sub != "2" || claims.SID == "" || claims.AuthTime == 0 || len(claims.AMR) != 1 || claims.AMR[0] != "pwd" {
			t.Errorf("claims %+v", claims)
		}
		b.submit("action", "allow", "decision_ref", ref(t, page, "Sale 1"))
		b.shows(http.StatusConflict, "decided already")
	})
}

func TestNobodyDecidesForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newInside(t)
		id := in.beginCIBA("bob", "Sale 1")
		bob, alice := in.signedIn("bob", "/requests"), in.signedIn("alice", "/requests")
		alice.shows(http.StatusOK, "Nobody asks to sign you in.")
		asked := ref(t, bob.page, "Sale 1")
		alice.submit("action", "allow", "decision_ref", asked)
		alice.shows(http.StatusNotFound, "not there any more")
		bob.submit("action", "", "decision_ref", asked)
		bob.shows(http.StatusNotFound, "not there any more")
		bob.submit("csrf", strings.Repeat("A", 26), "action", "allow", "decision_ref", asked)
		bob.shows(http.StatusForbidden, "did not come from a page of ours")
		if problem, _ := in.pollCIBA(id); problem != "authorization_pending" {
			t.Errorf("error %q", problem)
		}
	})
}

func TestARequestThatExpiresVanishes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newInside(t)
		in.beginCIBA("bob", "Sale 1")
		b := in.signedIn("bob", "/requests")
		asked := ref(t, b.page, "Sale 1")
		time.Sleep(5 * time.Minute)
		b.submit("action", "allow", "decision_ref", asked)
		b.shows(http.StatusNotFound, "not there any more")
		b.open(shopURL + "/requests")
		b.shows(http.StatusOK, "Nobody asks to sign you in.")
	})
}

func TestARequestOutlivesAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newInside(t)
		in.beginCIBA("bob", "Sale 1")
		b := in.signedIn("bob", "/requests")
		asked := ref(t, b.page, "Sale 1")
		in.down.Store(true)
		b.submit("action", "allow", "decision_ref", asked)
		b.shows(http.StatusServiceUnavailable, "at the moment")
		in.down.Store(false)
		b.submit("action", "allow", "decision_ref", ref(t, b.page, "Sale 1"))
		b.shows(http.StatusOK, "You allowed it.")
	})
}

// CIBA-14-01
func TestNobodysTelephoneIsBombed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newInside(t)
		for range mostUndecided {
			in.beginCIBA("bob", "Sale 1")
		}
		before := in.kept.Load()
		status, members := in.tryCIBA(url.Values{"login_hint": {"bob"}})
		if status != http.StatusTooManyRequests || members["error"] != "temporarily_unavailable" || in.kept.Load() != before {
			t.Errorf("status %d, error %v, and %d records were kept", status, members["error"], in.kept.Load()-before)
		}
		in.beginCIBA("alice", "Sale 1")
		b := in.signedIn("bob", "/requests")
		b.submit("action", "deny", "decision_ref", ref(t, b.page, "Sale 1"))
		in.beginCIBA("bob", "Sale 2")
		time.Sleep(6 * time.Minute)
		in.beginCIBA("bob", "Sale 3")
		b.open(shopURL + "/requests")
		if n := strings.Count(b.page, "decision_ref"); n != 1 {
			t.Errorf("%d requests are left, want that of Sale 3 alone", n)
		}
	})
}

// Several at once have all passed Resolve.
func TestNobodyIsAskedTooOftenAtOnce(t *testing.T) {
	var asked requests
	ask := func() error {
		return asked.ask(t.Context(), &grants.Authentication{Request: &tokenendpoint.Request{Client: new(store.Client)},
			Subject: "2", Decision: tokenendpoint.NewDecision(), ExpiresAt: time.Now().Add(time.Hour)})
	}
	for range mostUndecided {
		if err := ask(); err != nil {
			t.Fatal(err)
		}
	}
	if err := ask(); !errors.Is(err, tokenendpoint.TemporarilyUnavailable) {
		t.Errorf("err = %v", err)
	}
}

// What was decided is kept for those who decide twice, but not without end.
func TestWhatWasDecidedIsNotKeptWithoutEnd(t *testing.T) {
	var asked requests
	for range 3 * mostKept {
		err := asked.ask(t.Context(), &grants.Authentication{Request: &tokenendpoint.Request{Client: new(store.Client)},
			Subject: "2", Decision: tokenendpoint.NewDecision(), ExpiresAt: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		asked.done("2", asked.undecided("2")[0].Ref)
	}
	if n := len(asked.bySub["2"]); n > mostKept {
		t.Errorf("%d are kept", n)
	}
}

func TestWhomAHintMeans(t *testing.T) {
	in := newInside(t, "-config", configFileWith(t, `{
		"clients": [{"client_id": "ciba", "grant_types": ["`+cibaType+`", "password"], "scope": "openid api1", "client_secrets": [{"value": "secret"}]}],
		"scopes": [{"name": "api1"}],
		"users": [{"sub": "1", "username": "alice", "password": "alice", "claims": {"email": "a@shop.example"}},
		          {"sub": "2", "username": "bob", "password": "bob", "claims": {"email": "alice"}},
		          {"sub": "alice", "username": "carol", "password": "carol", "claims": {"email": ""}}]}`))
	_, members := postBy(t, in.client, shopURL+"/connect/token", url.Values{"client_id": {"ciba"}, "client_secret": {"secret"},
		"grant_type": {"password"}, "scope": {"openid"}, "username": {"carol"}, "password": {"carol"}})
	ofCarol, ok := members["id_token"].(string)
	if !ok {
		t.Fatalf("error %v", members["error"])
	}
	for name, c := range map[string]struct {
		parameter, hint string
		asked           string // a user, empty if nobody
	}{
		"A user name comes first":           {"login_hint", "alice", "alice"},
		"An email address is known":         {"login_hint", "a@shop.example", "alice"},
		"A subject is known":                {"login_hint", "2", "bob"},
		"An ID token means its subject":     {"id_token_hint", ofCarol, "carol"},
		"A name of nobody is refused":       {"login_hint", "dave", ""},
		"A login_hint_token is nobody's":    {"login_hint_token", "alice", ""},
		"A hint in other letters is nobody": {"login_hint", "BOB", ""},
	} {
		t.Run(name, func(t *testing.T) {
			message := "Sale " + rand.Text()
			status, members := in.tryCIBA(url.Values{c.parameter: {c.hint}, "binding_message": {message}})
			if c.asked == "" {
				if status != http.StatusBadRequest || members["error"] != "unknown_user_id" {
					t.Errorf("status %d, error %v", status, members["error"])
				}
				return
			}
			if status != http.StatusOK {
				t.Fatalf("status %d, error %v", status, members["error"])
			}
			for _, user := range []string{"alice", "bob", "carol"} {
				if asked := strings.Contains(in.signedIn(user, "/requests").page, message); asked != (user == c.asked) {
					t.Errorf("%s is asked: %v", user, asked)
				}
			}
		})
	}
}
