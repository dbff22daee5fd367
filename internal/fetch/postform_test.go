package fetch

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

const formAnswer = `{"active":true}`

var secretForm = url.Values{"token": {token}, "token_type_hint": {"a b"}}

func postForm(t *testing.T, client *http.Client, address string) ([]byte, error) {
	return PostForm(t.Context(), client, address, "client:id", "pass-secret %+ü", secretForm, 100)
}

// 6749-2.3.1-02, from the side of the client.
func TestPostFormSendsCredentialsAndForm(t *testing.T) {
	e := listen(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || r.RequestURI != secretQuery || string(body) != "token="+token+"&token_type_hint=a+b" {
			t.Errorf("the endpoint got %s %s %s", r.Method, r.RequestURI, body)
		}
		if id, secret, ok := r.BasicAuth(); !ok || id != "client%3Aid" || secret != "pass-secret+%25%2B%C3%BC" {
			t.Errorf("the endpoint got %q and %q", id, secret)
		}
		for name, want := range map[string]string{
			"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json", "User-Agent": "grantor", "Cookie": "",
		} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if _, ok := r.Header["Idempotency-Key"]; ok {
			t.Error("a header for net/http was sent")
		}
		serve(200, formAnswer)(w, r)
	})
	client := e.trusting(t, loopback4)
	for range 2 {
		if body, err := postForm(t, client, e.at("127.0.0.1")); err != nil || string(body) != formAnswer {
			t.Fatalf("%q, %v", body, err)
		}
	}
	if n := e.connections.Load(); n != 1 {
		t.Errorf("%d connections for two requests, want 1", n)
	}
}

func TestAnIdleConnectionThatIsClosedIsNoOutage(t *testing.T) {
	var e *endpoint
	e = listen(t, func(w http.ResponseWriter, r *http.Request) {
		if e.requests.Load() == 2 {
			raw("", nil)(w, r)
			return
		}
		serve(200, formAnswer)(w, r)
	})
	client := e.trusting(t, loopback4)
	for range 2 {
		if _, err := postForm(t, client, e.at("127.0.0.1")); err != nil {
			t.Error(err)
		}
	}
	if requests, connections := e.requests.Load(), e.connections.Load(); requests != 3 || connections != 2 {
		t.Errorf("%d requests over %d connections, want 3 over 2", requests, connections)
	}
}

func TestOtherAnswersToAFormAreOutages(t *testing.T) {
	inner := listen(t, serve(200, formAnswer))
	for name, handle := range map[string]http.HandlerFunc{
		"status 401":            serve(401, token),
		"status 403":            serve(403, token),
		"status 400":            serve(400, token),
		"status 201":            serve(201, formAnswer),
		"status 307":            serve(307, formAnswer, "Location", inner.URL),
		"status 302":            serve(302, formAnswer, "Location", inner.URL),
		"status 503":            serve(503, token),
		"the media type":        serve(200, formAnswer, "Content-Type", "application/token-introspection+jwt"),
		"more than 100 octets":  serve(200, formAnswer+strings.Repeat(" ", 100)),
		"closed the connection": raw("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n"+token, nil),
		"not HTTP/1.1":          raw("HTTP/1.1 "+token+"\r\n\r\n", nil),
		"its header exceeds":    raw("HTTP/1.1 200 OK\r\n"+token+"\r\n\r\n", nil),
	} {
		t.Run(name+" is said", func(t *testing.T) {
			e := listen(t, handle)
			body, err := postForm(t, e.trusting(t, loopback4), e.at("127.0.0.1"))
			if body != nil || err == nil || errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), name) {
				t.Errorf("%q, %v, want an outage", body, err)
			}
			noSecret(t, err)
		})
	}
	if n := inner.connections.Load(); n != 0 {
		t.Errorf("%d connections to where the redirects lead", n)
	}
}

func TestPostFormIsGuarded(t *testing.T) {
	e := listen(t, serve(200, formAnswer))
	resolve(t, "127.0.0.1")
	for _, address := range []string{e.at("127.0.0.1"), e.at("client.example.com"), "http://client.example.com/", "https://10.0.0.1/", "https://x/%zz" + secretQuery} {
		body, err := postForm(t, e.trusting(t, Guard{}), address)
		if body != nil || !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %q, %v, want a refusal", address, body, err)
		}
		noSecret(t, err)
	}
	if n := e.connections.Load(); n != 0 {
		t.Errorf("%d connections", n)
	}
}

func TestAFormWhoseContextHasEndedIsAnOutage(t *testing.T) {
	e := listen(t, serve(200, formAnswer))
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("a secret"))
	body, err := PostForm(ctx, e.trusting(t, loopback4), e.at("127.0.0.1"), "a", "b", secretForm, 100)
	if body != nil || !errors.Is(err, context.Canceled) || errors.Is(err, ErrRefused) || e.requests.Load() != 0 {
		t.Errorf("%q, %v, want context.Canceled and no request", body, err)
	}
	noSecret(t, err)
}

func noSecret(t *testing.T, err error) {
	t.Helper()
	for ; err != nil; err = errors.Unwrap(err) {
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("%v", err)
		}
	}
}
