package tokenendpoint_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// TestTranscripts plays the exchanges of testdata, each file against an endpoint
// of its own. See transcript for how to read and write them.
func TestTranscripts(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join("testdata", "*.http"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no transcripts found: %v", err)
	}
	tokenIDs := make(map[string]bool)
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".http")
		t.Run(strings.ReplaceAll(name, "-", " "), func(t *testing.T) {
			file, err := readTranscript(path)
			if err != nil {
				t.Fatal(err)
			}
			server := newTranscriptServer(t, file.keys, file.grants, tokenIDs)
			answers := make(map[string]*httptest.ResponseRecorder)
			for _, step := range file.steps {
				t.Run(step.name, func(t *testing.T) {
					answers[step.name] = server.play(t, step)
					if step.sameAs != "" {
						step.compareAnswers(t, answers[step.name], answers[step.sameAs])
					}
				})
			}
		})
	}
}

// transcriptServer is an endpoint and everything it says to anyone.
type transcriptServer struct {
	endpoint *tokenendpoint.Endpoint
	mux      *http.ServeMux // where it is mounted
	asked    transcriptAsked
	clients  *memory.Clients
	keys     tokenendpoint.StaticKeys // the first signs access tokens
	now      time.Time
	events   []tokenendpoint.Event // of the exchange at hand
	log      strings.Builder       // the same
	tokenIDs map[string]bool       // of all servers
	names    map[string]string     // what Code and Keep remember
	secrets  []string              // every code, refresh token and verifier so far
}

func newTranscriptServer(t *testing.T, algs []tokenendpoint.Alg, grantNames []string, tokenIDs map[string]bool) *transcriptServer {
	s := &transcriptServer{clients: memory.NewClients(transcriptClients()...), now: transcriptStart, tokenIDs: tokenIDs, names: make(map[string]string)}
	for _, alg := range algs {
		if transcriptKeys[alg] == nil {
			t.Fatalf("there is no key for algorithm %q", alg)
		}
		s.keys = append(s.keys, transcriptKeys[alg]())
	}
	logger := slog.New(transcriptLog{&s.log})
	logEvent := tokenendpoint.LogEvents(logger)
	config := tokenendpoint.Config{
		Issuer:  transcriptIssuer,
		Clients: transcriptStore{s.clients},
		Scopes:  memory.NewScopes(transcriptScopes...),
		Keys:    s.keys,
		Grants:  transcriptGrants(),
		Policy:  transcriptPolicy,
		Logger:  logger,
		Now:     func() time.Time { return s.now },
		Observe: func(ctx context.Context, event tokenendpoint.Event) {
			logEvent(ctx, event)
			s.events = append(s.events, event)
		},
	}
	for _, name := range grantNames {
		s.addGrant(t, name, &config)
	}
	var err error
	if s.endpoint, err = tokenendpoint.New(config); err != nil {
		t.Fatal(err)
	}
	s.mux = http.NewServeMux()
	s.endpoint.Mount(s.mux)
	return s
}

// play sends the request as often as the transcript says, holds the answers
// against it, and returns the last.
func (s *transcriptServer) play(t *testing.T, step *transcriptStep) (w *httptest.ResponseRecorder) {
	s.prepare(t, step)
	s.now = s.now.Add(step.advance)
	if step.isDocument() {
		return s.get(t, step)
	}
	for range step.times {
		w = s.exchange(t, step)
		if w.Code != step.status {
			t.Errorf("status %d, want %d; body %s", w.Code, step.status, w.Body)
		}
		for name, want := range step.header {
			if got := w.Header()[name]; !reflect.DeepEqual(got, want) {
				t.Errorf("header %s is %q, want %q", name, got, want)
			}
		}
		if reason := s.events[0].Reason; reason != step.reason {
			t.Errorf("the event's reason is %q, want %q", reason, step.reason)
		}
		if w.Code == http.StatusOK {
			s.keep(t, step, w.Body.Bytes())
		}
		step.checkBody(t, w.Body.Bytes(), s.expand(t, step.answer))
		if w.Code == http.StatusOK && step.endpoint() == "" {
			header, claims := s.checkToken(t, w.Body.Bytes())
			step.checkClaims(t, header, claims)
			s.checkIDToken(t, step, w.Body.Bytes(), claims)
		}
		if t.Failed() {
			t.FailNow() // the repetitions fail in the same way
		}
	}
	return w
}

// exchange sends the request once and holds the answer against what is true of
// every answer.
func (s *transcriptServer) exchange(t *testing.T, step *transcriptStep) *httptest.ResponseRecorder {
	body := s.expand(t, step.body)
	r, err := step.httpRequest(body)
	if err != nil {
		t.Fatalf("the transcript's request cannot be read: %v", err)
	}
	s.events = nil
	s.log.Reset()
	w := httptest.NewRecorder()
	s.mux.ServeHTTP(w, r)
	s.checkAnswer(t, r, body, w)
	if len(s.events) == 1 && s.events[0].Endpoint != step.endpoint() {
		t.Errorf("the event's endpoint is %q, want %q", s.events[0].Endpoint, step.endpoint())
	}
	s.rememberVerifier(body)
	return w
}

// checkBody compares the body with the transcript's.
func (s *transcriptStep) checkBody(t *testing.T, body []byte, answer string) {
	if s.isBare() {
		if len(body) > 0 {
			t.Errorf("body %s, want none", body)
		}
		return
	}
	if answer == "" || s.status != http.StatusOK {
		if answer != "" && answer != string(body) {
			t.Errorf("body %s, want %s", body, answer)
		}
		return
	}
	got, err := transcriptObject(body)
	want, errWant := transcriptObject([]byte(answer))
	if err := errors.Join(err, errWant); err != nil {
		t.Fatal(err)
	}
	for name, value := range want {
		if _, ok := got[name]; ok && value == "*" {
			want[name] = got[name]
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("body %s, want %s", body, answer)
	}
}

// checkClaims compares the token with what the transcript says of it. A claim
// that is neither in every token nor in the transcript must not be there.
func (s *transcriptStep) checkClaims(t *testing.T, header, claims map[string]any) {
	for name, want := range s.jose {
		if !reflect.DeepEqual(header[name], want) {
			t.Errorf("the token's header has %s %v, want %v", name, header[name], want)
		}
	}
	extra := maps.Clone(claims)
	for _, name := range append(transcriptClaims, "grant_id") {
		delete(extra, name)
	}
	for name, want := range s.claims {
		if !reflect.DeepEqual(claims[name], want) {
			t.Errorf("claim %s is %v, want %v", name, claims[name], want)
		}
		delete(extra, name)
	}
	if len(extra) > 0 {
		t.Errorf("the token has claims that the transcript does not name: %v", extra)
	}
}

// compareAnswers reports any difference that a client could see.
func (s *transcriptStep) compareAnswers(t *testing.T, got, want *httptest.ResponseRecorder) {
	switch {
	case want == nil:
		t.Errorf("there is no earlier exchange %q", s.sameAs)
	case got.Code != want.Code || !bytes.Equal(got.Body.Bytes(), want.Body.Bytes()) || !reflect.DeepEqual(got.Header(), want.Header()):
		t.Errorf("the answer is not that of %q:\ngot  %d %v %s\nwant %d %v %s", s.sameAs,
			got.Code, got.Header(), got.Body, want.Code, want.Header(), want.Body)
	}
}

// transcriptLog is a slog.Handler that writes values as they are, so that
// escaping hides nothing.
type transcriptLog struct{ out *strings.Builder }

func (l transcriptLog) Enabled(context.Context, slog.Level) bool { return true }
func (l transcriptLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	fmt.Fprintln(l.out, attrs)
	return l
}
func (l transcriptLog) WithGroup(string) slog.Handler { return l }

func (l transcriptLog) Handle(_ context.Context, record slog.Record) error {
	fmt.Fprint(l.out, record.Message)
	record.Attrs(func(attr slog.Attr) bool {
		fmt.Fprintf(l.out, " %s=%+v", attr.Key, attr.Value.Resolve())
		return true
	})
	fmt.Fprintln(l.out)
	return nil
}

// transcriptObject reads exactly one JSON object, whose names are all different,
// and keeps numbers as they were written.
func transcriptObject(data []byte) (map[string]any, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var object map[string]any
	if err := decoder.Decode(&object); err != nil || object == nil {
		return nil, fmt.Errorf("%s is no JSON object: %v", data, err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, fmt.Errorf("%s is more than one JSON value", data)
	}
	names := json.NewDecoder(bytes.NewReader(data))
	names.Token() // {
	seen := make(map[string]bool)
	for names.More() {
		name, _ := names.Token()
		var skipped json.RawMessage
		names.Decode(&skipped)
		if seen[name.(string)] {
			return nil, fmt.Errorf("%s has %q twice", data, name)
		}
		seen[name.(string)] = true
	}
	return object, nil
}
