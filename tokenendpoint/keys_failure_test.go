package tokenendpoint_test

import (
	"context"
	"crypto"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grantor-go/grantor/tokenendpoint"
)

// keysHeldLog is a log that holds back whoever writes to it.
type keysHeldLog struct {
	began, goOn chan struct{}
	hold        *atomic.Bool
}

func (l *keysHeldLog) Write(p []byte) (int, error) {
	if l.hold.Load() {
		l.began <- struct{}{}
		<-l.goOn
	}
	return len(p), nil
}

func (l *keysHeldLog) Logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func TestARollThatFails(t *testing.T) {
	const obstacle = "signing-key-000009.json"
	setUp := func(t *testing.T) (*tokenendpoint.RollingKeys, *keysClock, *keysLog, string) {
		clock, log, dir := newKeysClock(keysStart), new(keysLog), t.TempDir()
		source := keysQuick(dir, clock)
		source.Logger = log.Logger()
		if _, err := source.Keys(t.Context()); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, obstacle)
		if err := os.WriteFile(path, []byte("not JSON"), 0o600); err != nil {
			t.Fatal(err)
		}
		return source, clock, log, path
	}
	t.Run("The key that can sign goes on, the log names the cause, and a minute later it is tried again", func(t *testing.T) {
		source, clock, log, path := setUp(t)
		before, _ := source.Keys(t.Context())
		clock.Advance(8 * time.Hour)
		for range 3 {
			if keys, err := source.Keys(t.Context()); err != nil || &keys[0] != &before[0] || len(keys) != len(before) {
				t.Fatalf("got %v, %v, want the keys from before", keys, err)
			}
		}
		if n := strings.Count(log.String(), "level=ERROR"); n != 1 || !strings.Contains(log.String(), obstacle) {
			t.Errorf("%d errors in the log, want one that names the file:\n%s", n, log)
		}
		clock.Advance(time.Minute)
		if keys, err := source.Keys(t.Context()); err != nil || &keys[0] != &before[0] {
			t.Fatalf("got %v, %v, want the keys from before", keys, err)
		}
		if n := strings.Count(log.String(), "level=ERROR"); n != 2 {
			t.Errorf("%d errors in the log, want one for each minute:\n%s", n, log)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		clock.Advance(time.Minute)
		if keys, err := source.Keys(t.Context()); err != nil || len(keys) != 2 || keys[0].ID != before[0].ID {
			t.Errorf("after the repair: got %v, %v, want the key from before and the next", keys, err)
		}
		if n := strings.Count(log.String(), "level=ERROR"); n != 2 {
			t.Errorf("%d errors in the log after the repair:\n%s", n, log)
		}
	})
	t.Run("Without a key that can sign it is an error and, once repaired, no longer", func(t *testing.T) {
		source, clock, _, path := setUp(t)
		clock.Advance(10 * time.Hour)
		for range 2 {
			if keys, err := source.Keys(t.Context()); err == nil {
				t.Fatalf("got %v, want an error", keys)
			}
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if keys, err := source.Keys(t.Context()); err != nil || len(keys) != 2 {
			t.Errorf("after the repair: got %v, %v, want the key from before and the next", keys, err)
		}
	})
}

func TestRollingKeysThatCannotRoll(t *testing.T) {
	for name, c := range map[string]struct {
		source *tokenendpoint.RollingKeys
		want   string
	}{
		"The next key cannot be published before there is one":  {&tokenendpoint.RollingKeys{SignFor: time.Hour, PublishAhead: time.Hour}, "PublishAhead"},
		"A day ahead is too long for an hour":                   {&tokenendpoint.RollingKeys{SignFor: time.Hour}, "PublishAhead"},
		"An API may still have the key set of five minutes ago": {&tokenendpoint.RollingKeys{SignFor: time.Hour, PublishAhead: 10*time.Minute - 1}, "PublishAhead"},
		"A key is not published for less than no time":          {&tokenendpoint.RollingKeys{PublishAhead: -time.Hour}, "PublishAhead"},
		"A key does not sign for less than no time":             {&tokenendpoint.RollingKeys{SignFor: -time.Hour}, "SignFor"},
		"A token is verified for less than no time":             {&tokenendpoint.RollingKeys{PublishAfter: -time.Hour}, "PublishAfter"},
		"An algorithm must be one that signs":                   {&tokenendpoint.RollingKeys{Alg: "HS256"}, `"HS256"`},
	} {
		t.Run(name, func(t *testing.T) {
			if keys, err := c.source.Keys(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, %v, want an error that says %s", keys, err, c.want)
			}
		})
	}
}

// keysFake is a source that a test sets.
type keysFake struct {
	keys []tokenendpoint.Key
	err  error
}

func (s *keysFake) Keys(context.Context) ([]tokenendpoint.Key, error) { return s.keys, s.err }

// keysSigner is a remote key that may be out of order.
type keysSigner struct {
	crypto.Signer
	publics atomic.Int64
	err     error
}

func (s *keysSigner) Public() crypto.PublicKey {
	s.publics.Add(1)
	return s.Signer.Public()
}

func (s *keysSigner) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if s.err != nil {
		return nil, s.err
	}
	return s.Signer.Sign(random, digest, opts)
}

const keysCanary = "canary-7f3a"

// keysRefused checks an answer that is no token: its status, its code, and that
// it says nothing of the cause.
func keysRefused(t *testing.T, w *httptest.ResponseRecorder, status int, code string) {
	t.Helper()
	if w.Code != status || strings.TrimSpace(w.Body.String()) != `{"error":"`+code+`"}` {
		t.Errorf("got %d %s, want %d and %s alone", w.Code, w.Body, status, code)
	}
	if got := w.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control: got %q", got)
	}
	for name, values := range w.Header() {
		if strings.Contains(strings.Join(values, " "), keysCanary) {
			t.Errorf("%s tells the cause: %q", name, values)
		}
	}
	after, err := strconv.Atoi(w.Header().Get("Retry-After"))
	if outage := status == http.StatusServiceUnavailable; outage != (err == nil && after > 0) {
		t.Errorf("Retry-After: got %q", w.Header().Get("Retry-After"))
	}
}

// X-HTTP-11: keys that cannot be reached are an outage, and the client is told to
// come back.
func TestKeysThatFailAreNotTheClientsFault(t *testing.T) {
	clock := newKeysClock(keysStart)
	good := tokenendpoint.Key{ID: "1", Alg: tokenendpoint.ES256, Signer: keysAtHand()[tokenendpoint.ES256], SignUntil: keysStart.Add(time.Hour)}
	t.Run("A source that fails is 503 and works again as soon as it does", func(t *testing.T) {
		source := &keysFake{keys: []tokenendpoint.Key{good}}
		endpoint := keysEndpoint(t, source, clock)
		source.err = errors.New(keysCanary)
		keysRefused(t, keysAsk(endpoint), http.StatusServiceUnavailable, "temporarily_unavailable")
		source.err = nil
		keysToken(t, endpoint)
	})
	t.Run("A signer that fails is 503 and works again as soon as it does", func(t *testing.T) {
		signer := &keysSigner{Signer: good.Signer}
		key := good
		key.Signer = signer
		endpoint := keysEndpoint(t, tokenendpoint.StaticKeys{key}, clock)
		signer.err = errors.New(keysCanary)
		keysRefused(t, keysAsk(endpoint), http.StatusServiceUnavailable, "temporarily_unavailable")
		signer.err = nil
		keysToken(t, endpoint)
	})
	t.Run("RollingKeys that fail are 503", func(t *testing.T) {
		clock, dir := newKeysClock(keysStart), filepath.Join(t.TempDir(), keysCanary)
		endpoint := keysEndpoint(t, keysQuick(dir, clock), clock)
		if err := os.WriteFile(filepath.Join(dir, "signing-key-000009.json"), []byte(keysCanary), 0o600); err != nil {
			t.Fatal(err)
		}
		clock.Advance(10 * time.Hour)
		keysRefused(t, keysAsk(endpoint), http.StatusServiceUnavailable, "temporarily_unavailable")
	})
	t.Run("No key whose time it is is a mistake of the host", func(t *testing.T) {
		clock := newKeysClock(keysStart)
		endpoint := keysEndpoint(t, tokenendpoint.StaticKeys{good}, clock)
		clock.Advance(time.Hour - 1)
		keysToken(t, endpoint)
		clock.Advance(1)
		keysRefused(t, keysAsk(endpoint), http.StatusInternalServerError, "server_error")
	})
	t.Run("No key at all is a mistake of the host", func(t *testing.T) {
		source := &keysFake{keys: []tokenendpoint.Key{good}}
		endpoint := keysEndpoint(t, source, clock)
		source.keys = nil
		keysRefused(t, keysAsk(endpoint), http.StatusInternalServerError, "server_error")
	})
	t.Run("A key that cannot be used is a mistake of the host", func(t *testing.T) {
		source := &keysFake{keys: []tokenendpoint.Key{good}}
		endpoint := keysEndpoint(t, source, clock)
		source.keys = []tokenendpoint.Key{good, {ID: keysCanary, Alg: "none", Signer: good.Signer}}
		keysRefused(t, keysAsk(endpoint), http.StatusInternalServerError, "server_error")
	})
}
