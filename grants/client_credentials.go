// Package grants holds the grant types. Each is a [tokenendpoint.GrantValidator]
// that uses nothing a grant type of your own could not use.
package grants

import (
	"context"

	"github.com/grantor-go/grantor/tokenendpoint"
)

// ClientCredentials is the client credentials grant (RFC 6749 section 4.4): the
// client acts for itself. A public client is refused. Without a scope parameter
// the token has all API scopes that the client is allowed.
type ClientCredentials struct{}

// GrantType returns client_credentials.
func (ClientCredentials) GrantType() string { return "client_credentials" }

// Validate grants a client that proved who it is what it asked for.
func (ClientCredentials) Validate(_ context.Context, req *tokenendpoint.Request) (*tokenendpoint.Result, error) {
	if !req.Authenticated {
		return nil, &tokenendpoint.Error{
			Code:        tokenendpoint.UnauthorizedClient,
			Reason:      tokenendpoint.ReasonUnauthenticated,
			Description: "the client may not use this grant type without authentication",
		}
	}
	return &tokenendpoint.Result{}, nil
}
