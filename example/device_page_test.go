package main

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// 8628-3.3.1-01, 8628-5.4-01: a code that came with the address is filled in, and nothing is
// allowed without a click on a page that shows what it stands for.
func TestAUserConnectsADevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newInside(t)
		userCode, deviceCode := in.beginDevice()
		b := in.signedIn("bob", "/device?user_code="+userCode)
		b.shows(http.StatusOK, `value="`+userCode+`"`)
		b.shows(http.StatusOK, "Signed in as <strong>bob</strong>")
		if problem, _ := in.pollDevice(deviceCode); problem != "authorization_pending" {
			t.Errorf("after the page was opened: %q", problem)
		}
		b.submit("action", "find", "user_code", strings.ToLower(strings.Replace(userCode, "-", " ", 1)))
		for _, words := range []string{userCode, "<strong>device</strong>", "<li>api1</li>", "Go on only if the device in front of you shows this code", `value="deny"`} {
			b.shows(http.StatusOK, words)
		}
		if problem, _ := in.pollDevice(deviceCode); problem != "authorization_pending" {
			t.Errorf("after the code was entered: %q", problem)
		}
		signedInAt := time.Now()
		time.Sleep(time.Minute)
		b.submit("action", "allow", "user_code", userCode)
		b.shows(http.StatusOK, "Your device is connected")
		problem, members := in.pollDevice(deviceCode)
		if problem != "" || members["refresh_token"] == nil || members["scope"] != "openid offline_access api1" {
			t.Fatalf("error %q, scope %v", problem, members["scope"])
		}
		var claims struct {
			Sub, SID string
			AMR      []string
			AuthTime int64 `json:"auth_time"`
		}
		if err := decodePart(strings.Split(members["id_token"].(string), ".")[1], &claims); err != nil {
			t.Fatal(err)
		}
		if claims.Sub != "2" || claims.SID == "" || len(claims.AMR) != 1 || claims.AMR[0] != "pwd" || claims.AuthTime > signedInAt.Unix() {
			t.Errorf("claims %+v, signed in before %d", claims, signedInAt.Unix())
		}
		for _, action := range []string{"find", "allow", "deny"} {
			b.submit("action", action, "user_code", userCode)
			b.shows(http.StatusConflict, "decided already")
		}
	})
}

func TestAUserSendsADeviceAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newInside(t)
		userCode, deviceCode := in.beginDevice()
		b := in.signedIn("bob", "/device")
		b.submit("action", "find", "user_code", userCode)
		b.submit("action", "deny", "user_code", userCode)
		b.shows(http.StatusOK, "The device was sent away")
		if problem, _ := in.pollDevice(deviceCode); problem != "access_denied" {
			t.Errorf("error %q", problem)
		}
		b.submit("action", "allow", "user_code", userCode)
		b.shows(http.StatusConflict, "decided already")
	})
}

func TestWhatTheDevicePageRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		typed  string // empty: the code of a device
		before func(*inside)
		status int
		words  string
	}{
		"Words are not a code":                   {typed: "hello", status: http.StatusBadRequest, words: "not a code"},
		"Letters that look alike are not a code": {typed: "ВСDF-GНJK", status: http.StatusBadRequest, words: "not a code"},
		"Digits are not a code":                  {typed: "1234-5678", status: http.StatusBadRequest, words: "not a code"},
		"Markup is shown as text":                {typed: `"><script>`, status: http.StatusBadRequest, words: "&lt;script&gt;"},
		"A code of nobody is not found":          {typed: "BBBB-BBBB", status: http.StatusNotFound, words: "no such code"},
		"Vowels are in no code":                  {typed: "AAAA-AAAA", status: http.StatusBadRequest, words: "not a code"},
		"A code does not last":                   {before: func(*inside) { time.Sleep(11 * time.Minute) }, status: http.StatusGone, words: "has expired"},
		"A store that is down is no verdict":     {before: func(in *inside) { in.down.Store(true) }, status: http.StatusServiceUnavailable, words: "at the moment"},
	} {
		for _, action := range []string{"find", "allow", "deny"} {
			t.Run(name+", by "+action, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					in := newInside(t)
					userCode, _ := in.beginDevice()
					if c.typed != "" {
						userCode = c.typed
					}
					b := in.signedIn("bob", "/device")
					if c.before != nil {
						c.before(in)
					}
					b.submit("action", action, "user_code", userCode)
					b.shows(c.status, c.words)
					if strings.Contains(b.page, "canary") {
						t.Error("the page shows what only the log should")
					}
				})
			})
		}
	}
}

// 8628-5.1-01: codes are short, so wrong ones are counted. What cannot be a code is
// not, nor is what was right.
func TestWrongUserCodesAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newInside(t)
		userCode, _ := in.beginDevice()
		b := in.signedIn("bob", "/device")
		for range 11 {
			b.submit("action", "find", "user_code", "BCDF")
			b.shows(http.StatusBadRequest, "not a code")
			b.submit("action", "find", "user_code", userCode)
			b.shows(http.StatusOK, "Connect this device?")
		}
		for range 10 {
			b.submit("action", "find", "user_code", "BBBB-BBBB")
			b.shows(http.StatusNotFound, "no such code")
		}
		for _, action := range []string{"find", "allow", "deny"} {
			b.submit("action", action, "user_code", userCode)
			b.shows(http.StatusTooManyRequests, "too many wrong codes")
		}
		alice := in.signedIn("alice", "/device") // another user, at the same address
		alice.submit("action", "find", "user_code", userCode)
		alice.shows(http.StatusTooManyRequests, "too many wrong codes")
		time.Sleep(16 * time.Minute)
		userCode, _ = in.beginDevice()
		b.submit("action", "find", "user_code", userCode)
		b.shows(http.StatusOK, "Connect this device?")
	})
}

func TestADeviceFormOfAnotherSiteIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newInside(t)
		userCode, deviceCode := in.beginDevice()
		b := in.signedIn("bob", "/device")
		for _, csrf := range []string{"", strings.Repeat("A", 26)} {
			b.submit("csrf", csrf, "action", "allow", "user_code", userCode)
			b.shows(http.StatusForbidden, "did not come from a page of ours")
		}
		b.open(shopURL + "/device")
		ours := b.page
		foreign := in.signedIn("alice", "/device")
		foreign.page = ours // a form of bob's in alice's browser
		foreign.submit("action", "allow", "user_code", userCode)
		foreign.shows(http.StatusForbidden, "did not come from a page of ours")
		if problem, _ := in.pollDevice(deviceCode); problem != "authorization_pending" {
			t.Errorf("error %q", problem)
		}
	})
}

func TestASessionThatEndsKeepsTheCodeThatWasEntered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newInside(t)
		b := in.signedIn("bob", "/device")
		time.Sleep(9 * time.Hour)
		userCode, deviceCode := in.beginDevice()
		b.submit("action", "allow", "user_code", userCode)
		b.shows(http.StatusOK, "Sign in")
		b.submit("action", "login", "username", "bob", "password", "wrong")
		b.shows(http.StatusUnauthorized, "not right")
		b.submit("action", "login", "username", "bob", "password", "bob")
		b.shows(http.StatusOK, `value="`+userCode+`"`)
		if problem, _ := in.pollDevice(deviceCode); problem != "authorization_pending" {
			t.Errorf("error %q", problem)
		}
		stranger := in.browser()
		stranger.open(shopURL + "/device")
		stranger.submit("action", "cancel")
		stranger.shows(http.StatusOK, "Open from nine to five")
	})
}
