package main

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
)

// connect lets a device of a user in and returns its refresh token.
func (in *inside) connect(b *browser) (refreshToken string) {
	in.t.Helper()
	userCode, deviceCode := in.beginDevice()
	b.open(shopURL + "/device")
	b.submit("action", "allow", "user_code", userCode)
	_, members := in.pollDevice(deviceCode)
	refreshToken, ok := members["refresh_token"].(string)
	if !ok {
		in.t.Fatalf("the device is refused: %v", members["error"])
	}
	return refreshToken
}

func (in *inside) refresh(token string) (problem string, members map[string]any) {
	in.t.Helper()
	return in.poll(url.Values{"client_id": {"device"}, "grant_type": {"refresh_token"}, "refresh_token": {token}})
}

func TestAUserTakesAccessAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newInside(t)
		bob, alice := in.signedIn("bob", "/apps"), in.signedIn("alice", "/apps")
		bob.shows(http.StatusOK, "No application has access in your name.")
		ofBob, alsoOfBob, ofAlice := in.connect(bob), in.connect(bob), in.connect(alice)
		id := in.beginCIBA("bob", "Sale 1")
		bob.open(shopURL + "/requests")
		bob.submit("action", "allow", "decision_ref", ref(t, bob.page, "Sale 1"))
		in.pollCIBA(id)

		bob.open(shopURL + "/apps")
		bob.shows(http.StatusOK, `value="device"`)
		bob.shows(http.StatusOK, `value="ciba"`)
		if n := strings.Count(bob.page, `value="device"`); n != 1 {
			t.Errorf("two sign-ins of one application are %d entries", n)
		}
		page := bob.page
		bob.submit("csrf", strings.Repeat("A", 26), "action", "revoke", "client_id", "device")
		bob.shows(http.StatusForbidden, "did not come from a page of ours")
		bob.page = page
		for _, fields := range [][]string{{"action", "revoke", "client_id", ""}, {"action", "", "client_id", "device"}} {
			bob.submit(fields...)
			bob.shows(http.StatusOK, `value="device"`)
			bob.shows(http.StatusOK, `value="ciba"`)
		}
		in.down.Store(true)
		bob.submit("action", "revoke", "client_id", "device")
		bob.shows(http.StatusServiceUnavailable, "at the moment")
		bob.open(shopURL + "/apps")
		bob.shows(http.StatusServiceUnavailable, "at the moment")
		in.down.Store(false)
		problem, members := in.refresh(ofBob)
		if problem != "" {
			t.Fatalf("before: %q", problem)
		}
		call := func() (status int) {
			status, _, _ = callAPI(t, in.client, shopURL+"/resource", "Bearer "+members["access_token"].(string))
			return status
		}
		if status := call(); status != http.StatusOK {
			t.Errorf("the API answers bob's device with %d", status)
		}
		in.down.Store(true)
		if status := call(); status != http.StatusServiceUnavailable {
			t.Errorf("in an outage the API answers with %d", status)
		}
		in.down.Store(false)

		bob.submit("action", "revoke", "client_id", "device")
		bob.shows(http.StatusOK, "has no access any more")
		if strings.Contains(bob.page, `value="device"`) || !strings.Contains(bob.page, `value="ciba"`) {
			t.Errorf("the list is not right:\n%s", bob.page)
		}
		for _, token := range []string{members["refresh_token"].(string), alsoOfBob} {
			if problem, _ := in.refresh(token); problem != "invalid_grant" {
				t.Errorf("bob's device refreshes: %q", problem)
			}
		}
		if status := call(); status != http.StatusUnauthorized {
			t.Errorf("afterwards the API answers with %d", status)
		}
		if problem, _ := in.refresh(ofAlice); problem != "" {
			t.Errorf("alice's device does not: %q", problem)
		}
	})
}

func TestTakingAccessAwayForgetsTheConsent(t *testing.T) {
	in := newInside(t)
	b := in.signedIn("bob", "/apps")
	address := shopURL + "/connect/authorize?client_id=client1&response_type=code&scope=openid&redirect_uri=" + url.QueryEscape(callback)
	b.open(address)
	b.submit("action", "allow")
	b.came(callback)
	b.open(address)
	b.came(callback) // it is remembered
	b.open(shopURL + "/apps")
	b.submit("action", "revoke", "client_id", "client1")
	b.open(address)
	b.shows(http.StatusOK, "Allow access?")
}

func TestAUserSignsOut(t *testing.T) {
	in := newInside(t)
	b := in.browser()
	b.open(shopURL + "/")
	for _, path := range []string{"/device", "/requests", "/apps"} {
		b.shows(http.StatusOK, `href="`+path+`"`)
	}
	b = in.signedIn("bob", "/apps")
	token, _ := cookiejar.New(nil)
	here, err := url.Parse(shopURL)
	if err != nil {
		t.Fatal(err)
	}
	token.SetCookies(here, b.client.Jar.Cookies(here)) // somebody copied them
	b.open(shopURL + "/")
	b.shows(http.StatusOK, "Signed in as <strong>bob</strong>")
	b.open(shopURL + "/signout")
	b.shows(http.StatusOK, "Sign out?")
	page := b.page
	b.submit("csrf", strings.Repeat("A", 26), "action", "signout")
	b.shows(http.StatusForbidden, "did not come from a page of ours")
	b.open(shopURL + "/signout")
	b.shows(http.StatusOK, "Sign out?")
	b.submit("action", "signout")
	b.shows(http.StatusOK, "You are signed out")
	for _, cookie := range b.client.Jar.Cookies(here) {
		if cookie.Name == sessionCookie {
			t.Error("the browser still has the cookie")
		}
	}
	copied := in.browser()
	copied.client.Jar = token
	copied.open(shopURL + "/apps")
	copied.shows(http.StatusOK, "to see which applications have access")
	b.page = page // of a tab that was open
	b.submit("action", "signout")
	b.shows(http.StatusOK, "You are signed out")
}

// 6749-10.13-01
func TestTheNewPagesAreSafe(t *testing.T) {
	in := newInside(t)
	b := in.signedIn("bob", "/device")
	for _, path := range []string{"/", "/device", "/device?user_code=x", "/requests", "/apps", "/signout"} {
		response, err := b.client.Get(shopURL + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		h := response.Header
		if h.Get("X-Frame-Options") != "DENY" || h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "no-referrer" ||
			!strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: %v", path, h)
		}
	}
}
