package tokenendpoint

import (
	"context"
	"errors"
	"fmt"

	"github.com/grantor-go/grantor/internal/secret"
	"github.com/grantor-go/grantor/store"
)

// revoke is the revocation endpoint (RFC 7009 section 2). A refresh token takes
// everything of its family with it, an access token nothing. A token that is not known,
// or no longer good, is answered as if it had been revoked: it is of no use any more.
func (e *Endpoint) revoke(ctx context.Context, req *Request) (*response, error) {
	token := req.Form.Get("token")
	if token == "" {
		return nil, reject(InvalidRequest, ReasonMissingParameter, "token is missing")
	}
	found, err := e.lookUp(ctx, token)
	failure := asRefusal(err)
	switch {
	case err != nil && failure == nil:
		return nil, err
	case found == nil:
		return &response{reason: failure.Reason}, nil
	case found.claims.ClientID != req.Client.ID: // section 2.1
		return nil, reject(InvalidGrant, ReasonOtherClient, "the token was issued to another client")
	}
	answer := &response{tokenID: found.claims.ID, grantID: found.claims.GrantID, reason: ReasonRevoked}
	switch {
	case found.kind == store.KindRefresh: // also one that was replaced: whoever has it should have nothing
		err = e.revokeFamily(ctx, found.claims.GrantID)
	case failure != nil && !e.expiredJustNow(found, failure):
		return &response{reason: failure.Reason}, nil
	case found.record != nil:
		err = e.revokeOpaque(ctx, found.record)
	default:
		err = e.remember(ctx, found)
	}
	if err != nil {
		return nil, storeFailed("GrantStore", err)
	}
	return answer, nil
}

// expiredJustNow: by the clock of another node the token may still be good.
func (e *Endpoint) expiredJustNow(found *issued, failure *Error) bool {
	return failure.Reason == ReasonExpired && e.config.Now().Before(found.claims.ExpiresAt.Add(nodeLeeway))
}

// revokeFamily revokes a grant, also if the caller has hung up meanwhile.
func (e *Endpoint) revokeFamily(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.config.Timeout)
	defer cancel()
	_, err := e.config.Records.Revoke(ctx, store.Match{Family: id}, e.config.Now())
	return err
}

// revokeOpaque spends the record of an access token: it is kept, and good for nothing.
func (e *Endpoint) revokeOpaque(ctx context.Context, record *store.Record) error {
	now := e.config.Now()
	spent := *record
	spent.SpentAt, spent.SpentBy = now, secret.NewID()
	return e.exchange(ctx, &store.Change{Family: store.Family{ID: record.Key.Family}, Spend: &spent})
}

// remember keeps until its end that a JWT was revoked.
func (e *Endpoint) remember(ctx context.Context, found *issued) error {
	now, key := e.config.Now(), revocationKey(found.claims)
	keep := found.claims.ExpiresAt.Add(otherClocks)
	family := store.Family{ID: key.Family, KeepUntil: keep}
	if found.claims.GrantID == "" {
		family.ClientID, family.CreatedAt = found.claims.ClientID, now
	}
	return e.exchange(ctx, &store.Change{
		Family: family, Begin: found.claims.GrantID == "",
		Issue: []store.Record{{Key: key, Kind: store.KindRevoked, CreatedAt: now, ExpiresAt: found.claims.ExpiresAt, KeepUntil: keep}},
	})
}

// exchange makes a change that ends a token. All verdicts say that it is over already.
// The caller does not stop it by hanging up.
func (e *Endpoint) exchange(ctx context.Context, change *store.Change) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.config.Timeout)
	defer cancel()
	err := e.config.Records.Exchange(ctx, change)
	if errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrRevoked) || errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("a revocation: %w", err)
	}
	return nil
}
