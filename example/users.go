package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// user is one of the shop's, as it was before it had tokens. A real shop keeps a
// slow hash of the password.
type user struct {
	Sub      string         `json:"sub"`
	Username string         `json:"username"`
	Password string         `json:"password"`
	Claims   map[string]any `json:"claims"`
}

type users []user

func (all users) bySub(sub string) *user {
	for i := range all {
		if all[i].Sub == sub {
			return &all[i]
		}
	}
	return nil
}

func (all users) byName(name string) *user {
	for i := range all {
		if all[i].Username == name {
			return &all[i]
		}
	}
	return nil
}

// login compares a password, at the same cost for a user who does not exist.
func (all users) login(name, password string) *user {
	u, want := all.byName(name), sha256.Sum256(nil)
	if u != nil {
		want = sha256.Sum256([]byte(u.Password))
	}
	got := sha256.Sum256([]byte(password))
	if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
		return nil
	}
	return u
}

// about is Config.Users: is the user still there, and what is to be said?
func (all users) about(_ context.Context, _ *tokenendpoint.Request, token *tokenendpoint.Token) error {
	u := all.bySub(token.Grant.Subject)
	if u == nil {
		return &tokenendpoint.Error{Code: tokenendpoint.InvalidGrant, Reason: tokenendpoint.ReasonUserRefused,
			Description: "the user is not there any more", Revoke: true}
	}
	for name, value := range u.Claims {
		token.UserClaims[name] = value
	}
	return nil
}

// verify is Password.Verify.
func (all users) verify(_ context.Context, _ *tokenendpoint.Request, name, password string) (*store.Grant, error) {
	u := all.login(name, password)
	if u == nil {
		return nil, tokenendpoint.InvalidGrant
	}
	return &store.Grant{Subject: u.Sub, AMR: []string{"pwd"}}, nil
}

// hinted finds the user whom an application means: by name, by the claim email, by
// sub, in this order.
func (all users) hinted(hint string) *user {
	if u := all.byName(hint); u != nil {
		return u
	}
	for i := range all {
		if all[i].Claims["email"] == hint {
			return &all[i]
		}
	}
	return all.bySub(hint)
}
