package tokenendpoint

import (
	"context"
	"fmt"
	"slices"

	"github.com/grantor-go/grantor/internal/secret"
	"github.com/grantor-go/grantor/store"
)

// maxSlowSecrets is how many slow hashes one request may cost.
const maxSlowSecrets = 3

// usableSecret is a stored secret that was read.
type usableSecret struct {
	secret.Hash
	stored  *store.Secret
	expired bool
}

// readSecrets reads a client's secrets, those that have not expired first. One
// that cannot be read, or is slow and one too many, is left out and spoils
// nothing.
func (e *Endpoint) readSecrets(client *store.Client) []usableSecret {
	now := e.config.Now()
	var live, expired []usableSecret
	for i := range client.Secrets {
		stored := &client.Secrets[i]
		hash, err := secret.Parse(stored.Hash)
		switch isLive := stored.ExpiresAt.IsZero() || now.Before(stored.ExpiresAt); {
		case err != nil:
			e.lint(LintSecretUnusable, client.ID+" "+stored.Label, "a secret (label %q) of client %q is ignored: %v", stored.Label, client.ID, err)
		case isLive:
			live = append(live, usableSecret{hash, stored, false})
		default:
			expired = append(expired, usableSecret{hash, stored, true})
		}
	}
	slow := 0
	return slices.DeleteFunc(append(live, expired...), func(s usableSecret) bool {
		if s.Slow() {
			slow++
		}
		excess := s.Slow() && slow > maxSlowSecrets
		if excess {
			e.lint(LintSecretUnusable, client.ID+" "+s.stored.Label, "a secret (label %q) of client %q is ignored: the client has more than %d "+
				"slow secrets; remove what is no longer used", s.stored.Label, client.ID, maxSlowSecrets)
		}
		return excess
	})
}

// checkSecret compares what was presented with each secret. One slot is held for
// all slow ones: a comparison that began is never left half done and uncounted.
func (e *Endpoint) checkSecret(ctx context.Context, secrets []usableSecret, presented string) (refusal *Error, err error) {
	if slices.ContainsFunc(secrets, func(s usableSecret) bool { return s.Slow() }) {
		if !e.reference.Slow() {
			e.lint(LintReferenceHash, "", "clients have slow secrets, but an unknown client costs a fast hash, so time tells which "+
				"clients exist; set Config.ReferenceHash to a hash of the kind that most clients have")
		}
		release, err := e.secrets.Slot(ctx)
		if err != nil {
			return nil, outage(ReasonHashingBusy, err)
		}
		defer release()
	}
	for _, s := range secrets {
		switch {
		case !e.secrets.Matches(s.Hash, presented):
		case s.expired: // it proves nothing any more, but the operator wants to know
			refusal = reject(InvalidClient, ReasonSecretExpired, authenticationFailed)
			refusal.Cause = fmt.Errorf("the secret with label %q expired at %v", s.stored.Label, s.stored.ExpiresAt)
			return refusal, nil
		default:
			return nil, nil
		}
	}
	return reject(InvalidClient, ReasonSecretMismatch, authenticationFailed), nil
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
