package grants

import (
	"context"
	"errors"
	"strings"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// Password is the resource owner password credentials grant (RFC 6749 section 4.3),
// for applications that cannot be changed yet: OAuth 2.1 has it no more, and RFC 9700
// section 2.4 forbids it. It is off unless it is among the Grants and the client's
// grant types, and then it is linted.
type Password struct {
	// Verify returns what the user grants, with their Subject, or an error with
	// InvalidGrant if there is no such user or the password is wrong: the answer is the
	// same, and Verify takes the same time for both. Any other error is an outage or a
	// fault, as of GrantValidator.Validate. The client's wishes are in the Request
	// (Tenant, IdP, ACRValues). Wrong ones are counted by the name in lower case and
	// without spaces around: a Verify that finds the same user by more spellings counts
	// by itself. Neither string has line breaks; they are 1 to 256 and 1
	// to 1024 bytes of UTF-8. Required.
	Verify func(ctx context.Context, req *tokenendpoint.Request, username, password string) (*store.Grant, error)
}

// GrantType returns password.
func (Password) GrantType() string { return "password" }

// Check implements [tokenendpoint.WithCheck].
func (p Password) Check() error {
	if p.Verify == nil {
		return errors.New("the field Verify is missing; set the function that compares a password with the one you keep")
	}
	return nil
}

// Validate has the password verified. Wrong ones are counted by user and network, and
// by network alone where anyone may claim to be the client.
func (p Password) Validate(ctx context.Context, req *tokenendpoint.Request) (*tokenendpoint.Result, error) {
	username, password := req.Form.Get("username"), req.Form.Get("password")
	switch {
	case strings.TrimSpace(username) == "":
		return nil, refuse(tokenendpoint.InvalidRequest, tokenendpoint.ReasonMissingParameter, "username is missing")
	case password == "":
		return nil, refuse(tokenendpoint.InvalidRequest, tokenendpoint.ReasonMissingParameter, "password is missing")
	case strings.ContainsAny(username+password, "\r\n"): // RFC 6749 appendix A
		return nil, refuse(tokenendpoint.InvalidRequest, tokenendpoint.ReasonMalformedForm, "username or password holds line breaks")
	}
	var grant *store.Grant
	err := req.Endpoint.Guess(ctx, func() (wrong bool, err error) {
		grant, err = p.Verify(ctx, req, username, password)
		if errors.Is(err, tokenendpoint.InvalidGrant) {
			return true, refuse(tokenendpoint.InvalidGrant, tokenendpoint.ReasonWrongPassword, "the user name or the password is wrong")
		}
		return false, err
	}, passwordAttempts(req, username)...)
	switch {
	case err != nil:
		return nil, err
	case grant == nil || grant.Subject == "":
		return nil, errors.New("grants: Password.Verify returned neither a Subject nor an error")
	}
	signedIn := *grant
	if signedIn.AuthTime.IsZero() {
		signedIn.AuthTime = req.Time
	}
	return &tokenendpoint.Result{Grant: signedIn}, nil
}

func passwordAttempts(req *tokenendpoint.Request, username string) []tokenendpoint.Attempt {
	network := tokenendpoint.Network(req.RemoteAddr)
	name := strings.ToLower(strings.TrimSpace(username)) // the service may know a user by several spellings
	attempts := []tokenendpoint.Attempt{{Secret: tokenendpoint.SecretPassword, User: name, Network: network}}
	if !req.Authenticated && network.IsValid() { // an unknown one would be everybody's
		attempts = append(attempts, tokenendpoint.Attempt{Secret: tokenendpoint.SecretPassword, Network: network})
	}
	return attempts
}
