package main

import (
	"context"

	"github.com/grantor-go/grantor/tokenendpoint"
)

// customGrant is a grant type of the shop's own.
type customGrant struct{}

func (customGrant) GrantType() string { return "custom" }

func (customGrant) Validate(_ context.Context, req *tokenendpoint.Request) (*tokenendpoint.Result, error) {
	if !req.Authenticated {
		return nil, tokenendpoint.UnauthorizedClient
	}
	parameter := req.Form.Get("custom_parameter")
	if parameter == "" {
		return nil, &tokenendpoint.Error{Code: tokenendpoint.InvalidRequest, Description: "custom_parameter is missing"}
	}
	return &tokenendpoint.Result{Members: tokenendpoint.Members{"custom_parameter": parameter}}, nil
}
