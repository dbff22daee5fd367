package tokenendpoint

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/grantor-go/grantor/internal/secret"
	"github.com/grantor-go/grantor/store"
)

// maxSlowSecrets is how many slow hashes one request may cost.
const maxSlowSecrets = 3

// authenticate is step 2: it finds the client and proves its credentials by a
// method that the client is allowed. A client that does not exist, one that is
// disabled and a wrong secret get the same answer at the same cost.
func (e *Endpoint) authenticate(ctx context.Context, req *Request) error {
	client, refusal, err := e.findClient(ctx, req.credentials.clientID)
	if err != nil {
		return err
	}
	attempt := Attempt{Network: network(req.RemoteAddr)}
	if client != nil {
		attempt.ClientID = client.ID
	}
	if err := e.throttled(ctx, attempt); err != nil {
		return err
	}
	if client != nil {
		req.Client = client
		refusal, err = e.checkCredentials(ctx, client, req.credentials)
	} else {
		err = e.spendReference(ctx, req.credentials.secret)
	}
	if err != nil {
		return err
	}
	if refusal != "" {
		return e.refuse(ctx, attempt, refusal)
	}
	req.AuthMethod = req.credentials.method
	req.Authenticated = req.AuthMethod != store.NoAuth
	req.credentials = credentials{}
	return nil
}

// findClient returns the client that exists and is not disabled, or the reason
// why there is none.
func (e *Endpoint) findClient(ctx context.Context, id string) (*store.Client, Reason, error) {
	client, err := e.config.Clients.Client(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, ReasonUnknownClient, nil
	case err != nil:
		return nil, "", outage(ReasonStoreUnavailable, fmt.Errorf("ClientStore: %w", err))
	case client == nil:
		return nil, "", fault(ReasonInternal, errors.New("ClientStore returned neither a client nor an error"))
	case client.ID != id: // a database that folds case or trims
		return nil, ReasonUnknownClient, nil
	case client.Disabled:
		return nil, ReasonClientDisabled, nil
	}
	return client, "", nil
}

// checkCredentials returns why the credentials are refused, empty if they are
// right.
func (e *Endpoint) checkCredentials(ctx context.Context, client *store.Client, c credentials) (Reason, error) {
	if !client.Allows(c.method) {
		return ReasonAuthMethodNotAllowed, e.spendReference(ctx, c.secret)
	}
	if c.method == store.NoAuth {
		return "", nil
	}
	now := e.config.Now()
	slow, compared := 0, 0
	for _, wantLive := range []bool{true, false} { // an expired one that matches is worth telling the operator
		for i := range client.Secrets {
			stored := &client.Secrets[i]
			live := stored.ExpiresAt.IsZero() || now.Before(stored.ExpiresAt)
			if live != wantLive {
				continue
			}
			hash, err := secret.Parse(stored.Hash)
			if err != nil {
				e.lintSecret(client, stored, err)
				continue
			}
			if hash.Slow() {
				if slow++; slow > maxSlowSecrets {
					e.lintSecret(client, stored, errors.New("the client has more than three slow secrets"))
					continue
				}
			}
			compared++
			matched, err := e.matches(ctx, hash, c.secret)
			switch {
			case err != nil:
				return "", err
			case matched && live:
				return "", nil
			case matched:
				return ReasonSecretExpired, nil
			}
		}
	}
	if compared == 0 {
		return ReasonSecretMismatch, e.spendReference(ctx, c.secret)
	}
	return ReasonSecretMismatch, nil
}

// spendReference does the work that a comparison with a stored secret would
// have been, so that time does not tell which clients exist.
func (e *Endpoint) spendReference(ctx context.Context, presented string) error {
	if presented == "" {
		return nil
	}
	_, err := e.matches(ctx, e.reference, presented)
	return err
}

func (e *Endpoint) matches(ctx context.Context, hash secret.Hash, presented string) (bool, error) {
	matched, err := e.secrets.Matches(ctx, hash, presented)
	if err != nil {
		return false, outage(ReasonHashingBusy, err)
	}
	return matched, nil
}

// refuse counts a failed attempt. Where unknown clients are being refused with
// 429, a wrong secret is too: otherwise 429 would tell that a client does not
// exist.
func (e *Endpoint) refuse(ctx context.Context, attempt Attempt, reason Reason) error {
	if err := e.config.Throttle.Failed(ctx, attempt); err != nil {
		return outage(ReasonThrottleUnavailable, err)
	}
	if attempt.ClientID != "" {
		if err := e.throttled(ctx, Attempt{Network: attempt.Network}); err != nil {
			return err
		}
	}
	return reject(InvalidClient, reason, authenticationFailed)
}

func (e *Endpoint) throttled(ctx context.Context, attempt Attempt) error {
	wait, err := e.config.Throttle.Blocked(ctx, attempt)
	if err != nil {
		return outage(ReasonThrottleUnavailable, err)
	}
	if wait > 0 {
		return &Error{Code: TemporarilyUnavailable, Reason: ReasonThrottled, Description: "too many failed attempts",
			RetryAfter: max(wait, time.Second), status: 429}
	}
	return nil
}
