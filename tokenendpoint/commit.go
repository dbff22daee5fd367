package tokenendpoint

import (
	"context"
	"errors"
	"fmt"

	"github.com/grantor-go/grantor/store"
)

// errLost says that another request changed the same grant first.
var errLost = &Error{Code: TemporarilyUnavailable, Reason: ReasonConflict, Cause: fmt.Errorf("other requests changed the same grant at the same time: %w", store.ErrConflict)}

// commit makes a change, also if the caller has hung up meanwhile. If what became
// of it is unknown, one look tells: an answer must be neither lost nor given
// twice.
func (e *Endpoint) commit(ctx context.Context, change *store.Change) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.config.Timeout/2)
	defer cancel()
	err := e.config.Records.Exchange(ctx, change)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrConflict):
		return errLost
	case errors.Is(err, store.ErrRevoked):
		return reject(InvalidGrant, ReasonRevoked, notRedeemable)
	case errors.Is(err, store.ErrNotFound): // it was collected meanwhile
		return reject(InvalidGrant, ReasonUnknownHandle, notRedeemable)
	case errors.Is(err, store.ErrCorrupt), !e.wasMade(ctx, change):
		return storeFailed("GrantStore", err)
	}
	return nil
}

// wasMade reports whether a change was made, as far as that can be found out.
func (e *Endpoint) wasMade(ctx context.Context, change *store.Change) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.config.Timeout/2)
	defer cancel()
	switch {
	case change.Spend != nil:
		record, _, err := e.config.Records.Find(ctx, change.Spend.Key)
		return err == nil && record != nil && record.SpentBy == change.Spend.SpentBy
	case len(change.Issue) > 0:
		_, _, err := e.config.Records.Find(ctx, change.Issue[0].Key)
		return err == nil
	default: // of a family that begins without a record; an extension can be asked for again
		live, err := e.config.Records.FamilyLive(ctx, change.Family.ID)
		return err == nil && live && change.Begin
	}
}

// refused revokes the grant if the refusal of a validator or a hook asks for it,
// also if the caller has hung up meanwhile.
func (e *Endpoint) refused(ctx context.Context, req *Request, err error) error {
	var refusal *Error
	if !errors.As(err, &refusal) || refusal == nil || !refusal.Revoke {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.config.Timeout)
	defer cancel()
	for i := range req.found {
		match := store.Match{Family: req.found[i].family.ID}
		if i > 0 && match.Family == req.found[i-1].family.ID {
			continue
		}
		if _, failed := e.config.Records.Revoke(ctx, match, e.config.Now()); failed != nil {
			return outage(ReasonStoreUnavailable, fmt.Errorf("GrantStore.Revoke failed: %w, after: %w", failed, err))
		}
	}
	return err
}
