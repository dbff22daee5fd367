package tokenendpoint_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/tokenendpoint"
)

// refuseBy makes the validator return err, alone.
func (tr *trial) refuseBy(err error) {
	tr.validate = func(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) { return nil, err }
}

// The one table of codes, by every way in which a validator can return one.
func TestStatusFollowsFromTheCode(t *testing.T) {
	statuses := map[tokenendpoint.ErrorCode]int{
		"invalid_request": 400, "invalid_client": 401, "invalid_grant": 400, "unauthorized_client": 400,
		"unsupported_grant_type": 400, "invalid_scope": 400, "invalid_target": 400, "access_denied": 400,
		"server_error": 500, "temporarily_unavailable": 503, "authorization_pending": 400,
	}
	for code, status := range statuses {
		t.Run("a validator may return the code "+string(code)+" as it is", func(t *testing.T) {
			for _, err := range []error{code, &tokenendpoint.Error{Code: code}, fmt.Errorf("looking: %w", code)} {
				tr := newTrial(t)
				tr.refuseBy(err)
				answer := tr.ask("scope=orders.read")
				tr.refusal(answer, status, `{"error":"`+string(code)+`"}`)
				tr.equal("Event.Reason", tr.event().Reason, tokenendpoint.Reason(code))
				tr.equal("Event.Code", tr.event().Code, code)
				if (answer.header.Get("WWW-Authenticate") != "") != (status == 401) || (answer.header.Get("Retry-After") != "") != (status == 503) {
					t.Errorf("the header is %v", answer.header)
				}
			}
		})
	}
	for _, code := range []tokenendpoint.ErrorCode{
		tokenendpoint.InvalidRequest, tokenendpoint.InvalidClient, tokenendpoint.InvalidGrant, tokenendpoint.UnauthorizedClient,
		tokenendpoint.UnsupportedGrantType, tokenendpoint.InvalidScope, tokenendpoint.InvalidTarget, tokenendpoint.AccessDenied,
		tokenendpoint.ServerError, tokenendpoint.TemporarilyUnavailable,
	} {
		if statuses[code] == 0 {
			t.Errorf("%q is not a registered code", code)
		}
	}
}

func TestErrorsOfAValidator(t *testing.T) {
	t.Run("a plain error is a bare server_error", func(t *testing.T) {
		for _, err := range []error{errFaultCanary, errors.Join(errFaultCanary, errors.New("two")), new(tokenendpoint.Error),
			&tokenendpoint.Error{Description: "no code", Cause: errFaultCanary}, tokenendpoint.ErrorCode("")} {
			tr := newTrial(t)
			tr.refuseBy(err)
			tr.refusal(tr.ask("scope=orders.read"), 500, faultServerError)
			tr.equal("the reason", tr.event().Reason, tokenendpoint.ReasonInternal)
		}
	})
	t.Run("neither a result nor an error is a server_error that names the grant type", func(t *testing.T) {
		tr := newTrial(t)
		tr.validate = func(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) { return nil, nil }
		tr.refusal(tr.ask("scope=orders.read"), 500, faultServerError)
		tr.equal("the reason", tr.event().Reason, tokenendpoint.ReasonNoValidatorResult)
		if !strings.Contains(tr.log.String(), trialGrant) {
			t.Errorf("the log is %s", tr.log)
		}
	})
	t.Run("a nil *Error in an error is a mistake, and no panic", func(t *testing.T) {
		for _, result := range []*tokenendpoint.Result{nil, {}} {
			tr := newTrial(t)
			tr.validate = func(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) {
				var none *tokenendpoint.Error
				return result, none
			}
			tr.refusal(tr.ask("scope=orders.read"), 500, faultServerError)
			tr.equal("the reason", tr.event().Reason, tokenendpoint.ReasonInternal)
			if log := tr.log.String(); !strings.Contains(log, "nil *tokenendpoint.Error") {
				t.Errorf("the log is %s", log)
			}
		}
	})
	t.Run("what wraps an Error is in the log and not on the wire", func(t *testing.T) {
		for _, err := range []error{
			fmt.Errorf("%w: %w", errFaultCanary, &tokenendpoint.Error{Code: tokenendpoint.InvalidGrant, Description: "used"}),
			errors.Join(&tokenendpoint.Error{Code: tokenendpoint.InvalidGrant, Description: "used"}, errFaultCanary),
		} {
			tr := newTrial(t)
			tr.refuseBy(err)
			answer := tr.ask("scope=orders.read")
			tr.refusal(answer, 400, `{"error":"invalid_grant","error_description":"used"}`)
			checkCanary(tr, answer)
		}
	})
	t.Run("an error whose text panics is a server_error", func(t *testing.T) {
		tr := newTrial(t)
		tr.refuseBy(unspeakableError{})
		tr.refusal(tr.ask("scope=orders.read"), 500, faultServerError)
		tr.equal("the number of events", len(tr.events), 1)
	})
	t.Run("a result beside an error is not used", func(t *testing.T) {
		tr := newTrial(t)
		tr.validate = func(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) {
			return &tokenendpoint.Result{}, tokenendpoint.AccessDenied
		}
		tr.refusal(tr.ask("scope=orders.read"), 400, `{"error":"access_denied"}`)
	})
	// 6749-5.2-08, for what a host adds.
	t.Run("a description is held to the permitted characters", func(t *testing.T) {
		tr := newTrial(t)
		tr.refuseBy(&tokenendpoint.Error{Code: "host\"\\\r\nspecific", Description: "the \"ticket\"\r\nX-Evil: 1\\ is \x00used\u00e9\x7f!"})
		answer := tr.ask("scope=orders.read")
		tr.refusal(answer, 400, `{"error":"hostspecific","error_description":"the ticketX-Evil: 1 is used!"}`)
		tr.equal("X-Evil", answer.header.Values("X-Evil"), []string(nil))
	})
	t.Run("RetryAfter is sent in whole seconds, rounded up", func(t *testing.T) {
		for after, want := range map[time.Duration]string{
			0: "5", -time.Second: "5", time.Nanosecond: "1", time.Second: "1", 1001 * time.Millisecond: "2", time.Minute: "60",
		} {
			tr := newTrial(t)
			tr.refuseBy(&tokenendpoint.Error{Code: tokenendpoint.TemporarilyUnavailable, RetryAfter: after})
			tr.equal("Retry-After", tr.ask("scope=orders.read").header.Get("Retry-After"), want)
		}
	})
	t.Run("an Error that is shared by requests is not altered", func(t *testing.T) {
		tr := newTrial(t)
		shared := &tokenendpoint.Error{Code: tokenendpoint.InvalidGrant}
		tr.refuseBy(shared)
		tr.equal("the status", tr.ask("scope=orders.read").status, http.StatusBadRequest)
		tr.equal("the Error", *shared, tokenendpoint.Error{Code: tokenendpoint.InvalidGrant})
	})
}

type unspeakableError struct{}

func (unspeakableError) Error() string { panic("no words") }

func (unspeakableError) Is(error) bool { panic("no words") }

func TestErrorAsAnError(t *testing.T) {
	err := &tokenendpoint.Error{Code: tokenendpoint.InvalidGrant, Description: "the ticket is used", Cause: errFaultCanary}
	t.Run("errors.Is finds the code and the cause, and no other", func(t *testing.T) {
		wrapped := fmt.Errorf("wrapped: %w", err)
		if !errors.Is(wrapped, tokenendpoint.InvalidGrant) || !errors.Is(wrapped, errFaultCanary) || errors.Is(wrapped, tokenendpoint.InvalidScope) {
			t.Error("errors.Is does not tell")
		}
	})
	t.Run("its text is for the log, and whole", func(t *testing.T) {
		if got, want := err.Error(), "invalid_grant: the ticket is used: "+errFaultCanary.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if got := (&tokenendpoint.Error{Code: tokenendpoint.InvalidGrant}).Error(); got != "invalid_grant" {
			t.Errorf("got %q", got)
		}
		var none *tokenendpoint.Error
		if errors.Is(none, tokenendpoint.ErrorCode("")) || none.Error() == "" {
			t.Error("a nil Error is something")
		}
	})
}
