package tokenendpoint

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/grantor-go/grantor/internal/jose"
	"github.com/grantor-go/grantor/internal/keysets"
	"github.com/grantor-go/grantor/internal/proof"
	"github.com/grantor-go/grantor/internal/secret"
)

// Endpoint is a token endpoint (RFC 6749 section 3.2). It is an [http.Handler]
// and safe for concurrent use. Make one with [New].
type Endpoint struct {
	config       Config // validated, with defaults filled in; never changed
	grants       map[string]GrantValidator
	companions   []companion
	keys         keyring
	secrets      *secret.Verifier
	reference    secret.Hash
	lints        lints
	guesses      guesses
	inlineKeys   inlineKeys
	accessTokens jose.Parser
	remoteKeys   keysets.Remote
	nonces       *proof.Nonces
}

// ServeHTTP answers a token request.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.answer(w, r, "", e.serve)
}

// answer has a request served, answers it and tells the observer. The name is that
// of a companion, empty for the token endpoint.
func (e *Endpoint) answer(w http.ResponseWriter, r *http.Request, name string, serve serveFunc) {
	start := time.Now()
	ctx, cancel := context.WithTimeout(r.Context(), e.config.Timeout)
	defer cancel()
	req := &Request{Endpoint: e, Issuer: e.config.Issuer, Time: e.config.Now()}
	event := Event{Endpoint: name, Time: req.Time, Reason: ReasonIssued, Status: http.StatusOK}

	response, failure := e.serveRecovering(ctx, r, req, serve)
	if req.nonce != "" {
		w.Header().Set("DPoP-Nonce", req.nonce)
	}
	if failure != nil {
		if failure.Code == AccessDenied && name != "" {
			failure.status = http.StatusForbidden // CIBA section 13
		}
		event.Code, event.Reason, event.Err = failure.Code, failure.Reason, failure
		if callerGone(r, failure) {
			event.Reason = ReasonCallerGone
		}
		event.Status = writeError(w, failure, req.Issuer)
	} else {
		event.Scopes, event.TokenID, event.GrantID = response.scopes, response.tokenID, response.grantID
		switch {
		case response.reason != "":
			event.Reason = response.reason
		case name != "":
			event.Reason = ReasonAnswered
		}
		write(w, http.StatusOK, response.body)
	}

	event.Duration = time.Since(start)
	e.observe(context.WithoutCancel(r.Context()), req, event)
}

// callerGone reports whether an outage is none: nobody waits for the answer.
func callerGone(r *http.Request, failure *Error) bool {
	return failure.Code == TemporarilyUnavailable && r.Context().Err() == context.Canceled && errors.Is(failure, context.Canceled)
}

// serveFunc is the way of a request.
type serveFunc func(ctx context.Context, r *http.Request, req *Request) (*response, error)

// serve is the way of a token request.
func (e *Endpoint) serve(ctx context.Context, r *http.Request, req *Request) (*response, error) {
	if err := e.parse(r, req); err != nil {
		return nil, err
	}
	grantType := req.Form.Get("grant_type")
	if e.grants[grantType] != nil {
		req.GrantType = grantType
	}
	if err := e.authenticate(ctx, req); err != nil {
		return nil, err
	}
	if err := e.prove(r, req); err != nil {
		return nil, err
	}
	if err := e.useAssertion(ctx, req); err != nil {
		return nil, err
	}
	validator, err := e.permit(ctx, req, grantType)
	if err != nil {
		return nil, err
	}
	response, err := e.grant(ctx, req, validator)
	if errors.Is(err, errLost) {
		response, err = e.grant(ctx, req, validator)
	}
	return response, err
}

// grant is the part that is done again, once, if another request was first to
// redeem the same grant: the validator then finds it spent, and decides.
func (e *Endpoint) grant(ctx context.Context, req *Request, validator GrantValidator) (*response, error) {
	req.found = nil
	result, err := validator.Validate(ctx, req)
	if err != nil {
		return nil, e.refused(ctx, req, err)
	}
	token, err := e.settle(req, result)
	if err != nil {
		return nil, err
	}
	if token, err = e.applyUsers(ctx, req, token); err != nil {
		return nil, e.refused(ctx, req, err)
	}
	if token, err = e.applyPolicy(ctx, req, token); err != nil {
		return nil, e.refused(ctx, req, err)
	}
	return e.issue(ctx, req, token)
}

// serveRecovering turns a panic, of a host's code more likely than not, into an error
// that says nothing to the client and everything to the log.
func (e *Endpoint) serveRecovering(ctx context.Context, r *http.Request, req *Request, serve serveFunc) (answer *response, failure *Error) {
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				panic(p)
			}
			e.config.Logger.ErrorContext(ctx, "panic while serving a request", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			answer, failure = nil, fault(ReasonPanic, fmt.Errorf("panic: %v", p))
		}
	}()
	answer, err := serve(ctx, r, req)
	if err != nil {
		return nil, asError(err)
	}
	return answer, nil
}

// observe tells the observer. The answer is written by now, so a panic of the
// observer spoils nothing.
func (e *Endpoint) observe(ctx context.Context, req *Request, event Event) {
	defer func() {
		if p := recover(); p != nil {
			e.config.Logger.ErrorContext(ctx, "panic in Config.Observe", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
	}()
	if req.Client != nil {
		event.ClientID = req.Client.ID
	}
	event.Authenticated, event.AuthMethod = req.Authenticated, req.AuthMethod
	event.GrantType, event.RemoteAddr = req.GrantType, req.RemoteAddr
	switch {
	case event.GrantID != "":
	case len(req.found) > 0:
		event.GrantID = req.found[0].family.ID
	default:
		event.GrantID = req.begun
	}
	e.config.Observe(ctx, event)
}
