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
// disabled and a wrong secret get the same answer, and each costs a hash.
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
	live, expired, slow := e.readSecrets(client)
	if len(live)+len(expired) == 0 {
		return ReasonSecretMismatch, e.spendReference(ctx, c.secret)
	}
	if slow {
		release, err := e.secrets.Slot(ctx)
		if err != nil {
			return "", outage(ReasonHashingBusy, err)
		}
		defer release()
	}
	for _, hash := range live {
		if e.secrets.Matches(hash, c.secret) {
			return "", nil
		}
	}
	for _, hash := range expired { // worth telling the operator
		if e.secrets.Matches(hash, c.secret) {
			return ReasonSecretExpired, nil
		}
	}
	return ReasonSecretMismatch, nil
}

// readSecrets reads the stored secrets that can be used, those that have not
// expired first, and tells whether any is slow. One that cannot be read spoils
// nothing.
func (e *Endpoint) readSecrets(client *store.Client) (live, expired []secret.Hash, slow bool) {
	now, slowOnes := e.config.Now(), 0
	for _, wantLive := range []bool{true, false} {
		for i := range client.Secrets {
			stored := &client.Secrets[i]
			isLive := stored.ExpiresAt.IsZero() || now.Before(stored.ExpiresAt)
			if isLive != wantLive {
				continue
			}
			hash, err := secret.Parse(stored.Hash)
			if err == nil && hash.Slow() {
				if slowOnes++; slowOnes > maxSlowSecrets {
					err = fmt.Errorf("the client has more than %d slow secrets", maxSlowSecrets)
				}
			}
			switch {
			case err != nil:
				e.lint(LintSecretUnusable, client.ID+" "+stored.Label,
					fmt.Sprintf("a secret (label %q) of client %q is ignored: %v", stored.Label, client.ID, err))
			case isLive:
				live = append(live, hash)
			default:
				expired = append(expired, hash)
			}
		}
	}
	if slowOnes > 0 && !e.reference.Slow() {
		e.lint(LintReferenceHash, "", "clients have slow secrets, but an unknown client costs a fast hash, so time tells which "+
			"clients exist; set Config.ReferenceHash to a hash of the kind that most clients have")
	}
	return live, expired, slowOnes > 0
}

// spendReference does the work that a comparison with a stored secret would
// have been, so that time does not tell which clients exist.
func (e *Endpoint) spendReference(ctx context.Context, presented string) error {
	if presented == "" {
		return nil
	}
	if e.reference.Slow() {
		release, err := e.secrets.Slot(ctx)
		if err != nil {
			return outage(ReasonHashingBusy, err)
		}
		defer release()
	}
	e.secrets.Matches(e.reference, presented)
	return nil
}

// refuse counts a failed attempt, also if the caller has hung up meanwhile. Where
// unknown clients are being refused with 429, a wrong secret is too: otherwise
// 429 would tell that a client does not exist.
func (e *Endpoint) refuse(ctx context.Context, attempt Attempt, reason Reason) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.config.Timeout)
	defer cancel()
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
