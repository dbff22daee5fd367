package tokenendpoint

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// ErrorCode is the error member of an error response (RFC 6749 section 5.2 and
// the registry of OAuth extensions errors). It is an error itself, so a
// validator or hook may return one as it is.
type ErrorCode string

// Error returns the code.
func (c ErrorCode) Error() string { return string(c) }

// The codes that the endpoint answers with. A host may return any other
// registered code; its status is 400.
const (
	InvalidRequest         ErrorCode = "invalid_request"         // 400
	InvalidClient          ErrorCode = "invalid_client"          // 401 with a challenge
	InvalidGrant           ErrorCode = "invalid_grant"           // 400
	UnauthorizedClient     ErrorCode = "unauthorized_client"     // 400
	UnsupportedGrantType   ErrorCode = "unsupported_grant_type"  // 400
	InvalidScope           ErrorCode = "invalid_scope"           // 400
	InvalidTarget          ErrorCode = "invalid_target"          // 400, RFC 8707 section 2
	AccessDenied           ErrorCode = "access_denied"           // 400; 403 from a companion
	AuthorizationPending   ErrorCode = "authorization_pending"   // 400, RFC 8628 section 3.5
	SlowDown               ErrorCode = "slow_down"               // 400, the same
	ExpiredToken           ErrorCode = "expired_token"           // 400, the same
	InvalidDPoPProof       ErrorCode = "invalid_dpop_proof"      // 400, RFC 9449 section 5
	UseDPoPNonce           ErrorCode = "use_dpop_nonce"          // 400, RFC 9449 section 8
	ServerError            ErrorCode = "server_error"            // 500
	TemporarilyUnavailable ErrorCode = "temporarily_unavailable" // 503 with Retry-After
)

// The codes of the backchannel authentication endpoint (CIBA section 13): 400.
const (
	ExpiredLoginHintToken ErrorCode = "expired_login_hint_token"
	UnknownUserID         ErrorCode = "unknown_user_id"
	MissingUserCode       ErrorCode = "missing_user_code"
	InvalidUserCode       ErrorCode = "invalid_user_code"
	InvalidBindingMessage ErrorCode = "invalid_binding_message"
)

// status is the one table of how a code is answered.
func (c ErrorCode) status() int {
	switch c {
	case InvalidClient:
		return http.StatusUnauthorized
	case ServerError:
		return http.StatusInternalServerError
	case TemporarilyUnavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusBadRequest
	}
}

// Error is an error response. Validators and hooks return one to say more than
// an [ErrorCode] does. errors.Is(err, InvalidGrant) tells whether an error is an
// Error with that code.
type Error struct {
	Code ErrorCode

	// Reason is reported in the Event. Empty means the Code.
	Reason Reason

	// Description is for the client's developer: error_description. Characters
	// that RFC 6749 section 5.2 does not permit are left out. It must not repeat
	// what the request said.
	Description string

	// Cause is for the log. It is never sent.
	Cause error

	// RetryAfter is sent with TemporarilyUnavailable, in whole seconds. Zero
	// means five. With ReasonThrottled the status is 429.
	RetryAfter time.Duration

	// Revoke revokes the grant that the request tried to redeem, with everything
	// that descends from it, before the answer.
	Revoke bool

	status int // where HTTP has a status of its own; zero: that of Code
}

// Error returns the code, description and cause: it is for logs.
func (e *Error) Error() string {
	if e == nil { // what a host returns by mistake must not end in a panic
		return "a nil *tokenendpoint.Error"
	}
	s := string(e.Code)
	if e.Description != "" {
		s += ": " + e.Description
	}
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Cause
}

// Is reports whether target is the error's code.
func (e *Error) Is(target error) bool { return e != nil && target == error(e.Code) }

func reject(code ErrorCode, reason Reason, description string) *Error {
	return &Error{Code: code, Reason: reason, Description: description}
}

// outage is an error of something the endpoint depends on: not a verdict, so
// the client is told to come back.
func outage(reason Reason, cause error) *Error {
	return &Error{Code: TemporarilyUnavailable, Reason: reason, Cause: cause}
}

// fault is a mistake of the host or of this package, never of the client.
func fault(reason Reason, cause error) *Error {
	return &Error{Code: ServerError, Reason: reason, Cause: cause}
}

// asError gives any error the shape of an answer: what is not an Error or an
// ErrorCode is a server_error that says nothing (RFC 6749 section 5.2 knows no
// other answer for it), unless time ran out.
func asError(err error) *Error {
	var e *Error
	var code ErrorCode
	switch {
	case errors.As(err, &e) && e != nil && e.Code != "":
		answer := *e
		if answer.Reason == "" {
			answer.Reason = Reason(e.Code)
		}
		if err != error(e) { // what wraps it belongs in the log
			answer.Cause = err
		}
		return &answer
	case errors.As(err, &code) && code != "":
		answer := &Error{Code: code, Reason: Reason(code)}
		if err != error(code) {
			answer.Cause = err
		}
		return answer
	case errors.As(err, &code):
		return fault(ReasonInternal, errors.New("an empty ErrorCode was returned"))
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return outage(ReasonTimeout, err)
	default:
		return fault(ReasonInternal, err)
	}
}
