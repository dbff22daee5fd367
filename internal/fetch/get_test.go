package fetch

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const document = `{"keys":[]}`

// serve answers with a document, some header fields and a status.
func serve(status int, body string, fields ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i < len(fields); i += 2 {
			w.Header().Del(fields[i])
		}
		for i := 0; i < len(fields); i += 2 {
			w.Header().Add(fields[i], fields[i+1])
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

func TestGetReturnsTheDocument(t *testing.T) {
	var seen http.Header
	e := listen(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.RequestURI != secretQuery {
			t.Errorf("the endpoint got %s %s", r.Method, r.RequestURI)
		}
		seen = r.Header
		serve(200, document)(w, r)
	})
	client := e.trusting(t, loopback4)
	for range 2 {
		body, _, err := Get(t.Context(), client, e.at("127.0.0.1"), 0)
		if err != nil || string(body) != document {
			t.Errorf("%q, %v", body, err)
		}
	}
	if len(seen) != 2 || seen.Get("User-Agent") != "grantor" || seen.Get("Accept") != "application/json, application/*+json" {
		t.Errorf("the endpoint got the header %v", seen)
	}
	if n := e.connections.Load(); n != 1 {
		t.Errorf("%d connections for two requests, want 1", n)
	}
}

func TestTheMediaTypeIsJSON(t *testing.T) {
	for mediaType, want := range map[string]bool{
		"application/json": true, "application/jwk-set+json": true, "Application/JSON; charset=utf-8": true, "application/x.y+json;a=b": true,
		"": false, "text/html": false, "text/json": false, "application/jsonp": false, "application/json+x": false, "application/octet-stream": false,
		"application/jwt": false, "application/json, text/html": false, "application": false, "+": false,
	} {
		t.Run("The answer "+mediaType+" is judged", func(t *testing.T) {
			e := listen(t, serve(200, document, "Content-Type", mediaType))
			body, _, err := Get(t.Context(), e.trusting(t, loopback4), e.at("127.0.0.1"), 0)
			if want && (err != nil || string(body) != document) || !want && (body != nil || !errors.Is(err, ErrAnswer)) {
				t.Errorf("%q, %v, want it taken: %t", body, err, want)
			}
		})
	}
}

// X-JWKS-FETCH-01: a redirect is not followed, wherever it leads.
func TestOtherStatusesAreNoDocument(t *testing.T) {
	inner := listen(t, serve(200, document))
	for status, outage := range map[int]bool{
		201: false, 202: false, 203: false, 301: false, 302: false, 304: false, 307: false, 308: false, 400: false, 401: false, 404: false, 410: false,
		408: true, 425: true, 429: true, 500: true, 502: true, 503: true, 599: true,
	} {
		body := document
		if status == 304 {
			body = ""
		}
		e := listen(t, serve(status, body, "Location", inner.URL))
		got, _, err := Get(t.Context(), e.trusting(t, loopback4), e.at("127.0.0.1"), 0)
		if got != nil || err == nil || errors.Is(err, ErrAnswer) == outage || errors.Is(err, ErrRefused) {
			t.Errorf("%d: %q, %v, want an outage: %t", status, got, err, outage)
		}
	}
	if n := inner.connections.Load(); n != 0 {
		t.Errorf("%d connections to where the redirects lead", n)
	}
}

func TestABodyHasALimit(t *testing.T) {
	for _, c := range []struct {
		size, limit int
		taken       bool
	}{{10, 10, true}, {11, 10, false}, {maxDocument, 0, true}, {maxDocument + 1, 0, false}, {10 << 20, 0, false}, {0, 10, true}} {
		e := listen(t, serve(200, strings.Repeat("x", c.size)))
		body, _, err := Get(t.Context(), e.trusting(t, loopback4), e.at("127.0.0.1"), int64(c.limit))
		if c.taken && (err != nil || len(body) != c.size) || !c.taken && (body != nil || !errors.Is(err, ErrAnswer)) {
			t.Errorf("%d octets with limit %d: %d octets, %v, want it taken: %t", c.size, c.limit, len(body), err, c.taken)
		}
	}

	t.Run("a body without end is left", func(t *testing.T) {
		stopped := make(chan struct{})
		e := listen(t, func(w http.ResponseWriter, _ *http.Request) {
			defer close(stopped)
			w.Header().Set("Content-Type", "application/json")
			for {
				if _, err := io.WriteString(w, strings.Repeat(" ", 1<<10)); err != nil {
					return
				}
			}
		})
		client := e.trusting(t, loopback4)
		client.Timeout = 0 // it would close the connection, too
		if _, _, err := Get(t.Context(), client, e.at("127.0.0.1"), 0); !errors.Is(err, ErrAnswer) {
			t.Errorf("%v", err)
		}
		soon(t, stopped, "the endpoint could go on")
	})
}

func TestMaxAgeIsRead(t *testing.T) {
	const most = 1 << 31 * time.Second
	for _, c := range []struct {
		want time.Duration
		said []string
	}{
		{-1, nil},
		{-1, []string{""}},
		{-1, []string{"public, must-revalidate, s-maxage=5, x-max-age=7"}},
		{600 * time.Second, []string{"max-age=600"}},
		{600 * time.Second, []string{"public,  MAX-Age=600 , immutable"}},
		{600 * time.Second, []string{`max-age="600"`}},
		{600 * time.Second, []string{"public", "max-age=600"}},
		{60 * time.Second, []string{"max-age=600, max-age=60"}},
		{60 * time.Second, []string{"max-age=60", "max-age=600"}},
		{0, []string{"max-age=0"}},
		{0, []string{"no-store"}},
		{0, []string{"max-age=600, No-Cache"}},
		{0, []string{`no-cache="set-cookie", max-age=600`}},
		{0, []string{"max-age"}},
		{0, []string{"max-age=-5"}},
		{0, []string{"max-age=1.5"}},
		{0, []string{"max-age=x"}},
		{most, []string{"max-age=99999999999"}},
		{most, []string{"max-age=99999999999999999999999999"}},
	} {
		fields := []string{}
		for _, said := range c.said {
			fields = append(fields, "Cache-Control", said)
		}
		e := listen(t, serve(200, document, fields...))
		if _, age, err := Get(t.Context(), e.trusting(t, loopback4), e.at("127.0.0.1"), 0); err != nil || age != c.want {
			t.Errorf("%q: %v, %v, want %v", c.said, age, err, c.want)
		}
	}
}

// X-JWKS-FETCH-01: what Post may not reach Get may not either.
func TestGetIsGuarded(t *testing.T) {
	e := listen(t, serve(200, document))
	resolve(t, "127.0.0.1")
	for _, url := range []string{e.at("127.0.0.1"), e.at("client.example.com"), "http://client.example.com/", "https://169.254.169.254/", "https://x/%zz" + secretQuery} {
		body, _, err := Get(t.Context(), e.trusting(t, Guard{}), url, 0)
		if body != nil || !errors.Is(err, ErrRefused) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %q, %v, want a refusal", url, body, err)
		}
	}
	if n := e.connections.Load(); n != 0 {
		t.Errorf("%d connections", n)
	}
}

func TestGetTellsOutages(t *testing.T) {
	outage := func(t *testing.T, ctx context.Context, client *http.Client, url string, is error) {
		t.Helper()
		body, _, err := Get(ctx, client, url, 0)
		if body != nil || err == nil || errors.Is(err, ErrRefused) || errors.Is(err, ErrAnswer) || is != nil && !errors.Is(err, is) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q, %v, want an outage", body, err)
		}
	}
	t.Run("a context that ends before the body", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		closed := make(chan struct{})
		e := listen(t, raw("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\nbod", held(closed)))
		client := e.trusting(t, loopback4)
		client.Transport = afterHeader{client.Transport, cancel}
		outage(t, ctx, client, e.at("127.0.0.1"), context.Canceled)
		soon(t, closed, "the connection stayed open")
	})
	t.Run("a body that ends too early", func(t *testing.T) {
		e := listen(t, raw("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{}", func(conn net.Conn) { conn.Close() }))
		outage(t, t.Context(), e.trusting(t, loopback4), e.at("127.0.0.1"), nil)
	})
	t.Run("a server that is not there", func(t *testing.T) {
		e := listen(t, serve(200, document))
		url := e.at("127.0.0.1")
		client := e.trusting(t, loopback4)
		e.Close()
		outage(t, t.Context(), client, url, nil)
	})
	t.Run("a certificate that proves nothing", func(t *testing.T) {
		e := listen(t, serve(200, document), func(*httptest.Server) {})
		outage(t, t.Context(), loopback4.Client(), e.at("127.0.0.1"), nil)
	})
	t.Run("an answer that quotes the request", func(t *testing.T) {
		e := listen(t, raw("HTTP/1.1 "+secretQuery+"\r\n\r\n", nil))
		outage(t, t.Context(), e.trusting(t, loopback4), e.at("127.0.0.1"), nil)
	})
}
