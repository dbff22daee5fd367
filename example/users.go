package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/netip"
	"time"

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

// attempt is what the login page's throttle counts by: the user and the network.
func attempt(r *http.Request, username string) tokenendpoint.Attempt {
	addr, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return tokenendpoint.Attempt{ClientID: username}
	}
	bits := 32
	if addr.Addr().Unmap().Is6() {
		bits = 64
	}
	network, _ := addr.Addr().Unmap().WithZone("").Prefix(bits)
	return tokenendpoint.Attempt{ClientID: username, Network: network}
}

const sessionLifetime = 8 * time.Hour
