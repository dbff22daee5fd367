package tokenendpoint_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// throttleEndpoint has the clients c1 and c2, whose secret is "secret", and one
// that is disabled.
func throttleEndpoint(t *testing.T, change func(*tokenendpoint.Config)) (*tokenendpoint.Endpoint, *keysClock) {
	t.Helper()
	clock := newKeysClock(keysStart)
	config := keysConfig(tokenendpoint.StaticKeys{keysOf("1", tokenendpoint.ES256, nil, nil, nil)}, clock)
	client := func(id string, disabled bool) store.Client {
		return store.Client{
			Metadata: store.Metadata{ID: id, GrantTypes: []string{"client_credentials"}, Scope: "read"},
			Secrets:  []store.Secret{{Hash: store.HashSecret("secret")}}, Disabled: disabled,
		}
	}
	config.Clients = memory.NewClients(client("c1", false), client("c2", false), client("disabled", true))
	if change != nil {
		change(&config)
	}
	endpoint, err := tokenendpoint.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return endpoint, clock
}

const throttleHere, throttleElsewhere = "192.0.2.1:40000", "192.0.2.2:40000"

// throttleTry authenticates from an address.
func throttleTry(endpoint http.Handler, from, id, secret string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "https://shop.example/connect/token", strings.NewReader("grant_type=client_credentials"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(id, secret)
	r.RemoteAddr = from
	w := httptest.NewRecorder()
	endpoint.ServeHTTP(w, r)
	return w
}

// throttleWant checks the status of an answer.
func throttleWant(t *testing.T, status int, endpoint http.Handler, from, id, secret string) {
	t.Helper()
	if w := throttleTry(endpoint, from, id, secret); w.Code != status {
		t.Fatalf("%s with %q from %s: got %d %s, want %d", id, secret, from, w.Code, w.Body, status)
	}
}

// throttleRefused checks that an answer says to come back, and when.
func throttleRefused(t *testing.T, w *httptest.ResponseRecorder, seconds string) {
	t.Helper()
	const body = `{"error":"temporarily_unavailable","error_description":"too many failed attempts"}`
	if w.Code != http.StatusTooManyRequests || w.Body.String() != body {
		t.Errorf("got %d %s, want 429 %s", w.Code, w.Body, body)
	}
	for name, want := range map[string]string{
		"Retry-After": seconds, "Content-Type": "application/json", "Cache-Control": "no-store", "WWW-Authenticate": "",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// 6749-2.3.1-05, X-HTTP-11: of a thousand guesses at one secret thirty are looked
// at, and nobody else is held up.
func TestGuessingASecretIsThrottled(t *testing.T) {
	endpoint, clock := throttleEndpoint(t, nil)
	for range 40 { // a client that authenticates well is not counted
		throttleWant(t, http.StatusOK, endpoint, throttleHere, "c1", "secret")
	}
	for i := range 1000 {
		w := throttleTry(endpoint, throttleHere, "c1", fmt.Sprint("guess", i))
		if i < 30 {
			if w.Code != http.StatusUnauthorized || w.Header().Get("Retry-After") != "" {
				t.Fatalf("guess %d: got %d %s, want 401", i, w.Code, w.Body)
			}
			continue
		}
		throttleRefused(t, w, "60")
	}
	throttleRefused(t, throttleTry(endpoint, throttleHere, "c1", "secret"), "60") // the guess may be right
	throttleWant(t, http.StatusOK, endpoint, throttleElsewhere, "c1", "secret")
	throttleWant(t, http.StatusOK, endpoint, throttleHere, "c2", "secret")
	throttleWant(t, http.StatusUnauthorized, endpoint, throttleHere, "c2", "wrong")
	throttleWant(t, http.StatusUnauthorized, endpoint, throttleHere, "unknown", "wrong")

	clock.Advance(59500 * time.Millisecond)
	throttleRefused(t, throttleTry(endpoint, throttleHere, "c1", "secret"), "1")
	clock.Advance(500 * time.Millisecond)
	throttleWant(t, http.StatusOK, endpoint, throttleHere, "c1", "secret")
	throttleWant(t, http.StatusUnauthorized, endpoint, throttleHere, "c1", "wrong")
}

// Nobody keeps a counter for each name that strangers think of.
func TestUnknownClientsAreThrottledByAddress(t *testing.T) {
	endpoint, clock := throttleEndpoint(t, nil)
	for i := range 29 {
		throttleWant(t, http.StatusUnauthorized, endpoint, throttleHere, fmt.Sprint("unknown", i), "guess")
	}
	throttleWant(t, http.StatusUnauthorized, endpoint, throttleHere, "disabled", "secret") // counts as unknown
	throttleRefused(t, throttleTry(endpoint, throttleHere, "another", "guess"), "60")
	throttleRefused(t, throttleTry(endpoint, throttleHere, "disabled", "secret"), "60")
	throttleWant(t, http.StatusUnauthorized, endpoint, throttleElsewhere, "another", "guess")

	// 429 must not tell which clients exist: a wrong secret of one that does is
	// answered like an unknown client, and a right one passes.
	unknown, known := throttleTry(endpoint, throttleHere, "unknown", "guess"), throttleTry(endpoint, throttleHere, "c1", "guess")
	throttleRefused(t, known, "60")
	if fmt.Sprint(known.Code, known.Header(), known.Body) != fmt.Sprint(unknown.Code, unknown.Header(), unknown.Body) {
		t.Errorf("a known client: %v %s; an unknown one: %v %s", known.Header(), known.Body, unknown.Header(), unknown.Body)
	}
	throttleWant(t, http.StatusOK, endpoint, throttleHere, "c1", "secret")
	throttleWant(t, http.StatusUnauthorized, endpoint, throttleElsewhere, "c1", "guess")
	for range 40 { // each of which counts against the client as well
		throttleRefused(t, throttleTry(endpoint, throttleHere, "c1", "guess"), "60")
	}
	throttleRefused(t, throttleTry(endpoint, throttleHere, "c1", "secret"), "60")
	clock.Advance(time.Minute)
	throttleWant(t, http.StatusUnauthorized, endpoint, throttleHere, "another", "guess")
	throttleWant(t, http.StatusOK, endpoint, throttleHere, "c1", "secret")
}

func TestCallersOfOneNetworkAreThrottledTogether(t *testing.T) {
	for name, c := range map[string]struct{ first, second, other string }{
		"The addresses of one IPv6 subnet are one caller": {"[2001:db8::1]:4000", "[2001:db8::ffff:ffff]:5000", "[2001:db8:0:1::1]:4000"},
		"The ports of an address are one caller":          {"192.0.2.1:4000", "192.0.2.1:5000", "192.0.2.2:4000"},
		"An IPv4 address in IPv6 is that address":         {"[::ffff:192.0.2.1]:4000", "192.0.2.1:4000", "[::ffff:192.0.2.2]:4000"},
		"Callers without an address are one caller":       {"@", "", "192.0.2.1:4000"},
	} {
		t.Run(name, func(t *testing.T) {
			endpoint, _ := throttleEndpoint(t, nil)
			for range 30 {
				throttleWant(t, http.StatusUnauthorized, endpoint, c.first, "c1", "guess")
			}
			throttleWant(t, http.StatusTooManyRequests, endpoint, c.second, "c1", "guess")
			throttleWant(t, http.StatusUnauthorized, endpoint, c.other, "c1", "guess")
		})
	}
}

func TestGuessesThatComeAtOnceAreAllCounted(t *testing.T) {
	endpoint, _ := throttleEndpoint(t, nil)
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			for range 20 {
				w := throttleTry(endpoint, throttleHere, "c1", "guess")
				if w.Code != http.StatusUnauthorized && w.Code != http.StatusTooManyRequests {
					t.Errorf("got %d %s", w.Code, w.Body)
				}
				if w := throttleTry(endpoint, throttleElsewhere, "c1", "secret"); w.Code != http.StatusOK {
					t.Errorf("from elsewhere: got %d %s", w.Code, w.Body)
				}
			}
		})
	}
	all.Wait()
	throttleWant(t, http.StatusTooManyRequests, endpoint, throttleHere, "c1", "guess")
}
