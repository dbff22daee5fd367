package tokenendpoint

import (
	"context"
	"errors"
	"fmt"

	"github.com/grantor-go/grantor/internal/secret"
	"github.com/grantor-go/grantor/store"
)

// redeemable is a record that a validator found for a handle.
type redeemable struct {
	handle string
	record *store.Record
	family *store.Family
}

// notRedeemable is the one description of every handle that cannot be redeemed
// (RFC 6749 section 5.2).
const notRedeemable = "the grant is invalid, expired, revoked or was issued to another client"

// Find returns the record of a kind that a handle is for: a code, a refresh token.
// It is the client's, of this issuer, not revoked and either spent or not yet
// expired. Whoever gets a record that is spent (SpentAt is set) decides what that
// means; it cannot be spent again. The error is invalid_grant, or an outage. The
// validator returns the record as Result.Spend or Result.Keep; it does not alter
// it.
func (r *Request) Find(ctx context.Context, kind store.Kind, handle string) (*store.Record, error) {
	family, hash, ok := secret.KeyOf(string(kind), handle)
	if !ok {
		return nil, reject(InvalidGrant, ReasonUnknownHandle, notRedeemable)
	}
	record, owner, err := r.Endpoint.findRecord(ctx, store.Key{Family: family, Hash: hash})
	if err != nil {
		return nil, err
	}
	if owner.ClientID != r.Client.ID {
		return nil, reject(InvalidGrant, ReasonOtherClient, notRedeemable)
	}
	r.found = append(r.found, redeemable{handle, record, owner})
	switch {
	case !owner.RevokedAt.IsZero():
		return nil, reject(InvalidGrant, ReasonRevoked, notRedeemable)
	case record.Grant != nil && !holds(r.proven, record.Grant.Confirmation): // RFC 9449 section 5
		return nil, reject(InvalidGrant, ReasonWrongKey, notRedeemable)
	case !record.SpentAt.IsZero(): // looked at before expiry
		return record, nil
	case !r.Time.Before(record.ExpiresAt):
		return nil, reject(InvalidGrant, ReasonExpired, notRedeemable)
	case !isWhole(record, kind, owner):
		return nil, notWhole(record.Key)
	case record.Grant.Issuer != r.Issuer:
		return nil, reject(InvalidGrant, ReasonUnknownHandle, notRedeemable)
	}
	return record, nil
}

func isWhole(record *store.Record, kind store.Kind, family *store.Family) bool {
	return record.Kind == kind && record.Grant != nil && record.Grant.ClientID == family.ClientID && record.Grant.Subject == family.Subject
}

func notWhole(key store.Key) *Error {
	return fault(ReasonCorrupt, fmt.Errorf("the record %s of family %s is not whole", key.Hash, key.Family))
}

// holds reports whether what was proven is all that is needed.
func holds(proven, needed store.Confirmation) bool {
	return (needed.JKT == "" || needed.JKT == proven.JKT) && (needed.X5T == "" || needed.X5T == proven.X5T)
}

// Successor returns the record that followed one that Find returned spent, under
// the conditions of Find. If nothing followed it the error is invalid_grant.
func (r *Request) Successor(ctx context.Context, spent *store.Record) (*store.Record, error) {
	of := r.redeemable(spent)
	if of == nil || spent.Sealed == nil {
		return nil, reject(InvalidGrant, ReasonUnknownHandle, notRedeemable)
	}
	handle, err := secret.Open(of.handle, spent.Sealed)
	if err != nil {
		return nil, fault(ReasonCorrupt, fmt.Errorf("the record %s of family %s: %w", spent.Key.Hash, spent.Key.Family, err))
	}
	return r.Find(ctx, spent.Kind, handle)
}

// redeemable returns what was found with a record, nil if Find did not return it.
func (r *Request) redeemable(record *store.Record) *redeemable {
	for i := range r.found {
		if r.found[i].record == record {
			return &r.found[i]
		}
	}
	return nil
}

// Update writes a record that Find returned and that was changed, so that the next
// request sees it. An error that is store.ErrConflict says that another request
// changed it first; a validator that returns it is called once more. The others are
// those of Find. What was changed is a copy of the record, not what Find returned.
func (r *Request) Update(ctx context.Context, changed *store.Record) error {
	err := r.Endpoint.config.Records.Update(ctx, changed)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrConflict):
		return errLost
	case errors.Is(err, store.ErrRevoked):
		return reject(InvalidGrant, ReasonRevoked, notRedeemable)
	case errors.Is(err, store.ErrNotFound): // it was collected meanwhile
		return reject(InvalidGrant, ReasonUnknownHandle, notRedeemable)
	}
	return storeFailed("GrantStore", err)
}

// newHandle returns a new handle and where its record is kept.
func newHandle(kind store.Kind, family string) (handle string, key store.Key, err error) {
	handle, err = secret.NewHandle(string(kind), family)
	if err != nil {
		return "", store.Key{}, fault(ReasonInternal, err)
	}
	_, hash, _ := secret.KeyOf(string(kind), handle)
	return handle, store.Key{Family: family, Hash: hash}, nil
}

// storeFailed tells a fault of what is kept from an outage of the store.
func storeFailed(name string, err error) *Error {
	err = fmt.Errorf("%s: %w", name, err)
	if errors.Is(err, store.ErrCorrupt) {
		return fault(ReasonCorrupt, err)
	}
	return outage(ReasonStoreUnavailable, err)
}
