package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

func TestPostSendsTokenAndBody(t *testing.T) {
	type seen struct {
		method, uri, body string
		header            http.Header
	}
	requests := make(chan seen, 2)
	e := listen(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		requests <- seen{r.Method, r.RequestURI, string(body), r.Header}
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		w.WriteHeader(http.StatusNoContent)
	})
	client := e.trusting(t, loopback4)
	for range 2 {
		status, err := Post(t.Context(), client, e.at("127.0.0.1"), token, []byte(secretBody))
		if status != http.StatusNoContent || err != nil {
			t.Fatalf("%d, %v", status, err)
		}
		got := <-requests
		if got.method != http.MethodPost || got.uri != secretQuery || got.body != secretBody {
			t.Errorf("the endpoint got %s %s %s", got.method, got.uri, got.body)
		}
		for name, want := range map[string]string{
			"Authorization": "Bearer " + token, "Content-Type": "application/json", "User-Agent": "grantor",
			"Accept-Encoding": "", "Cookie": "", "Referer": "",
		} {
			if got := got.header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	}
	if n := e.connections.Load(); n != 1 {
		t.Errorf("%d connections for two requests, want 1", n)
	}
}

func TestTheStatusIsReturnedWhicheverItIs(t *testing.T) {
	for _, want := range []int{200, 204, 304, 400, 401, 404, 429, 500, 503} {
		e := listen(t, answer(want))
		if status, err := Post(t.Context(), e.trusting(t, loopback4), e.at("127.0.0.1"), token, nil); status != want || err != nil {
			t.Errorf("%d, %v, want %d", status, err, want)
		}
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	inner := listen(t, answer(http.StatusOK))
	for _, want := range []int{301, 302, 303, 307, 308} {
		e := listen(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, inner.URL, want) })
		if status, err := Post(t.Context(), e.trusting(t, loopback4), e.at("127.0.0.1"), token, nil); status != want || err != nil {
			t.Errorf("%d, %v, want %d", status, err, want)
		}
	}
	if n := inner.connections.Load(); n != 0 {
		t.Errorf("%d connections to where the redirects lead", n)
	}
}

func TestOneClientServesManyAtOnce(t *testing.T) {
	const most = 16
	var once sync.Once
	arrived, full := make(chan struct{}, 40), make(chan struct{})
	e := listen(t, func(w http.ResponseWriter, _ *http.Request) {
		arrived <- struct{}{}
		if len(arrived) >= most {
			once.Do(func() { close(full) })
		}
		if len(arrived) > most {
			t.Errorf("%d requests at once to one host", len(arrived))
		}
		<-full
		<-arrived
		w.WriteHeader(http.StatusNoContent)
	})
	client := e.trusting(t, loopback4)
	if n := client.Transport.(*transport).MaxConnsPerHost; n != most { // the endpoint may be too slow to see more
		t.Fatalf("%d connections to one host are allowed, want %d", n, most)
	}
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			if status, err := Post(t.Context(), client, e.at("127.0.0.1"), token, nil); status != http.StatusNoContent || err != nil {
				t.Errorf("%d, %v", status, err)
			}
		})
	}
	all.Wait()
}

func TestWhatIsNoTokenIsRefused(t *testing.T) {
	e := listen(t, answer(http.StatusNoContent))
	client := e.trusting(t, loopback4)
	for _, bearer := range []string{"", "=", "a b", "secret\r\nX: y", "secret\n", "\tsecret", "secret\x00", "sécret", "secret=a", `"secret"`, "secret,b"} {
		status, err := Post(t.Context(), client, e.at("127.0.0.1"), bearer, nil)
		if status != 0 || !errors.Is(err, ErrRefused) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %d, %v, want a refusal", bearer, status, err)
		}
	}
	if n := e.requests.Load(); n != 0 {
		t.Errorf("%d requests were made", n)
	}
	for _, bearer := range []string{"8d67dc78-7faa-4d41-aabd-67707b374255", "aZ09-._~+/", "a=="} {
		if _, err := Post(t.Context(), client, e.at("127.0.0.1"), bearer, nil); err != nil {
			t.Errorf("%q: %v", bearer, err)
		}
	}
}

func TestTheServerMustProveItsName(t *testing.T) {
	t.Run("an unknown authority", func(t *testing.T) {
		e := listen(t, answer(http.StatusNoContent))
		fails(t, e, loopback4.Client(), e.at("127.0.0.1"), "unknown authority")
	})
	t.Run("a certificate of another host", func(t *testing.T) {
		e := listen(t, answer(http.StatusNoContent))
		resolve(t, "127.0.0.1")
		fails(t, e, e.trusting(t, loopback4), e.at("other.test"), "another host")
	})
	t.Run("TLS 1.1", func(t *testing.T) {
		e := listen(t, answer(http.StatusNoContent), func(s *httptest.Server) {
			s.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
		})
		fails(t, e, e.trusting(t, loopback4), e.at("127.0.0.1"), "protocol version")
	})
	t.Run("no TLS at all", func(t *testing.T) {
		plain := httptest.NewServer(answer(http.StatusNoContent))
		defer plain.Close()
		url := strings.Replace(plain.URL, "http:", "https:", 1)
		fails(t, new(endpoint), loopback4.Client(), url, "does not speak TLS")
	})
}

// fails posts and wants an outage that says what, and no request to be made.
func fails(t *testing.T, e *endpoint, client *http.Client, url, what string) {
	t.Helper()
	status, err := Post(t.Context(), client, url, token, []byte(secretBody))
	if status != 0 || err == nil || errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), what) {
		t.Errorf("%d, %v, want an outage that says %q", status, err, what)
	}
	if n := e.requests.Load(); n != 0 {
		t.Errorf("%d requests were made", n)
	}
}

func TestAContextThatHasEndedIsAnOutage(t *testing.T) {
	e := listen(t, answer(http.StatusNoContent))
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("a reason"))
	status, err := Post(ctx, e.trusting(t, loopback4), e.at("127.0.0.1"), token, nil)
	if status != 0 || !errors.Is(err, context.Canceled) || errors.Is(err, ErrRefused) || e.requests.Load() != 0 {
		t.Errorf("%d, %v, want context.Canceled and no request", status, err)
	}
}
