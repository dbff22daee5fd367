package tokenendpoint_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// eventLogger writes records as text without their time.
func eventLogger(log *bytes.Buffer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

func TestLogEvents(t *testing.T) {
	tests := []struct {
		name  string
		event tokenendpoint.Event
		want  string
	}{
		{"an issued token at Debug", tokenendpoint.Event{
			Status: 200, Reason: "issued", ClientID: "till", GrantType: "client_credentials", Duration: time.Millisecond,
			RemoteAddr: netip.MustParseAddr("2001:db8::1"), TokenID: "j1", Authenticated: true, Scopes: []string{"orders.read"},
		}, "level=DEBUG msg=\"token issued\" reason=issued status=200 client_id=till grant_type=client_credentials duration=1ms " +
			"remote_addr=2001:db8::1 jti=j1\n"},
		{"a refusal at Info", tokenendpoint.Event{Status: 400, Code: "invalid_scope", Reason: "no_scope", Err: tokenendpoint.InvalidScope},
			"level=INFO msg=\"request refused\" reason=no_scope status=400 client_id=\"\" grant_type=\"\" duration=0s error=invalid_scope\n"},
		{"a throttled request at Info", tokenendpoint.Event{Status: 429, Code: "temporarily_unavailable", Reason: "throttled"},
			"level=INFO msg=\"request refused\" reason=throttled status=429 client_id=\"\" grant_type=\"\" duration=0s\n"},
		{"a server_error at Error, with its cause", tokenendpoint.Event{Status: 500, Code: "server_error", Reason: "internal",
			Err: &tokenendpoint.Error{Code: "server_error", Cause: errors.New("disk full")}},
			"level=ERROR msg=\"request failed\" reason=internal status=500 client_id=\"\" grant_type=\"\" duration=0s " +
				"error=\"server_error: disk full\"\n"},
		{"an outage at Error", tokenendpoint.Event{Status: 503, Code: "temporarily_unavailable", Reason: "store_unavailable"},
			"level=ERROR msg=\"request failed\" reason=store_unavailable status=503 client_id=\"\" grant_type=\"\" duration=0s\n"},
		{"a caller that went away at Info", tokenendpoint.Event{Status: 503, Code: "temporarily_unavailable", Reason: "caller_gone"},
			"level=INFO msg=\"request refused\" reason=caller_gone status=503 client_id=\"\" grant_type=\"\" duration=0s\n"},
	}
	for _, test := range tests {
		t.Run("LogEvents writes "+test.name, func(t *testing.T) {
			var log bytes.Buffer
			tokenendpoint.LogEvents(eventLogger(&log, slog.LevelDebug))(t.Context(), test.event)
			if got := log.String(); got != test.want {
				t.Errorf("got  %swant %s", got, test.want)
			}
		})
	}
	t.Run("LogEvents asks no error for its text if the level is off", func(t *testing.T) {
		var log bytes.Buffer
		tokenendpoint.LogEvents(eventLogger(&log, slog.LevelError))(t.Context(), tokenendpoint.Event{Status: 400, Code: "invalid_grant", Err: eventMuteError{t}})
		if log.Len() != 0 {
			t.Errorf("got %s", &log)
		}
	})
	t.Run("it is the default of Observe, and writes to the Config's Logger", func(t *testing.T) {
		var log bytes.Buffer
		tr := newTrial(t, func(c *tokenendpoint.Config) { c.Observe, c.Logger = nil, eventLogger(&log, slog.LevelInfo) })
		tr.ask("scope=admin")
		if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "reason=scope_not_allowed status=400 client_id=till") {
			t.Errorf("got %s", got)
		}
	})
}

// eventMuteError has a text that nobody may ask for.
type eventMuteError struct{ t *testing.T }

func (e eventMuteError) Error() string { e.t.Error("the error's text was asked for"); return "" }

// X-LOG-01: of all that a request may hold, nothing secret is in an event or in
// the log, and no answer repeats it.
func TestNoCredentialIsLoggedOrRepeated(t *testing.T) {
	const wrong, parameter = "hunter2-wrong", "hunter2-parameter"
	requests := map[string]func(tr *trial) *http.Request{
		"a token by Basic": func(tr *trial) *http.Request { return tr.request("scope=orders.read&grant_type=" + trialGrant) },
		"a token by the body": func(tr *trial) *http.Request {
			r := tr.request("grant_type=" + trialGrant + "&client_id=till&client_secret=" + trialSecret)
			r.Header.Del("Authorization")
			return r
		},
		"a wrong secret": func(tr *trial) *http.Request { tr.secret = wrong; return tr.request("grant_type=" + trialGrant) },
		"a wrong secret in the body": func(tr *trial) *http.Request {
			r := tr.request("grant_type=x&client_id=till&client_secret=" + wrong)
			r.Header.Del("Authorization")
			return r
		},
		"two methods":           func(tr *trial) *http.Request { return tr.request("client_secret=" + wrong) },
		"an assertion":          func(tr *trial) *http.Request { return tr.request("client_assertion=" + parameter) },
		"an unknown grant type": func(tr *trial) *http.Request { return tr.request("grant_type=" + parameter) },
		"a user's password": func(tr *trial) *http.Request {
			return tr.request("password=" + parameter + "&grant_type=" + trialGrant)
		},
		"a scope that is unknown": func(tr *trial) *http.Request { return tr.request("scope=" + parameter + "&grant_type=" + trialGrant) },
		"a resource that is unknown": func(tr *trial) *http.Request {
			return tr.request("resource=https://" + parameter + "&grant_type=" + trialGrant)
		},
		"a malformed acr_values": func(tr *trial) *http.Request {
			return tr.request("acr_values=idp:+" + parameter + "&grant_type=" + trialGrant)
		},
		"a repeated parameter": func(tr *trial) *http.Request { return tr.request("code=" + parameter + "&code=" + parameter) },
		"a bad escape":         func(tr *trial) *http.Request { return tr.request("code=" + parameter + "%zz") },
		"an unknown client":    func(tr *trial) *http.Request { r := tr.request(""); r.SetBasicAuth(parameter, wrong); return r },
		"malformed credentials": func(tr *trial) *http.Request {
			r := tr.request("")
			r.Header.Set("Authorization", "Basic "+wrong)
			return r
		},
		"a bearer token": func(tr *trial) *http.Request {
			r := tr.request("")
			r.Header.Set("Authorization", "Bearer "+wrong)
			return r
		},
		"a query": func(tr *trial) *http.Request {
			r := tr.request("")
			r.URL.RawQuery = "client_secret=" + wrong + "&x=" + parameter
			return r
		},
		"a wrong secret, with lints": func(tr *trial) *http.Request {
			tr.secret = wrong
			tr.client.Secrets = append(tr.client.Secrets, store.Secret{Hash: parameter, Label: "old"})
			return tr.request("grant_type=" + trialGrant)
		},
		"a validator's panic": func(tr *trial) *http.Request {
			tr.validate = func(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) { panic("x") }
			return tr.request("grant_type=" + trialGrant + "&code=" + parameter)
		},
	}
	for name, request := range requests {
		t.Run(name+" leaves no trace of what is secret", func(t *testing.T) {
			tr := newTrial(t)
			answer := tr.send(request(tr))
			records := tr.log.String() + fmt.Sprintf("%+v", tr.events)
			for _, secret := range []string{trialSecret, wrong, parameter, store.HashSecret(trialSecret)[len("$sha256$"):]} {
				if strings.Contains(records, secret) {
					t.Errorf("%s is in the log or the event: %s", secret, records)
				}
				if wire := fmt.Sprint(answer.header, answer.body); strings.Contains(wire, secret) {
					t.Errorf("%s is in the answer: %s", secret, wire)
				}
			}
			if token, _ := answer.members["access_token"].(string); token != "" && strings.Contains(records, token[strings.LastIndexByte(token, '.'):]) {
				t.Errorf("the token is in the log or the event: %s", records)
			}
		})
	}
	t.Run("a validator's request holds no credential of the client", func(t *testing.T) {
		tr := newTrial(t)
		r := tr.request("grant_type=" + trialGrant + "&client_id=till&client_secret=" + trialSecret)
		r.Header.Del("Authorization")
		tr.validate = func(_ context.Context, req *tokenendpoint.Request) (*tokenendpoint.Result, error) {
			if dump := fmt.Sprintf("%+v", *req); strings.Contains(dump, trialSecret) {
				t.Errorf("the request holds the secret: %s", dump)
			}
			return &tokenendpoint.Result{}, nil
		}
		tr.equal("the status", tr.send(r).status, http.StatusOK)
	})
}
