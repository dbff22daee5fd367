package tokenendpoint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/grantor-go/grantor/internal/accesstoken"
	"github.com/grantor-go/grantor/store"
)

// jwtToken signs the claims of RFC 9068 section 2.2.
func (e *Endpoint) jwtToken(ctx context.Context, req *Request, a *answer, change *store.Change, now time.Time) (string, error) {
	key, err := e.keys.signing(ctx, now, "")
	if err != nil {
		return "", err
	}
	a.lifetime = key.limit(now, a.token.Lifetime)
	if a.lifetime < a.token.Lifetime {
		e.lint(LintLifetimeCut, req.Client.ID, "tokens of client %q live %v instead of %v, because key %q is published no longer; "+
			"lengthen RollingKeys.PublishAfter or Key.PublishUntil", req.Client.ID, a.lifetime, a.token.Lifetime, key.ID)
	}
	claims, err := appendClaims(make([]byte, 0, 512), req, a, e.audience(req, a.token), change, now.Unix())
	if err != nil {
		return "", err
	}
	jwt, err := key.signer.Sign(claims)
	if err != nil {
		return "", outage(ReasonKeysUnavailable, err)
	}
	return jwt, nil
}

// opaqueToken keeps the same claims, for introspection, and those of them that are
// judged as a Grant. Its jti is where it is kept.
func (e *Endpoint) opaqueToken(req *Request, a *answer, change *store.Change, now time.Time) (string, error) {
	handle, key, err := newHandle(store.KindAccess, change.Family.ID)
	if err != nil {
		return "", err
	}
	a.id = key.Hash
	audience := e.audience(req, a.token)
	claims, err := appendClaims(make([]byte, 0, 512), req, a, audience, change, now.Unix())
	if err != nil {
		return "", err
	}
	grant := &store.Grant{
		Issuer: req.Issuer, ClientID: req.Client.ID, Subject: a.token.Grant.Subject, Session: a.token.Grant.Session,
		Scopes: a.token.Scopes, Resources: audience, Confirmation: req.proven,
	}
	end := now.Truncate(time.Second).Add(a.lifetime) // as exp says
	change.Issue = append(change.Issue, store.Record{
		Key: key, Kind: store.KindAccess, CreatedAt: now, ExpiresAt: end, KeepUntil: end, Grant: grant, Data: claims,
	})
	return handle, nil
}

// appendClaims writes by hand, because it is a third of the endpoint's own work.
func appendClaims(b []byte, req *Request, a *answer, audience []string, change *store.Change, now int64) ([]byte, error) {
	token := a.token
	subject := token.Grant.Subject
	if subject == "" {
		subject = req.Client.ID
	}
	b = appendString(append(b, `{"iss":`...), req.Issuer)
	b = appendString(append(b, `,"sub":`...), subject)
	b = append(b, `,"aud":`...)
	if len(audience) == 1 {
		b = appendString(b, audience[0])
	} else {
		b = appendStrings(b, audience)
	}
	b = appendString(append(b, `,"client_id":`...), req.Client.ID)
	b = strconv.AppendInt(append(b, `,"exp":`...), now+int64(a.lifetime/time.Second), 10)
	b = strconv.AppendInt(append(b, `,"iat":`...), now, 10)
	b = strconv.AppendInt(append(b, `,"nbf":`...), now, 10)
	b = appendString(append(b, `,"jti":`...), a.id)
	b = appendScope(append(b, `,"scope":`...), token.Scopes)
	b = appendSignIn(b, &token.Grant)
	if req.proven != (store.Confirmation{}) {
		cnf, _ := json.Marshal(req.proven) // two strings: cannot fail
		b = append(append(b, `,"cnf":`...), cnf...)
	}
	if change != nil { // so that an API can ask whether it was revoked
		b = appendString(append(b, `,"grant_id":`...), change.Family.ID)
	}
	extra := token.Claims
	if about := userClaims(req, token, false); len(about) > 0 {
		for name, value := range extra { // what client, grant and policy say about the token wins
			about[name] = value
		}
		extra = about
	}
	b, err := appendExtra(b, "claim", extra, reservedClaims)
	if err != nil || len(extra) == 0 {
		return b, err
	}
	if len(b) > maxClaims {
		return nil, fault(ReasonUnencodable, fmt.Errorf("the claims of the access token have %d octets, and %d are the most that fit into a header; take some away", len(b), maxClaims))
	}
	if _, err := accesstoken.Read(b); err != nil { // or nobody could tell whether it was revoked
		return nil, fault(ReasonUnencodable, errors.New("a claim of the client, the grant, Config.Users or Config.Policy is an object with two names that differ by case alone, or is more than 31 deep"))
	}
	return b, nil
}

const maxClaims = 11 << 10 // octets: a JWT of them is shorter than accesstoken.MaxToken

// appendSignIn writes how the user authenticated (OpenID Connect Core section 2).
func appendSignIn(b []byte, grant *store.Grant) []byte {
	if !grant.AuthTime.IsZero() {
		b = strconv.AppendInt(append(b, `,"auth_time":`...), grant.AuthTime.Unix(), 10)
	}
	if grant.ACR != "" {
		b = appendString(append(b, `,"acr":`...), grant.ACR)
	}
	if len(grant.AMR) > 0 {
		b = appendStrings(append(b, `,"amr":`...), grant.AMR)
	}
	return b
}

// userClaims returns the claims about the user that the scopes of the token give
// access to: those of identity scopes, or those of the others.
func userClaims(req *Request, token *Token, identity bool) map[string]any {
	if len(token.UserClaims) == 0 {
		return nil
	}
	about, isGranted := make(map[string]any), lookup(token.Scopes)
	for i := range req.allowed {
		scope := &req.allowed[i]
		if isIdentity(scope) != identity || !isGranted(scope.Name) {
			continue
		}
		for _, name := range scope.Claims {
			if value, ok := token.UserClaims[name]; ok {
				about[name] = value
			}
		}
	}
	return about
}

// audience returns the resources that the token is for (RFC 9068 section 3):
// those asked for or, if none were, those that its scopes belong to.
func (e *Endpoint) audience(req *Request, token *Token) []string {
	if token.Resources != nil {
		return token.Resources
	}
	all := resourcesOfAll(req.allowed, token.Scopes, req.Issuer)
	if len(all) > 1 {
		e.lint(LintSeveralAudiences, req.Client.ID, "a token of client %q is good for %d resources at once; "+
			"have the client ask for one by the resource parameter, so that no API can use it at another", req.Client.ID, len(all))
	}
	return all
}
