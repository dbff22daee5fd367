package tokenendpoint_test

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// faultCanary is what an error's text must never carry to a client: a host name, a
// query, a password.
const faultCanary = "canary5d41402abc4b2a76"

var errFaultCanary = errors.New("dial db.internal: " + faultCanary)

// faultPlace is a dependency that can be made to fail: fail returns an error
// that holds the canary, or panics with it.
type faultPlace struct {
	name   string
	arm    func(tr *trial, fail func() error)
	status int
	body   string
	reason tokenendpoint.Reason
}

const (
	faultUnavailable = `{"error":"temporarily_unavailable"}`
	faultServerError = `{"error":"server_error"}`
)

// failingValue is a member whose encoding fails.
type failingValue struct{ fail func() error }

func (f failingValue) MarshalJSON() ([]byte, error) { return nil, f.fail() }

// failingReader is a caller that stops in the middle of its body.
type failingReader struct{ fail func() error }

func (f failingReader) Read([]byte) (int, error) { return 0, f.fail() }

// faultPlaces is every dependency of the endpoint, except the observer, whose
// failure has no answer.
var faultPlaces = []faultPlace{
	{"ClientStore", func(tr *trial, fail func() error) {
		tr.clients = func(context.Context, string) (*store.Client, error) { return nil, fail() }
	}, 503, faultUnavailable, tokenendpoint.ReasonStoreUnavailable},
	{"ScopeStore", func(tr *trial, fail func() error) {
		tr.scopes = func(context.Context, []string) ([]store.Scope, error) { return nil, fail() }
	}, 503, faultUnavailable, tokenendpoint.ReasonStoreUnavailable},
	{"KeySource", func(tr *trial, fail func() error) {
		tr.keys = func(context.Context) ([]tokenendpoint.Key, error) { return nil, fail() }
	}, 503, faultUnavailable, tokenendpoint.ReasonKeysUnavailable},
	{"Signer.Sign", func(tr *trial, fail func() error) {
		tr.sign = func(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, fail() }
	}, 503, faultUnavailable, tokenendpoint.ReasonKeysUnavailable},
	{"Throttle.Blocked for the client", func(tr *trial, fail func() error) {
		tr.blocked = func(context.Context, tokenendpoint.Attempt) (time.Duration, error) { return 0, fail() }
	}, 503, faultUnavailable, tokenendpoint.ReasonThrottleUnavailable},
	{"Throttle.Blocked for the network", func(tr *trial, fail func() error) {
		tr.secret = "wrong"
		tr.blocked = func(_ context.Context, a tokenendpoint.Attempt) (time.Duration, error) {
			if a.ClientID != "" {
				return 0, nil
			}
			return 0, fail()
		}
	}, 503, faultUnavailable, tokenendpoint.ReasonThrottleUnavailable},
	{"Throttle.Failed", func(tr *trial, fail func() error) {
		tr.secret = "wrong"
		tr.failed = func(context.Context, tokenendpoint.Attempt) error { return fail() }
	}, 503, faultUnavailable, tokenendpoint.ReasonThrottleUnavailable},
	{"GrantValidator by a plain error", func(tr *trial, fail func() error) {
		tr.validate = func(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) { return nil, fail() }
	}, 500, faultServerError, tokenendpoint.ReasonInternal},
	{"GrantValidator by the Cause of an Error", func(tr *trial, fail func() error) {
		tr.validate = func(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) {
			return nil, &tokenendpoint.Error{Code: tokenendpoint.InvalidGrant, Description: "the ticket is used", Cause: fail()}
		}
	}, 400, `{"error":"invalid_grant","error_description":"the ticket is used"}`, "invalid_grant"},
	{"Policy by a plain error", func(tr *trial, fail func() error) {
		tr.policy = func(context.Context, *tokenendpoint.Request, *tokenendpoint.Token) error { return fail() }
	}, 500, faultServerError, tokenendpoint.ReasonInternal},
	{"Policy by the Cause of an Error", func(tr *trial, fail func() error) {
		tr.policy = func(context.Context, *tokenendpoint.Request, *tokenendpoint.Token) error {
			return &tokenendpoint.Error{Code: tokenendpoint.AccessDenied, Reason: "shop_closed", Cause: fail()}
		}
	}, 400, `{"error":"access_denied"}`, "shop_closed"},
	{"the encoding of a member", func(tr *trial, fail func() error) {
		tr.validate = func(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) {
			return &tokenendpoint.Result{Members: tokenendpoint.Members{"receipt": failingValue{fail}}}, nil
		}
	}, 500, faultServerError, tokenendpoint.ReasonUnencodable},
	{"the encoding of a claim", func(tr *trial, fail func() error) {
		tr.client.Claims = map[string]any{"tenant": failingValue{fail}}
	}, 500, faultServerError, tokenendpoint.ReasonUnencodable},
	{"the body", func(tr *trial, fail func() error) {
		tr.body = func(string) io.Reader { return failingReader{fail} }
	}, 400, `{"error":"invalid_request","error_description":"the body could not be read"}`, tokenendpoint.ReasonBodyUnreadable},
}

// RemoteAddr returns no error, so it can only panic.
var panicPlaces = append([]faultPlace{{"RemoteAddr", func(tr *trial, fail func() error) {
	tr.remoteAddr = func(*http.Request) netip.Addr { fail(); return netip.Addr{} }
}, 0, "", ""}}, faultPlaces...)

// X-HTTP-10, X-HTTP-11: a failure of what the endpoint depends on is JSON of the
// right status without a token, and an outage never tells a client that its
// credentials are bad. X-LOG-01: nor does it tell the client anything else.
func TestNoFaultShowsOnTheWire(t *testing.T) {
	for _, place := range faultPlaces {
		t.Run("an error of "+place.name+" is in the log and not on the wire", func(t *testing.T) {
			tr := newTrial(t)
			healthy := tr.trialParts
			place.arm(tr, func() error { return errFaultCanary })
			answer := tr.ask("scope=orders.read")
			tr.refusal(answer, place.status, place.body)
			checkCanary(tr, answer)
			retryAfter := ""
			if place.status == http.StatusServiceUnavailable {
				retryAfter = "5"
			}
			tr.equal("Retry-After", answer.header.Get("Retry-After"), retryAfter)
			checkFaultEvent(tr, place.status, place.reason)
			if !errors.Is(tr.event().Err, errFaultCanary) {
				t.Errorf("Event.Err is %v and does not wrap the error", tr.event().Err)
			}
			checkRecovered(tr, healthy)
		})
	}
}

// X-HTTP-10, X-LOG-01: likewise for a panic, which ends neither the process nor
// the answer.
func TestNoPanicShowsOnTheWire(t *testing.T) {
	for _, place := range panicPlaces {
		t.Run("a panic in "+place.name+" is a server_error and in the log with its stack", func(t *testing.T) {
			tr := newTrial(t)
			healthy := tr.trialParts
			place.arm(tr, func() error { panic(errFaultCanary) })
			answer := tr.ask("scope=orders.read")
			tr.refusal(answer, 500, faultServerError)
			checkCanary(tr, answer)
			checkFaultEvent(tr, 500, tokenendpoint.ReasonPanic)
			if log := tr.log.String(); !strings.Contains(log, "panic while serving") || !strings.Contains(log, "fault_canary_test.go") {
				t.Errorf("no stack in the log: %s", log)
			}
			checkRecovered(tr, healthy)
		})
	}
}

func checkCanary(tr *trial, answer trialAnswer) {
	tr.t.Helper()
	if wire := fmt.Sprint(answer.header, answer.body); strings.Contains(wire, faultCanary) {
		tr.t.Errorf("the canary is on the wire: %s", wire)
	}
	if log := tr.log.String(); !strings.Contains(log, faultCanary) {
		tr.t.Errorf("the canary is not in the log: %s", log)
	}
}

func checkFaultEvent(tr *trial, status int, reason tokenendpoint.Reason) {
	tr.t.Helper()
	if event := tr.event(); event.Reason != reason || event.Status != status || event.TokenID != "" || event.Scopes != nil {
		tr.t.Errorf("the event is %+v, want status %d and reason %s and no token", event, status, reason)
	}
}

// checkRecovered sends a good request once what failed is well again.
func checkRecovered(tr *trial, healthy trialParts) {
	tr.t.Helper()
	tr.trialParts, tr.client.Claims = healthy, nil
	if answer := tr.ask("scope=orders.read"); answer.status != http.StatusOK {
		tr.t.Errorf("the next request was answered %d %s", answer.status, answer.body)
	}
}

func TestPanicsOfTheObserver(t *testing.T) {
	t.Run("a panic in Observe spoils neither the answer nor the next one", func(t *testing.T) {
		tr := newTrial(t)
		tr.observe = func(context.Context, tokenendpoint.Event) { panic(errFaultCanary) }
		for range 2 {
			answer := tr.ask("scope=orders.read")
			if answer.status != http.StatusOK {
				t.Errorf("answered %d %s", answer.status, answer.body)
			}
			checkCanary(tr, answer)
		}
		if log := tr.log.String(); !strings.Contains(log, "panic in Config.Observe") || !strings.Contains(log, "fault_canary_test.go") {
			t.Errorf("no stack in the log: %s", log)
		}
		tr.equal("the number of events", len(tr.events), 2)
	})
}

func TestPanicsOnAServer(t *testing.T) {
	tr := newTrial(t)
	panics := make(chan any, 1) // what the next call of the validator panics with
	tr.validate = func(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) {
		if p := <-panics; p != nil {
			panic(p)
		}
		return &tokenendpoint.Result{}, nil
	}
	server := httptest.NewServer(tr.endpoint)
	defer server.Close()
	post := func(p any) (*http.Response, error) {
		panics <- p
		r := tr.request("grant_type=" + trialGrant)
		onWire, err := http.NewRequestWithContext(t.Context(), r.Method, server.URL, r.Body)
		if err != nil {
			t.Fatal(err)
		}
		onWire.Header = r.Header
		return server.Client().Do(onWire)
	}
	t.Run("http.ErrAbortHandler cuts the connection, as its thrower wants", func(t *testing.T) {
		if response, err := post(http.ErrAbortHandler); err == nil {
			t.Errorf("answered %s", response.Status)
		}
		if len(tr.events) != 0 || tr.log.Len() != 0 {
			t.Errorf("it was reported: %v %s", tr.events, tr.log)
		}
	})
	t.Run("any other panic is answered, and so is the next request", func(t *testing.T) {
		for _, p := range []any{"out of stock", map[string]int{}, nil} { // a map cannot be compared
			response, err := post(p)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			want := http.StatusInternalServerError
			if p == nil {
				want = http.StatusOK
			}
			tr.equal("the status", response.StatusCode, want)
		}
	})
}
