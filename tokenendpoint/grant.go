package tokenendpoint

import (
	"context"

	"github.com/grantor-go/grantor/store"
)

// GrantValidator is a grant type: it decides whether a request may have a token,
// and for what. The built-in grants, in package grants, use nothing else. One that
// needs an endpoint of its own is [WithCompanion], one whose settings can be wrong
// [WithCheck].
type GrantValidator interface {
	// GrantType is the value of grant_type that selects the validator: for an
	// extension grant an absolute URI (RFC 6749 section 4.5). It does not change.
	GrantType() string

	// Validate decides. When it is called, the client is known and may use the
	// grant type, and req.Scopes and req.Resources are well formed and allowed to
	// the client. A public client has proved nothing, so that anyone may have sent
	// the request: a validator that needs more checks req.Authenticated.
	//
	// To refuse, return an [ErrorCode], such as InvalidGrant, or an [*Error]. If
	// something it depends on is out of order, return TemporarilyUnavailable.
	// Any other error is answered as a bare server_error, and its text is in the
	// log alone.
	//
	// Validate is called by many goroutines at once. ctx ends with the request
	// or with Config.Timeout.
	Validate(ctx context.Context, req *Request) (*Result, error)
}

// Result is what a [GrantValidator] grants. Its zero value grants the client,
// acting for itself, what it asked for.
type Result struct {
	// Spend is a record to redeem, as Request.Find returned it: the token is
	// issued only if nobody else redeems it. Keep is one that lives on instead,
	// such as a refresh token that is not rotated: its life is extended, and its
	// handle is in the response. At most one of the two is set. The grant is then
	// that of the record, less what the client may no longer have, and Grant must
	// be left zero.
	Spend *store.Record
	Keep  *store.Record

	// Grant is what was authorised, whole. Its scopes and resources must be allowed
	// to the client; the request fails as a server_error otherwise.
	Grant store.Grant

	// Scopes and Resources are those of this token and within the grant. Nil
	// means: those that the client asked for or, if it asked for nothing, all of
	// the grant. Empty but not nil is a mistake and fails the request.
	Scopes    []string
	Resources []string

	// IDTokenClaims are added to the ID token of this response, if there is one.
	// Those that the endpoint writes itself cannot be set here.
	IDTokenClaims map[string]any

	// Members are added to the response. Those that the endpoint writes itself
	// cannot be set here: access_token, token_type, expires_in, refresh_token,
	// id_token, scope, error, error_description, error_uri.
	Members Members
}
