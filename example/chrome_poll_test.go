package main

import (
	"net/http"
	"net/url"
	"testing"
)

// asking is a device or a till that has asked for something and polls.
type asking struct {
	t        *testing.T
	endpoint string
	form     url.Values
}

// ask sends the request that begins it, and returns the answer's members.
func (v *walker) ask(path, grantType, handle string, form url.Values) (*asking, map[string]any) {
	v.t.Helper()
	status, members := post(v.t, v.shop+path, form)
	if status != http.StatusOK {
		v.t.Fatalf("%s: status %d, error %v", path, status, members["error"])
	}
	poll := url.Values{"grant_type": {grantType}, handle: {members[handle].(string)}, "client_id": form["client_id"]}
	if form.Has("client_secret") {
		poll["client_secret"] = form["client_secret"]
	}
	return &asking{v.t, v.Endpoint.TokenURL, poll}, members
}

// undecided polls. A second poll at once is told to slow down, which says as well
// that nobody has decided.
func (a *asking) undecided() {
	a.t.Helper()
	if status, members := post(a.t, a.endpoint, a.form); members["error"] != "authorization_pending" && members["error"] != "slow_down" {
		a.t.Fatalf("nobody has decided, and the poll says: status %d, error %v", status, members["error"])
	}
}

// approved polls, and returns the answer's members.
func (a *asking) approved() map[string]any {
	a.t.Helper()
	status, members := post(a.t, a.endpoint, a.form)
	if status != http.StatusOK || members["access_token"] == nil {
		a.t.Fatalf("bob has allowed it, and the poll says: status %d, error %v", status, members["error"])
	}
	return members
}

func (a *asking) refused() {
	a.t.Helper()
	if status, members := post(a.t, a.endpoint, a.form); members["error"] != "access_denied" {
		a.t.Fatalf("bob has refused it, and the poll says: status %d, error %v", status, members["error"])
	}
}
