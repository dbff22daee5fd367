package middleware

import (
	"context"
	"slices"
	"strings"

	"github.com/grantor-go/grantor/internal/accesstoken"
)

// verify finds out what the issuer says of the token, and judges it.
func (g *guard) verify(ctx context.Context, v *visit) *refusal {
	if strings.Count(v.raw, ".") == 2 {
		return g.verifyJWT(ctx, v)
	}
	if g.Introspect == nil {
		return refuseToken(AccessTokenKind, "the access token is not a JWT")
	}
	claims, no := g.introspect(ctx, v)
	if no != nil {
		return no
	}
	v.claims = claims
	return g.judge(claims, claims.Issuer == "")
}

// verifyJWT holds RFC 9068 section 4.
func (g *guard) verifyJWT(ctx context.Context, v *visit) *refusal {
	t, err := accesstoken.Parse(&g.parser, v.raw)
	if err != nil {
		return refuseToken(AccessTokenKind, "the access token is not a JWT of type at+jwt")
	}
	signed, err := g.keys.Verify(ctx, t)
	if err != nil {
		return outage(AccessIssuerUnavailable, err)
	}
	if !signed {
		return refuseToken(AccessTokenSignature, "no key of the issuer made the signature of the access token")
	}
	claims, err := accesstoken.Read(t.Payload)
	if err != nil || claims.Subject == "" || claims.ClientID == "" || claims.ExpiresAt.IsZero() {
		return refuseToken(AccessTokenClaims, "the access token lacks a claim, or has one of the wrong type")
	}
	v.claims = claims
	if no := g.judge(claims, false); no != nil || !g.IntrospectJWT {
		return no
	}
	answer, no := g.introspect(ctx, v)
	if no != nil {
		return no
	}
	if g.contradicts(answer, claims) {
		return refuseToken(AccessTokenContradicted, "the access token is not what the issuer says of it")
	}
	if answer.All.Has("scope") { // some may have been taken back
		claims.Scopes = slices.DeleteFunc(claims.Scopes, func(scope string) bool { return !slices.Contains(answer.Scopes, scope) })
	}
	return g.judgeTime(answer)
}

// introspect asks the issuer (RFC 7662). An answer that cannot be read is no verdict.
func (g *guard) introspect(ctx context.Context, v *visit) (*accesstoken.Claims, *refusal) {
	ctx, cancel := context.WithDeadline(ctx, v.deadline)
	defer cancel()
	body, err := g.Introspect(ctx, v.raw)
	if err != nil {
		return nil, outage(AccessIssuerUnavailable, err)
	}
	claims, active, err := accesstoken.ReadIntrospection(body)
	if err != nil {
		return nil, outage(AccessIssuerUnavailable, err)
	}
	if !active {
		return nil, refuseToken(AccessTokenInactive, "the access token has expired, was revoked or is unknown")
	}
	return claims, nil
}

// judge looks at whom, for what and when the claims are good. Claims without aud are
// not those of an access token for this API: an introspected refresh token has none.
func (g *guard) judge(c *accesstoken.Claims, anyIssuer bool) *refusal {
	switch {
	case c.Issuer != g.Issuer && !anyIssuer:
		return refuseToken(AccessTokenIssuer, "the access token is of another issuer")
	case !slices.Contains(c.Audience, g.Resource):
		return refuseToken(AccessTokenAudience, "the access token is for another API")
	}
	return g.judgeTime(c)
}

func (g *guard) judgeTime(c *accesstoken.Claims) *refusal {
	now := g.now()
	switch {
	case !c.ExpiresAt.IsZero() && !now.Before(c.ExpiresAt.Add(g.leeway)):
		return refuseToken(AccessTokenExpired, "the access token has expired")
	case c.NotBefore.After(now.Add(g.leeway)), c.IssuedAt.After(now.Add(g.leeway)):
		return refuseToken(AccessTokenTooEarly, "the access token is not yet good")
	}
	return nil
}

// contradicts reports whether an answer about a JWT is about something else. What it
// does not say it does not deny.
func (g *guard) contradicts(answer, jwt *accesstoken.Claims) bool {
	return answer.Audience != nil && !slices.Contains(answer.Audience, g.Resource) ||
		answer.Issuer != "" && answer.Issuer != jwt.Issuer ||
		answer.Subject != "" && answer.Subject != jwt.Subject ||
		answer.ClientID != "" && answer.ClientID != jwt.ClientID ||
		answer.Bound && (!jwt.Bound || answer.JKT != jwt.JKT || answer.X5T != jwt.X5T)
}
