package middleware

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/grantor-go/grantor/internal/accesstoken"
)

// Token is an access token that was verified. It is not altered. What the issuer does
// not say is zero; iss, sub, client_id and exp are always there if it is a JWT.
type Token struct {
	Issuer   string
	Subject  string // the user or, if the client acts for itself, the client
	ClientID string
	ID       string // jti
	GrantID  string // of tokens that grantor issues: what the user revokes, as a whole

	Audience []string
	Scopes   []string

	ExpiresAt time.Time
	IssuedAt  time.Time

	// Bound says that the token is good only with a key or a certificate, which the
	// caller proved to possess.
	Bound bool

	// Claims are those of the JWT, or the introspection response: a JSON object as the
	// issuer wrote it, of which no name stands twice, for [json.Unmarshal].
	Claims json.RawMessage
}

// Has reports whether the token has a scope. Case matters (RFC 6749 section 3.3).
func (t *Token) Has(scope string) bool { return slices.Contains(t.Scopes, scope) }

// TokenFrom returns the token of a request that [RequireToken] let in, from the
// request's context. ok is false if it came another way: then nobody is authorised.
func TokenFrom(ctx context.Context) (t *Token, ok bool) {
	v, ok := ctx.Value(visitKey{}).(*visit)
	if !ok {
		return nil, false
	}
	return &v.token, true
}

// visitKey is that of the *visit in the context of a request that was let in.
type visitKey struct{}

// tokenOf returns the token that has these claims, once they were judged.
func tokenOf(c *accesstoken.Claims) Token {
	return Token{
		Issuer: c.Issuer, Subject: c.Subject, ClientID: c.ClientID, ID: c.ID, GrantID: c.GrantID,
		Audience: c.Audience, Scopes: c.Scopes,
		ExpiresAt: c.ExpiresAt, IssuedAt: c.IssuedAt,
		Bound: c.Bound, Claims: c.Raw,
	}
}
