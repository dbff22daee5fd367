package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// decide posts to /demo/decide and returns the status and the error, if it is one line
// of JSON.
func decide(t *testing.T, client *http.Client, issuer string, form url.Values) (int, string) {
	t.Helper()
	response, err := client.PostForm(issuer+"/demo/decide", form)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNoContent {
		return response.StatusCode, ""
	}
	var answer struct{ Error string }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || answer.Error == "" {
		t.Errorf("status %d without an error as JSON: %v", response.StatusCode, err)
	}
	return response.StatusCode, answer.Error
}

func TestAScriptDecides(t *testing.T) {
	for name, c := range map[string]struct {
		form                 string // CODE and ID stand for what is pending
		before               func(*inside)
		status               int
		ofDevice, ofRequests string // what the applications learn; tokens: ""
	}{
		"It lets a device in":            {form: "action=allow&user=bob&user_code=CODE", status: 204, ofDevice: "", ofRequests: "authorization_pending"},
		"It sends a device away":         {form: "action=deny&user=bob&user_code=CODE", status: 204, ofDevice: "access_denied", ofRequests: "authorization_pending"},
		"It allows a request":            {form: "action=allow&user=bob&auth_req_id=ID", status: 204, ofDevice: "authorization_pending", ofRequests: ""},
		"It denies a request":            {form: "action=deny&user=bob&auth_req_id=ID", status: 204, ofDevice: "authorization_pending", ofRequests: "access_denied"},
		"It needs an action":             {form: "user=bob&user_code=CODE", status: 400, ofDevice: "authorization_pending", ofRequests: "authorization_pending"},
		"It needs an action that is one": {form: "action=find&user=bob&user_code=CODE", status: 400, ofDevice: "authorization_pending", ofRequests: "authorization_pending"},
		"It needs a user":                {form: "action=allow&user_code=CODE", status: 400, ofDevice: "authorization_pending", ofRequests: "authorization_pending"},
		"It needs something to decide":   {form: "action=allow&user=bob", status: 400, ofDevice: "authorization_pending", ofRequests: "authorization_pending"},
		"It needs one thing to decide":   {form: "action=allow&user=bob&user_code=CODE&auth_req_id=ID", status: 400, ofDevice: "authorization_pending", ofRequests: "authorization_pending"},
		"It needs a user who is there":   {form: "action=allow&user=dave&user_code=CODE", status: 404, ofDevice: "authorization_pending", ofRequests: "authorization_pending"},
		"It needs the user who is asked": {form: "action=allow&user=alice&auth_req_id=ID", status: 404, ofDevice: "authorization_pending", ofRequests: "authorization_pending"},
		"It needs a code of a device":    {form: "action=allow&user=bob&user_code=BBBB-BBBB", status: 404, ofDevice: "authorization_pending", ofRequests: "authorization_pending"},
		"It needs what can be a code":    {form: "action=allow&user=bob&user_code=x", status: 404, ofDevice: "authorization_pending", ofRequests: "authorization_pending"},
		"It needs an auth_req_id":        {form: "action=allow&user=bob&auth_req_id=x", status: 404, ofDevice: "authorization_pending", ofRequests: "authorization_pending"},
		"A code that expired is gone": {form: "action=allow&user=bob&user_code=CODE", status: 404, ofDevice: "expired_token", ofRequests: "expired_token",
			before: func(*inside) { time.Sleep(11 * time.Minute) }},
		"A request that expired is gone": {form: "action=allow&user=bob&auth_req_id=ID", status: 404, ofDevice: "authorization_pending", ofRequests: "expired_token",
			before: func(*inside) { time.Sleep(6 * time.Minute) }},
		"A device waits while the store is down": {form: "action=allow&user=bob&user_code=CODE", status: 503, ofDevice: "authorization_pending", ofRequests: "authorization_pending",
			before: func(in *inside) { in.down.Store(true) }},
		"A request waits while the store is down": {form: "action=allow&user=bob&auth_req_id=ID", status: 503, ofDevice: "authorization_pending", ofRequests: "authorization_pending",
			before: func(in *inside) { in.down.Store(true) }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				in := newInside(t, "-demo")
				userCode, deviceCode := in.beginDevice()
				id := in.beginCIBA("bob", "")
				form, err := url.ParseQuery(strings.NewReplacer("CODE", userCode, "ID", id).Replace(c.form))
				if err != nil {
					t.Fatal(err)
				}
				if c.before != nil {
					c.before(in)
				}
				status, problem := decide(t, in.client, shopURL, form)
				if in.down.Store(false); status != c.status || strings.Contains(problem, "canary") {
					t.Errorf("status %d, error %q", status, problem)
				}
				if c.status == http.StatusNoContent {
					if status, _ := decide(t, in.client, shopURL, form); status != http.StatusConflict {
						t.Errorf("the second time: status %d", status)
					}
				}
				if problem, _ := in.pollDevice(deviceCode); problem != c.ofDevice {
					t.Errorf("the device learns %q, want %q", problem, c.ofDevice)
				}
				if problem, _ := in.pollCIBA(id); problem != c.ofRequests {
					t.Errorf("the application that asked learns %q, want %q", problem, c.ofRequests)
				}
			})
		})
	}
}

func TestAScriptThatGuessesCodesIsThrottled(t *testing.T) {
	in := newInside(t, "-demo")
	userCode, _ := in.beginDevice()
	for range 10 {
		if status, _ := decide(t, in.client, shopURL, url.Values{"action": {"allow"}, "user": {"bob"}, "user_code": {"BBBB-BBBB"}}); status != http.StatusNotFound {
			t.Fatalf("status %d", status)
		}
	}
	if status, _ := decide(t, in.client, shopURL, url.Values{"action": {"allow"}, "user": {"bob"}, "user_code": {userCode}}); status != http.StatusTooManyRequests {
		t.Errorf("status %d", status)
	}
}

// A page that somebody opens must not decide in their place, and without -demo nobody
// decides without a password.
func TestWhoCannotDecideAsAScript(t *testing.T) {
	for name, c := range map[string]struct {
		args   []string
		header string
		status int
	}{
		"Nobody without -demo":   {status: http.StatusNotFound},
		"No page of other sites": {args: []string{"-demo"}, header: "https://evil.example", status: http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			in := newInside(t, c.args...)
			userCode, _ := in.beginDevice()
			r, err := http.NewRequest(http.MethodPost, shopURL+"/demo/decide", strings.NewReader("action=allow&user=bob&user_code="+userCode))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if c.header != "" {
				r.Header.Set("Origin", c.header)
			}
			response, err := in.client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			if response.Body.Close(); response.StatusCode != c.status {
				t.Errorf("status %d, want %d", response.StatusCode, c.status)
			}
		})
	}
}
