package tokenendpoint_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// keyServer is where a client publishes its keys, on 127.0.0.1.
type keyServer struct {
	*httptest.Server
	answer   atomic.Pointer[http.HandlerFunc]
	requests atomic.Int64
}

func newKeyServer(t *testing.T, jwks string) *keyServer {
	k := new(keyServer)
	k.publish(jwks)
	k.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k.requests.Add(1)
		(*k.answer.Load())(w, r)
	}))
	t.Cleanup(k.Close)
	return k
}

func (k *keyServer) publish(jwks string) {
	k.serve(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, jwks)
	})
}

func (k *keyServer) serve(handle http.HandlerFunc) { k.answer.Store(&handle) }

// newRemoteShop has reports publish its keys at a server, which may be on 127.0.0.1.
func newRemoteShop(t *testing.T, k *keyServer, configure ...func(*tokenendpoint.Config)) *assertionShop {
	s := newAssertionShop(t, append(configure, func(c *tokenendpoint.Config) {
		c.InsecureNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	})...)
	s.register("reports", "", func(c *store.Client) { c.JWKSURI = k.URL + "/keys?canary" })
	return s
}

func TestKeysAtURLs(t *testing.T) {
	a := assertionES256()
	next := a
	next.kid, next.signer = "key-next", assertionStranger()
	t.Run("a key is found, and kept", func(t *testing.T) {
		k := newKeyServer(t, a.jwks())
		s := newRemoteShop(t, k)
		for range 3 {
			s.want(s.assert(a.token()), tokenendpoint.ReasonIssued)
		}
		if n := k.requests.Load(); n != 1 {
			t.Errorf("%d requests, want 1", n)
		}
	})
	t.Run("a key that is new is fetched, and of the old one nothing is known", func(t *testing.T) {
		k := newKeyServer(t, a.jwks())
		s := newRemoteShop(t, k)
		s.want(s.assert(a.token()), tokenendpoint.ReasonIssued)
		s.clock.Advance(10 * time.Second)
		k.publish(next.jwks())
		s.want(s.assert(next.token()), tokenendpoint.ReasonIssued)
		s.want(s.assert(a.token()), unsignedJWT)
		if n := k.requests.Load(); n != 2 {
			t.Errorf("%d requests, want 2", n)
		}
	})
	t.Run("a key that is nowhere is refused, without a request for each", func(t *testing.T) {
		k := newKeyServer(t, a.jwks())
		s := newRemoteShop(t, k)
		s.want(s.assert(a.token()), tokenendpoint.ReasonIssued)
		for range 5 {
			s.want(s.assert(next.token()), unsignedJWT)
		}
		if n := k.requests.Load(); n != 2 {
			t.Errorf("%d requests, want 2", n)
		}
		if len(s.throttle.failures) != 5 {
			t.Errorf("the throttle counted %v", s.throttle.failures)
		}
	})
	t.Run("an algorithm that nobody supports, or that is not the client's, makes no request", func(t *testing.T) {
		k := newKeyServer(t, a.jwks())
		s := newRemoteShop(t, k)
		none := a
		none.alg = "none"
		s.want(s.assert(none.token()), unsignedJWT)
		s.register("reports", "", func(c *store.Client) { c.JWKSURI, c.TokenEndpointAuthSigningAlg = k.URL, "RS256" })
		s.want(s.assert(a.token()), unsignedJWT)
		s.register("reports", "", func(c *store.Client) { c.JWKSURI, c.TokenEndpointAuthMethod = k.URL, store.ClientSecretBasic })
		s.want(s.assert(a.token()), tokenendpoint.ReasonAuthMethodNotAllowed)
		s.register("reports", "", func(c *store.Client) { c.JWKSURI, c.Disabled = k.URL, true })
		s.want(s.assert(a.token()), tokenendpoint.ReasonClientDisabled)
		if n := k.requests.Load(); n != 0 {
			t.Errorf("%d requests", n)
		}
	})
	for name, handle := range map[string]http.HandlerFunc{
		"a 503": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) },
		"a 429": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) },
		"a connection that ends": func(w http.ResponseWriter, _ *http.Request) {
			panic(http.ErrAbortHandler)
		},
	} {
		t.Run(name+" is an outage and no verdict", func(t *testing.T) {
			k := newKeyServer(t, a.jwks())
			k.serve(handle)
			s := newRemoteShop(t, k)
			token := a.token()
			checkRemoteFailure(t, s, s.assert(token), tokenendpoint.ReasonClientKeysUnavailable)
			k.publish(a.jwks())
			s.clock.Advance(6 * time.Second)
			s.want(s.assert(token), tokenendpoint.ReasonIssued)
		})
	}
	t.Run("a server that hangs is an outage when the time of the request is over", func(t *testing.T) {
		k := newKeyServer(t, a.jwks())
		release := make(chan struct{})
		k.serve(func(http.ResponseWriter, *http.Request) { <-release })
		defer close(release)
		s := newRemoteShop(t, k, func(c *tokenendpoint.Config) { c.Timeout = 250 * time.Millisecond })
		checkRemoteFailure(t, s, s.assert(a.token()), tokenendpoint.ReasonClientKeysUnavailable)
	})
	t.Run("a server that is not there is an outage", func(t *testing.T) {
		k := newKeyServer(t, a.jwks())
		s := newRemoteShop(t, k)
		k.Close()
		checkRemoteFailure(t, s, s.assert(a.token()), tokenendpoint.ReasonClientKeysUnavailable)
	})
	for name, handle := range map[string]http.HandlerFunc{
		"a page that is not there": http.NotFound,
		"a private key":            jsonPage(a.jwks(jwtObject{"d": "canary"})),
		"a redirect":               func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/canary", http.StatusFound) },
		"no set":                   jsonPage(`"canary"`),
	} {
		t.Run(name+" is a refusal, whose reason the log says with the client", func(t *testing.T) {
			k := newKeyServer(t, "")
			k.serve(handle)
			s := newRemoteShop(t, k)
			checkRemoteFailure(t, s, s.assert(a.token()), tokenendpoint.ReasonClientKeys)
		})
	}
	t.Run("an inner address is not asked unless it is let in", func(t *testing.T) {
		k := newKeyServer(t, a.jwks())
		outside := netip.MustParsePrefix("10.0.0.0/8")
		for _, networks := range [][]netip.Prefix{nil, {outside}} {
			s := newAssertionShop(t, func(c *tokenendpoint.Config) { c.InsecureNetworks = networks })
			for _, uri := range []string{k.URL + "/keys?canary", strings.Replace(k.URL, "http:", "https:", 1), strings.Replace(k.URL, "127.0.0.1", "localhost", 1),
				"https://169.254.169.254/keys?canary", "file:///etc/passwd", "gopher://x"} {
				s.register("reports", "", func(c *store.Client) { c.JWKSURI = uri })
				checkRemoteFailure(t, s, s.assert(a.token()), tokenendpoint.ReasonClientKeys)
			}
		}
		if n := k.requests.Load(); n != 0 {
			t.Errorf("%d requests to where nobody may go", n)
		}
	})
	t.Run("a caller that goes away is no failure", func(t *testing.T) {
		k := newKeyServer(t, a.jwks())
		s := newRemoteShop(t, k)
		ctx, cancel := context.WithCancel(t.Context())
		release := make(chan struct{})
		k.serve(func(http.ResponseWriter, *http.Request) { cancel(); <-release })
		defer close(release)
		r := httptest.NewRequestWithContext(ctx, "POST", "/connect/token",
			strings.NewReader(deskForm("client_credentials", []string{"client_assertion_type", assertionType, "client_assertion", a.token()}).Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		s.handler.ServeHTTP(httptest.NewRecorder(), r)
		if event := s.events[0]; event.Reason != tokenendpoint.ReasonCallerGone || len(s.throttle.failures) != 0 {
			t.Errorf("the event is %+v, the failures %v", event, s.throttle.failures)
		}
	})
}

func jsonPage(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, body)
	}
}

// checkRemoteFailure checks that an outage is no verdict, and that the log names the client
// and not what is secret of the URL or was sent.
func checkRemoteFailure(t *testing.T, s *assertionShop, answer assertionAnswer, reason tokenendpoint.Reason) {
	t.Helper()
	if reason == tokenendpoint.ReasonClientKeys { // its own fault, X-JWKS-FETCH-01
		s.wantAnswer(answer, reason, 401, assertionRefused)
	} else {
		s.want(answer, reason)
	}
	if answer.status == 503 && len(s.throttle.failures) != 0 || s.replays.used() != 0 {
		t.Errorf("failures %v, %d ids used up", s.throttle.failures, s.replays.used())
	}
	if log := s.log.String(); !strings.Contains(log, `client \"reports\"`) || strings.Contains(log+answer.String(), "canary") {
		t.Errorf("answered %v, and the log is %s", answer, log)
	}
	if retry := answer.header.Get("Retry-After"); (retry != "") != (answer.status == 503) {
		t.Errorf("a %d with Retry-After %q", answer.status, retry)
	}
}
