package main

import (
	"context"

	"github.com/grantor-go/grantor/tokenendpoint"
)

// customGrant is a grant type of the shop's own. Which clients may use it, public
// ones among them, is in the registry; one that must not be open to public clients
// would check req.Authenticated.
type customGrant struct{}

func (customGrant) GrantType() string { return "custom" }

func (customGrant) Validate(_ context.Context, req *tokenendpoint.Request) (*tokenendpoint.Result, error) {
	parameter := req.Form.Get("custom_parameter")
	if parameter == "" {
		return nil, &tokenendpoint.Error{Code: tokenendpoint.InvalidRequest, Description: "custom_parameter is missing"}
	}
	return &tokenendpoint.Result{Members: tokenendpoint.Members{"custom_parameter": parameter}}, nil
}
