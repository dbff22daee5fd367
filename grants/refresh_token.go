package grants

import (
	"context"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// RefreshToken is the refresh token grant (RFC 6749 section 6). Which clients get
// refresh tokens, for how long, and whether they are rotated is in the
// store.Client.
type RefreshToken struct {
	// Grace is how long after its use a refresh token that was rotated gives the
	// same successor again, as long as that was not used: an answer that was lost,
	// or two tabs at once, end nobody's session. Zero means a minute; negative, not
	// at all.
	Grace time.Duration
}

// GrantType returns refresh_token.
func (RefreshToken) GrantType() string { return "refresh_token" }

// Validate redeems a refresh token. One that is used again after the grace, or
// after its successor was used, revokes the grant with every token of it (RFC 9700
// section 4.14.2).
func (r RefreshToken) Validate(ctx context.Context, req *tokenendpoint.Request) (*tokenendpoint.Result, error) {
	token := req.Form.Get("refresh_token")
	if token == "" {
		return nil, refuse(tokenendpoint.InvalidRequest, tokenendpoint.ReasonMissingParameter, "refresh_token is missing")
	}
	record, err := req.Find(ctx, store.KindRefresh, token)
	switch {
	case err != nil:
		return nil, err
	case !record.SpentAt.IsZero():
		return r.again(ctx, req, record)
	case rotates(req, record):
		return &tokenendpoint.Result{Spend: record}, nil
	}
	return &tokenendpoint.Result{Keep: record}, nil
}

// rotates: whoever proves nothing must have a new token each time, so that a copy
// is noticed (RFC 9700 section 2.2.2).
func rotates(req *tokenendpoint.Request, record *store.Record) bool {
	isBound := record.Grant.Confirmation != store.Confirmation{}
	return !req.Authenticated && !isBound || req.Client.Rotation == store.RotationRotate
}

// again gives the successor of a token once more, with every check of a first use.
func (r RefreshToken) again(ctx context.Context, req *tokenendpoint.Request, spent *store.Record) (*tokenendpoint.Result, error) {
	grace := r.Grace
	if grace == 0 {
		grace = time.Minute
	}
	if !req.Time.Before(spent.SpentAt.Add(grace)) || grace < 0 {
		return nil, reused()
	}
	successor, err := req.Successor(ctx, spent)
	if err != nil {
		return nil, err
	}
	if !successor.SpentAt.IsZero() {
		return nil, reused()
	}
	return &tokenendpoint.Result{Keep: successor}, nil
}
