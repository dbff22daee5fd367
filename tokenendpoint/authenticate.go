package tokenendpoint

import (
	"context"
	"errors"
	"fmt"

	"github.com/grantor-go/grantor/store"
)

// authenticationFailed is the one description of every failure that depends on
// the client, so that an answer never tells whether one exists.
const authenticationFailed = "client authentication failed"

// authenticate is step 2: it finds the client and proves its credentials by a
// method that the client is allowed. A client that does not exist, one that is
// disabled and a wrong secret get the same answer, and each costs a hash.
func (e *Endpoint) authenticate(ctx context.Context, req *Request) error {
	client, refusal, err := e.findClient(ctx, req.credentials.clientID)
	if err != nil {
		return err
	}
	req.Client = client
	attempt := Attempt{Network: Network(req.RemoteAddr)}
	if refusal == nil {
		attempt.ClientID = client.ID
	}
	if err := e.checkThrottle(ctx, attempt); err != nil {
		return err
	}
	if refusal == nil {
		refusal, err = e.checkCredentials(ctx, client, req)
	} else {
		err = e.spendReference(ctx, req.credentials.secret)
	}
	if err != nil {
		return err
	}
	if refusal != nil {
		return e.countFailure(ctx, attempt, refusal)
	}
	req.Authenticated = req.AuthMethod != store.NoAuth
	req.credentials = credentials{}
	return nil
}

// findClient returns the client, or why it is to be refused; of a client that is
// disabled both.
func (e *Endpoint) findClient(ctx context.Context, id string) (client *store.Client, refusal *Error, err error) {
	client, err = e.config.Clients.Client(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, reject(InvalidClient, ReasonUnknownClient, authenticationFailed), nil
	case err != nil:
		return nil, nil, storeFailed("ClientStore", err)
	case client == nil:
		return nil, nil, fault(ReasonInternal, errors.New("ClientStore returned neither a client nor an error"))
	case client.ID != id: // a database that folds case or trims
		return nil, reject(InvalidClient, ReasonUnknownClient, authenticationFailed), nil
	case client.Disabled:
		return client, reject(InvalidClient, ReasonClientDisabled, authenticationFailed), nil
	}
	return client, nil, nil
}

// checkCredentials returns why the credentials are refused, nil if they are
// right.
func (e *Endpoint) checkCredentials(ctx context.Context, client *store.Client, req *Request) (refusal *Error, err error) {
	c := req.credentials
	if c.method == store.NoAuth {
		c.method = certificateMethod(client, req.certificate)
		req.AuthMethod = c.method
	}
	if !client.Allows(c.method) || !e.supports(c.method) {
		refusal = reject(InvalidClient, ReasonAuthMethodNotAllowed, authenticationFailed)
		refusal.Cause = fmt.Errorf("client %q may not use %s", client.ID, c.method)
		return refusal, e.spendReference(ctx, c.secret)
	}
	switch c.method {
	case store.NoAuth:
		return nil, nil
	case store.PrivateKeyJWT, store.ClientSecretJWT:
		return e.checkAssertion(ctx, client, req)
	case store.TLSClientAuth, store.SelfSignedTLSClientAuth:
		return e.checkCertificate(ctx, client, req)
	}
	secrets := e.readSecrets(client)
	if len(secrets) == 0 {
		refusal = reject(InvalidClient, ReasonSecretMismatch, authenticationFailed)
		refusal.Cause = fmt.Errorf("client %q has no secret that can be used", client.ID)
		return refusal, e.spendReference(ctx, c.secret)
	}
	return e.checkSecret(ctx, secrets, c.secret)
}

// supports reports whether the Config has what a method needs.
func (e *Endpoint) supports(method store.AuthMethod) bool {
	switch method {
	case store.PrivateKeyJWT:
		return e.config.Replays != nil
	case store.ClientSecretJWT:
		return e.config.Replays != nil && e.config.ClientSecrets != nil
	case store.TLSClientAuth, store.SelfSignedTLSClientAuth:
		return e.config.ClientCertificate != nil
	}
	return true
}

// countFailure counts a failed attempt. Where unknown clients are being refused with
// 429, a wrong secret is too: otherwise 429 would tell that a client does not exist.
func (e *Endpoint) countFailure(ctx context.Context, attempt Attempt, refusal *Error) error {
	if err := e.failed(ctx, attempt); err != nil {
		return err
	}
	if attempt.ClientID != "" {
		if err := e.checkThrottle(ctx, Attempt{Network: attempt.Network}); err != nil {
			return err
		}
	}
	return refusal
}
