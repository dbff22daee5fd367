package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"
)

// startPing runs the example with a client that is notified at an address.
func startPing(t *testing.T, address string) (issuer string, end func(), ended <-chan struct{}) {
	t.Helper()
	return startUntil(t, "-demo", "-store", "memory:", "-config", configFileWith(t, `{
		"clients": [{"client_id": "till", "grant_types": ["`+cibaType+`"], "scope": "openid", "client_secrets": [{"value": "secret"}],
		             "backchannel_token_delivery_mode": "ping", "backchannel_client_notification_endpoint": "`+address+`"}],
		"users": [{"sub": "2", "username": "bob", "password": "bob"}]}`))
}

// askBob has the till ask, and bob allow it.
func askBob(t *testing.T, issuer string) (id string) {
	t.Helper()
	status, members := post(t, issuer+"/connect/ciba", url.Values{"client_id": {"till"}, "client_secret": {"secret"}, "scope": {"openid"},
		"login_hint": {"bob"}, "client_notification_token": {"of-the-till"}})
	if status != http.StatusOK {
		t.Fatalf("the till is refused: %d %v", status, members)
	}
	id = members["auth_req_id"].(string)
	if status, problem := decide(t, http.DefaultClient, issuer, url.Values{"action": {"allow"}, "user": {"bob"}, "auth_req_id": {id}}); status != http.StatusNoContent {
		t.Fatalf("status %d, error %q", status, problem)
	}
	return id
}

// CIBA-10.2-01: the till is told that there is a decision, by the token that it gave,
// and fetches it.
func TestAClientIsNotified(t *testing.T) {
	type notification struct{ method, authorization, body string }
	notified := make(chan notification, 10)
	till := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		notified <- notification{r.Method, r.Header.Get("Authorization"), string(body)}
		w.WriteHeader(http.StatusNoContent)
	}))
	defer till.Close()
	issuer, _, _ := startPing(t, till.URL+"/decided")
	id := askBob(t, issuer)
	select {
	case got := <-notified:
		var body map[string]string
		if err := json.Unmarshal([]byte(got.body), &body); err != nil || len(body) != 1 || body["auth_req_id"] != id || got.method != "POST" || got.authorization != "Bearer of-the-till" {
			t.Errorf("%s, Authorization of %d characters, body of %d", got.method, len(got.authorization), len(got.body))
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the till was not notified")
	}
	status, members := post(t, issuer+"/connect/token", url.Values{"client_id": {"till"}, "client_secret": {"secret"}, "grant_type": {cibaType}, "auth_req_id": {id}})
	if status != http.StatusOK || members["id_token"] == nil {
		t.Errorf("status %d, error %v", status, members["error"])
	}
}

func TestTheExampleEndsWhenClientsAreNotified(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	till := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-release
		w.WriteHeader(http.StatusNoContent)
	}))
	defer till.Close()
	issuer, end, ended := startPing(t, till.URL+"/decided")
	askBob(t, issuer)
	<-begun
	end()
	select {
	case <-ended:
		t.Error("the example ended while a notification was under way")
	case <-time.After(300 * time.Millisecond): // it would have ended
	}
	close(release)
	<-ended
}
