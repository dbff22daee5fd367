package fetch

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// raw answers with octets of its own, and then calls rest, if there is one.
func raw(octets string, rest func(net.Conn)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		io.WriteString(conn, octets)
		if rest != nil {
			rest(conn)
		}
	}
}

// held keeps a connection until the other side closes it, and says so.
func held(closed chan struct{}) func(net.Conn) {
	return func(conn net.Conn) {
		io.Copy(io.Discard, bufio.NewReader(conn))
		close(closed)
	}
}

// afterHeader calls a function when the answer's header is there and its body is
// about to be read.
type afterHeader struct {
	http.RoundTripper
	call func()
}

func (a afterHeader) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := a.RoundTripper.RoundTrip(req)
	if err == nil {
		a.call()
	}
	return resp, err
}

func TestAnEndpointThatHangsIsLeft(t *testing.T) {
	t.Run("when the context ends before the header", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		closed := make(chan struct{})
		e := listen(t, raw("", func(conn net.Conn) { cancel(); held(closed)(conn) }))
		status, err := Post(ctx, e.trusting(t, loopback4), e.at("127.0.0.1"), token, []byte(secretBody))
		if status != 0 || !errors.Is(err, context.Canceled) {
			t.Errorf("%d, %v, want context.Canceled", status, err)
		}
		soon(t, closed, "the connection stayed open")
	})

	t.Run("when the context ends before the body", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		closed := make(chan struct{})
		e := listen(t, raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbod", held(closed)))
		client := e.trusting(t, loopback4)
		client.Transport = afterHeader{client.Transport, cancel}
		status, err := Post(ctx, client, e.at("127.0.0.1"), token, []byte(secretBody))
		if status != http.StatusOK || !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "fetch: ") {
			t.Errorf("%d, %v, want 200 and context.Canceled in words of our own", status, err)
		}
		soon(t, closed, "the connection stayed open")
	})

	// Without a timeout of the client's own these would end with the context's error.
	for name, octets := range map[string]string{
		"by itself, before the header": "",
		"by itself, in the header":     "HTTP/1.1 200 OK\r\nContent-",
		"by itself, before the body":   "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbod",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			closed := make(chan struct{})
			e := listen(t, raw(octets, held(closed)))
			client := e.trusting(t, loopback4)
			client.Timeout /= 5
			_, err := Post(ctx, client, e.at("127.0.0.1"), token, []byte(secretBody))
			if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil || errors.Is(err, ErrRefused) {
				t.Errorf("%v, want context.DeadlineExceeded before the context ends", err)
			}
			soon(t, closed, "the connection stayed open")
		})
	}
}

func TestAnAnswerWithoutEndIsLeft(t *testing.T) {
	t.Run("a body", func(t *testing.T) {
		stopped := make(chan struct{})
		e := listen(t, func(w http.ResponseWriter, _ *http.Request) {
			defer close(stopped)
			for {
				if _, err := io.WriteString(w, strings.Repeat("a", 1<<10)); err != nil {
					return
				}
			}
		})
		client := e.trusting(t, loopback4)
		client.Timeout = 0 // it would close the connection, too
		status, err := Post(t.Context(), client, e.at("127.0.0.1"), token, nil)
		if status != http.StatusOK || err != nil {
			t.Errorf("%d, %v, want 200", status, err)
		}
		soon(t, stopped, "the endpoint could go on")
	})

	t.Run("a header", func(t *testing.T) {
		stopped := make(chan struct{})
		e := listen(t, raw("HTTP/1.1 200 OK\r\n", func(conn net.Conn) {
			defer close(stopped)
			for {
				if _, err := io.WriteString(conn, "X: "+strings.Repeat("a", 1<<10)+"\r\n"); err != nil {
					return
				}
			}
		}))
		outage(t, e, "16384 octets")
		soon(t, stopped, "the endpoint could go on")
	})

	t.Run("a header that is only too large", func(t *testing.T) {
		outage(t, listen(t, raw("HTTP/1.1 200 OK\r\nX: "+strings.Repeat("a", 2*maxHeader)+"\r\n\r\n", nil)), "16384 octets")
	})

	t.Run("interim answers", func(t *testing.T) {
		stopped := make(chan struct{})
		e := listen(t, raw("", func(conn net.Conn) {
			defer close(stopped)
			for {
				if _, err := io.WriteString(conn, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"); err != nil {
					return
				}
			}
		}))
		outage(t, e, "")
		soon(t, stopped, "the endpoint could go on")
	})

	// The connection would be the caller's, and no context would end its reading.
	t.Run("another protocol", func(t *testing.T) {
		closed, returned := make(chan struct{}), make(chan struct{})
		e := listen(t, raw("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", held(closed)))
		go func() {
			defer close(returned)
			outage(t, e, "switched protocols")
		}()
		soon(t, returned, "the answer is still being read")
		soon(t, closed, "the connection stayed open")
	})
}

func outage(t *testing.T, e *endpoint, what string) {
	t.Helper()
	status, err := Post(t.Context(), e.trusting(t, loopback4), e.at("127.0.0.1"), token, []byte(secretBody))
	if status != 0 || err == nil || errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), what) {
		t.Errorf("%d, %v, want an outage that says %q", status, err, what)
	}
}

// A server can send back what it was sent, and net/http quotes it.
func TestErrorsHoldNoSecrets(t *testing.T) {
	const echo = token + " " + secretQuery + " " + secretBody
	for _, octets := range []string{
		"",
		"ECHO\r\n\r\n",
		"HTTP/1.1 ECHO\r\n\r\n",
		"ECHO 200 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\nECHO\r\n\r\n",
		"HTTP/1.1 200 OK\r\nECHO: a\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: ECHO\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: ECHO\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: ECHO\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nECHO\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\nECHO",
		"HTTP/1.1 302 Found\r\nLocation: https://%zz/ECHO\r\n\r\n",
	} {
		octets = strings.ReplaceAll(octets, "ECHO", echo)
		e := listen(t, raw(octets, nil))
		clean(t, octets, e.trusting(t, loopback4), e.at("127.0.0.1"))
	}
	e := listen(t, answer(http.StatusNoContent))
	clean(t, "a refused address", e.trusting(t, Guard{}), e.at("localhost"))
	clean(t, "a refused URL", e.trusting(t, Guard{}), e.at("127.0.0.1"))
	clean(t, "an unknown authority", loopback4.Client(), e.at("127.0.0.1"))
	clean(t, "a URL that cannot be parsed", loopback4.Client(), "https://x/%zz"+secretQuery)
	closed := e.at("127.0.0.1")
	e.Close()
	clean(t, "a refused connection", loopback4.Client(), closed)
	resolve(t)
	clean(t, "an unknown name", loopback4.Client(), e.at("client.example.com"))
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("secret"))
	if _, err := Post(ended, loopback4.Client(), closed, token, nil); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("a context that has ended: %v", err)
	}
}

func clean(t *testing.T, what string, client *http.Client, url string) {
	t.Helper()
	_, err := Post(t.Context(), client, url, token, []byte(secretBody))
	if err == nil {
		t.Errorf("%q: no error", what)
	}
	for ; err != nil; err = errors.Unwrap(err) {
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", what, err)
		}
	}
}
