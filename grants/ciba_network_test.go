package grants_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/grantor-go/grantor/internal/granttest"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// received is what came to a notification endpoint.
type received struct {
	mu       sync.Mutex
	requests []string
}

func (r *received) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, strings.Join([]string{req.Method, req.URL.String(), req.Header.Get("Authorization"), req.Header.Get("Content-Type"), string(body)}, " "))
	w.WriteHeader(http.StatusNoContent)
}

// CIBA-10.2-01, CIBA-10.2-03.
func TestWhatANotificationSays(t *testing.T) {
	for _, c := range []struct {
		name   string
		mode   store.DeliveryMode
		decide func(t *testing.T, asked *granttest.Asked)
		want   int
	}{
		{"an approval is sent to a client with the mode ping", store.DeliveryPing, approved, 1},
		{"a denial is sent to a client with the mode ping", store.DeliveryPing, denied, 1},
		{"an approval is not sent to a client with the mode poll", store.DeliveryPoll, approved, 0},
		{"a denial is not sent to a client without a mode", "", denied, 0},
		{"what nobody decided is not sent", store.DeliveryPing, func(*testing.T, *granttest.Asked) {}, 0},
		{"a decision that was refused is not sent again", store.DeliveryPing, func(t *testing.T, asked *granttest.Asked) {
			denied(t, asked)
			if got := said(asked.Approve(t.Context(), "alice")); got != "decided" {
				t.Errorf("the second decision was answered %q", got)
			}
		}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := new(received)
			server := httptest.NewServer(client)
			defer server.Close()
			s := granttest.New(t, new(memory.Grants))
			s.CIBA.InsecureNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
			deliver(t, s, c.mode, server.URL+"/ciba?of=app")
			asked := request(t, s, "alice")
			polls(t, asked, "authorization_pending") // CIBA-10.1-03
			c.decide(t, asked)
			if err := s.CIBA.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			if len(client.requests) != c.want {
				t.Fatalf("received %q, want %d", client.requests, c.want)
			}
			want := `POST /ciba?of=app Bearer ` + token + ` application/json {"auth_req_id":"` + asked.Handle + `"}`
			if c.want > 0 && client.requests[0] != want {
				t.Errorf("received %q, want %q", client.requests[0], want)
			}
		})
	}
}

func denied(t *testing.T, asked *granttest.Asked) {
	t.Helper()
	if err := asked.Deny(t.Context(), asked.Subject); err != nil {
		t.Fatal(err)
	}
}

// CIBA-10.2-02.
func TestARedirectOfANotificationIsNotFollowed(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		inner := new(received)
		target := httptest.NewServer(inner)
		defer target.Close()
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, target.URL+"/latest/meta-data", status)
		}))
		defer server.Close()
		s := granttest.New(t, new(memory.Grants))
		s.CIBA.InsecureNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
		deliver(t, s, store.DeliveryPing, server.URL)
		asked := request(t, s, "alice")
		approved(t, asked)
		if err := s.CIBA.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if len(inner.requests) != 0 {
			t.Errorf("%d was followed: %q", status, inner.requests)
		}
		polls(t, asked, "tokens")
	}
}

// CIBA-X-01.
func TestANotificationEndpointOnAnInnerAddress(t *testing.T) {
	for _, endpoint := range []string{
		"", "https://127.0.0.1/ciba", "https://10.0.0.1:8443/", "https://169.254.169.254/latest", "https://[::1]/", "https://[fd00::1]/",
		"https://2130706433/", "https://127.1/", "http://client.example.com/", "http://localhost/", "ftp://client.example.com/",
		"https://user@client.example.com/", "https://client.example.com/#a", "client.example.com", "https:///ciba",
	} {
		t.Run("is refused at the request: "+endpoint, func(t *testing.T) {
			s := pinged(t, new(memory.Grants), endpoint)
			asked, answer := granttest.BeginCIBA(t.Context(), s, "alice", "client_notification_token", token)
			if asked != nil || answer.String() != string(tokenendpoint.UnauthorizedClient) {
				t.Errorf("answered %v", answer)
			}
			if s.Decision("alice") != "" {
				t.Error("alice was asked")
			}
		})
	}
	t.Run("is refused at send where a name leads to it", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		var connections atomic.Int64
		var all sync.WaitGroup
		all.Go(func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				connections.Add(1)
				conn.Close()
			}
		})
		_, port, _ := net.SplitHostPort(listener.Addr().String())
		s := pinged(t, new(memory.Grants), "https://localhost:"+port+"/ciba")
		asked := request(t, s, "alice")
		approved(t, asked)
		if err := s.CIBA.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		listener.Close()
		all.Wait()
		if connections.Load() != 0 || !strings.Contains(s.Log.String(), "is not a public address") {
			t.Errorf("%d connections; the log is %s", connections.Load(), s.Log)
		}
		polls(t, asked, "tokens")
	})
}

// CIBA-7.1-03.
func TestTheNotificationToken(t *testing.T) {
	for name, c := range map[string]struct{ token, want string }{
		"that is missing is refused":              {"", "invalid_request"},
		"of 1025 octets is refused":               {strings.Repeat("a", 1025), "invalid_request"},
		"with a space is refused":                 {"a b", "invalid_request"},
		"with a line break is refused":            {"a\r\nHost: evil", "invalid_request"},
		"with a letter beyond ASCII is refused":   {"tokén", "invalid_request"},
		"of padding alone is refused":             {"==", "invalid_request"},
		"with padding in its midst is refused":    {"a=b", "invalid_request"},
		"of 1024 octets is taken":                 {strings.Repeat("a", 1024), ""},
		"of all that a bearer token can be is it": {"AZaz09-._~+/==", ""},
	} {
		t.Run("a client_notification_token "+name, func(t *testing.T) {
			s := pinged(t, new(memory.Grants), notified)
			_, answer := granttest.BeginCIBA(t.Context(), s, "alice", "client_notification_token", c.token)
			if answer.Code() != c.want {
				t.Errorf("answered %v, want %q", answer, c.want)
			}
		})
	}
}
