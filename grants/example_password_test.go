package grants_test

import (
	"context"
	"crypto/subtle"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// An old application still asks for its users' passwords. A real service keeps slow
// hashes, and compares one for a user who does not exist, too.
func ExamplePassword() {
	old := grants.Password{
		Verify: func(_ context.Context, req *tokenendpoint.Request, username, password string) (*store.Grant, error) {
			right := subtle.ConstantTimeCompare([]byte(password), []byte("correct horse battery staple")) == 1
			if !right || username != "alice" || req.Tenant != "" {
				return nil, tokenendpoint.InvalidGrant
			}
			return &store.Grant{Subject: "1", AMR: []string{"pwd"}}, nil
		},
	}
	_ = tokenendpoint.Config{Grants: []tokenendpoint.GrantValidator{old}} // and the rest, as ever
}
