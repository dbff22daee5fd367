package tokenendpoint_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/tokenendpoint"
)

// throttleFake is a Throttle that a test sets. It notes what it is told.
type throttleFake struct {
	blocked func(tokenendpoint.Attempt) (time.Duration, error)
	failed  error
	asked   []tokenendpoint.Attempt
	counted []tokenendpoint.Attempt
}

func (f *throttleFake) Blocked(_ context.Context, attempt tokenendpoint.Attempt) (time.Duration, error) {
	f.asked = append(f.asked, attempt)
	if f.blocked == nil {
		return 0, nil
	}
	return f.blocked(attempt)
}

func (f *throttleFake) Failed(_ context.Context, attempt tokenendpoint.Attempt) error {
	f.counted = append(f.counted, attempt)
	return f.failed
}

func throttleWith(t *testing.T, throttle tokenendpoint.Throttle) *tokenendpoint.Endpoint {
	t.Helper()
	endpoint, _ := throttleEndpoint(t, func(c *tokenendpoint.Config) { c.Throttle = throttle })
	return endpoint
}

// X-HTTP-11: without a count no secret is looked at, and the client is told to
// come back.
func TestAThrottleThatFailsIsAnOutage(t *testing.T) {
	broken := errors.New(keysCanary)
	t.Run("Before the secret is looked at", func(t *testing.T) {
		f := &throttleFake{blocked: func(tokenendpoint.Attempt) (time.Duration, error) { return 0, broken }}
		for _, id := range []string{"c1", "unknown"} {
			keysRefused(t, throttleTry(throttleWith(t, f), throttleHere, id, "secret"), http.StatusServiceUnavailable, "temporarily_unavailable")
		}
		if len(f.counted) != 0 {
			t.Errorf("counted: %v", f.counted)
		}
	})
	t.Run("After the secret was wrong", func(t *testing.T) {
		f := &throttleFake{failed: broken}
		for _, id := range []string{"c1", "unknown"} {
			keysRefused(t, throttleTry(throttleWith(t, f), throttleHere, id, "wrong"), http.StatusServiceUnavailable, "temporarily_unavailable")
		}
	})
	t.Run("When a wrong secret is compared with unknown clients", func(t *testing.T) {
		f := &throttleFake{blocked: func(a tokenendpoint.Attempt) (time.Duration, error) {
			if a.ClientID == "" {
				return 0, broken
			}
			return 0, nil
		}}
		keysRefused(t, throttleTry(throttleWith(t, f), throttleHere, "c1", "wrong"), http.StatusServiceUnavailable, "temporarily_unavailable")
	})
	t.Run("A right secret does not depend on it", func(t *testing.T) {
		throttleWant(t, http.StatusOK, throttleWith(t, &throttleFake{failed: broken}), throttleHere, "c1", "secret")
	})
}

// A Throttle sees the client only if there is one: a name that a stranger made up
// would fill its tables, or its log.
func TestWhatAThrottleIsTold(t *testing.T) {
	here := netip.MustParsePrefix("192.0.2.1/32")
	known, unknown := tokenendpoint.Attempt{ClientID: "c1", Network: here}, tokenendpoint.Attempt{Network: here}
	for name, c := range map[string]struct {
		id, secret     string
		asked, counted []tokenendpoint.Attempt
	}{
		"A right secret is asked about and not counted": {"c1", "secret", []tokenendpoint.Attempt{known}, nil},
		"A wrong secret is counted for the client":      {"c1", "wrong", []tokenendpoint.Attempt{known, unknown}, []tokenendpoint.Attempt{known}},
		"An unknown client has no name":                 {"unknown", "wrong", []tokenendpoint.Attempt{unknown}, []tokenendpoint.Attempt{unknown}},
		"A disabled client has no name":                 {"disabled", "secret", []tokenendpoint.Attempt{unknown}, []tokenendpoint.Attempt{unknown}},
		"A client that shows no secret is counted":      {"c1", "", []tokenendpoint.Attempt{known, unknown}, []tokenendpoint.Attempt{known}},
	} {
		t.Run(name, func(t *testing.T) {
			f := new(throttleFake)
			throttleTry(throttleWith(t, f), throttleHere, c.id, c.secret)
			if !slices.Equal(f.asked, c.asked) || !slices.Equal(f.counted, c.counted) {
				t.Errorf("asked %v and counted %v, want %v and %v", f.asked, f.counted, c.asked, c.counted)
			}
		})
	}
}

func TestRetryAfterIsRoundedUp(t *testing.T) {
	for wait, want := range map[time.Duration]string{
		1: "1", time.Millisecond: "1", time.Second: "1", time.Second + 1: "2", 90 * time.Second: "90", 2*time.Hour + time.Millisecond: "7201",
	} {
		f := &throttleFake{blocked: func(tokenendpoint.Attempt) (time.Duration, error) { return wait, nil }}
		throttleRefused(t, throttleTry(throttleWith(t, f), throttleHere, "c1", "secret"), want)
	}
	for _, wait := range []time.Duration{0, -1, -time.Hour} {
		f := &throttleFake{blocked: func(tokenendpoint.Attempt) (time.Duration, error) { return wait, nil }}
		throttleWant(t, http.StatusOK, throttleWith(t, f), throttleHere, "c1", "secret")
	}
}

// throttleForwarded sends a request that came through a proxy.
func throttleForwarded(endpoint http.Handler, header, value, secret string) int {
	r := httptest.NewRequest("POST", "https://shop.example/connect/token",
		strings.NewReader("grant_type=client_credentials&client_id=c1&client_secret="+secret))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set(header, value)
	r.RemoteAddr = "198.51.100.9:443"
	w := httptest.NewRecorder()
	endpoint.ServeHTTP(w, r)
	return w.Code
}

func throttleLints(endpoint *tokenendpoint.Endpoint, code string) int {
	n := 0
	for _, lint := range endpoint.Lints() {
		if lint.Code == code {
			n++
		}
	}
	return n
}

// Behind a proxy that nobody told the endpoint of, one guesser would lock out all.
func TestAProxyThatIsNotKnownIsALint(t *testing.T) {
	for _, header := range []string{"X-Forwarded-For", "Forwarded"} {
		t.Run(header+" is one lint, however often it is seen", func(t *testing.T) {
			log := new(keysLog)
			endpoint, _ := throttleEndpoint(t, func(c *tokenendpoint.Config) { c.Logger = log.Logger() })
			throttleWant(t, http.StatusOK, endpoint, throttleHere, "c1", "secret")
			if n := len(endpoint.Lints()); n != 0 {
				t.Fatalf("%d lints before: %v", n, endpoint.Lints())
			}
			for range 3 {
				throttleForwarded(endpoint, header, "for=192.0.2.1", "secret")
			}
			if n := throttleLints(endpoint, tokenendpoint.LintForwarded); n != 1 || len(endpoint.Lints()) != 1 {
				t.Errorf("%d lints, want one: %v", n, endpoint.Lints())
			}
			if n := strings.Count(log.String(), tokenendpoint.LintForwarded); n != 1 || !strings.Contains(endpoint.Lints()[0].Message, "Config.RemoteAddr") {
				t.Errorf("%d lines in the log, want one, with the remedy:\n%s", n, log)
			}
		})
	}
	t.Run("With Config.RemoteAddr there is none, and callers are told apart", func(t *testing.T) {
		endpoint, _ := throttleEndpoint(t, func(c *tokenendpoint.Config) {
			c.RemoteAddr = func(r *http.Request) netip.Addr {
				addr, _ := netip.ParseAddr(r.Header.Get("X-Forwarded-For"))
				return addr
			}
		})
		for range 30 {
			throttleForwarded(endpoint, "X-Forwarded-For", "203.0.113.1", "guess")
		}
		if code := throttleForwarded(endpoint, "X-Forwarded-For", "203.0.113.1", "secret"); code != http.StatusTooManyRequests {
			t.Errorf("the guesser: got %d, want 429", code)
		}
		if code := throttleForwarded(endpoint, "X-Forwarded-For", "203.0.113.2", "secret"); code != http.StatusOK {
			t.Errorf("another: got %d, want 200", code)
		}
		if n := len(endpoint.Lints()); n != 0 {
			t.Errorf("%d lints: %v", n, endpoint.Lints())
		}
		for range 2 {
			throttleForwarded(endpoint, "X-Forwarded-For", "unknown", "secret")
		}
		if n := throttleLints(endpoint, tokenendpoint.LintNoRemoteAddr); n != 1 || len(endpoint.Lints()) != 1 {
			t.Errorf("%d lints of callers without an address, want one: %v", n, endpoint.Lints())
		}
	})
}
