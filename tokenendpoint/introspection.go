package tokenendpoint

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/grantor-go/grantor/internal/jose"
	"github.com/grantor-go/grantor/store"
)

const inactive = `{"active":false}` // RFC 7662 section 2.2: nothing else is said

// Introspect returns what is known of an access token (RFC 7662 section 2.2), a JWT or
// not, as JSON: its claims and active, which is false if it is none of this issuer or is
// expired or revoked, or if its client or user is gone. It is for an API in the same
// process (middleware.RequireToken), which looks at the audience, the scopes and the
// binding itself. Why a token is not active is told to Config.Observe. The error is an
// outage.
func (e *Endpoint) Introspect(ctx context.Context, token string) (answer []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, e.config.Timeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil { // of a hook or a store
			answer, err = nil, fault(ReasonPanic, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
	}()
	req := &Request{Endpoint: e, Issuer: e.config.Issuer, Time: e.config.Now()}
	found, err := e.lookUp(ctx, token)
	if err == nil && found.kind != store.KindAccess {
		err = reject(InvalidGrant, ReasonNotAccessToken, notRedeemable)
	}
	if err == nil {
		err = e.checkHolders(ctx, req, found)
	}
	switch failure := asRefusal(err); {
	case err == nil:
		return found.describe(found.claims.Scopes, nil)
	case failure != nil:
		e.observeInactive(ctx, req, found, failure)
		return []byte(inactive), nil
	}
	return nil, err
}

// observeInactive tells why a token was refused in this process.
func (e *Endpoint) observeInactive(ctx context.Context, req *Request, found *issued, failure *Error) {
	event := Event{Endpoint: "introspection", Time: req.Time, Duration: e.config.Now().Sub(req.Time), Reason: failure.Reason, Err: failure}
	if found != nil {
		event.ClientID, event.TokenID, event.GrantID = found.claims.ClientID, found.claims.ID, found.claims.GrantID
	}
	e.observe(context.WithoutCancel(ctx), req, event)
}

// introspect is the introspection endpoint (RFC 7662 section 2).
func (e *Endpoint) introspect(ctx context.Context, req *Request) (*response, error) {
	if !req.Authenticated { // section 4: whoever scans for tokens is known
		return nil, reject(InvalidClient, ReasonUnauthenticated, authenticationFailed)
	}
	token := req.Form.Get("token")
	if token == "" {
		return nil, reject(InvalidRequest, ReasonMissingParameter, "token is missing")
	}
	found, err := e.lookUp(ctx, token)
	answer := &response{body: []byte(inactive)}
	if found != nil {
		answer.tokenID, answer.grantID = found.claims.ID, found.claims.GrantID
	}
	if err == nil && !isFor(req.Client, found) {
		err = reject(InvalidGrant, ReasonOtherClient, notRedeemable)
	}
	if err == nil {
		err = e.checkHolders(ctx, req, found)
	}
	if err != nil {
		failure := asRefusal(err)
		if failure == nil {
			return nil, err
		}
		answer.reason = failure.Reason
		return answer, nil
	}
	scopes, hidden, err := e.scopesFor(ctx, req.Client, found)
	if err != nil {
		return nil, err
	}
	answer.reason, answer.scopes = ReasonActive, scopes
	answer.body, err = found.describe(scopes, hidden)
	return answer, err
}

// asRefusal returns the error if it is a verdict on a token, nil if it is an outage.
func asRefusal(err error) *Error {
	var failure *Error
	if errors.As(err, &failure) && (failure.Code == InvalidGrant || failure.Code == InvalidClient) {
		return failure
	}
	return nil
}

// isFor: a client is told of its own tokens and, if it is an API, of those that it may be
// sent (RFC 7662 section 4).
func isFor(client *store.Client, found *issued) bool {
	if found.claims.ClientID == client.ID {
		return true
	}
	return found.kind == store.KindAccess && slices.ContainsFunc(found.claims.Audience, func(resource string) bool {
		return slices.Contains(client.ProtectedResources, resource)
	})
}

// scopesFor leaves out the scopes that are none of an API's business (RFC 7662 section
// 2.2), and returns the names of the claims that come with these alone.
func (e *Endpoint) scopesFor(ctx context.Context, client *store.Client, found *issued) (scopes, hidden []string, err error) {
	granted := found.claims.Scopes
	if found.claims.ClientID == client.ID || len(granted) == 0 {
		return granted, nil, nil
	}
	known, err := e.config.Scopes.Scopes(ctx, granted)
	if err != nil {
		return nil, nil, storeFailed("ScopeStore", err)
	}
	isOwn := lookup(client.ProtectedResources)
	var own, shown []string
	for i := range known {
		scope := &known[i]
		if isIdentity(scope) || !slices.ContainsFunc(resourcesOf(scope, e.config.Issuer), isOwn) {
			hidden = append(hidden, scope.Claims...)
			continue
		}
		own, shown = append(own, scope.Name), append(shown, scope.Claims...)
	}
	isOwnScope := lookup(own)
	scopes = slices.DeleteFunc(slices.Clone(granted), func(name string) bool { return !isOwnScope(name) })
	return scopes, slices.DeleteFunc(hidden, lookup(shown)), nil
}

// describe writes the members of RFC 7662 section 2.2, and every claim of the token.
func (i *issued) describe(scopes, hidden []string) ([]byte, error) {
	if i.kind == store.KindRefresh {
		return i.describeRefresh()
	}
	tokenType := "Bearer"
	if i.claims.JKT != "" {
		tokenType = "DPoP" // RFC 9449 section 6.2
	}
	all := i.claims.All // of a JWT, which may be none of the endpoint's own
	nothingHidden := len(scopes) == len(i.claims.Scopes) && !all.Has("active") && !all.Has("token_type")
	if nothingHidden && json.Valid(i.payload) {
		b := make([]byte, 0, len(i.payload)+48)
		b = append(append(append(b, `{"active":true,"token_type":"`...), tokenType...), `",`...)
		return append(b, bytes.TrimLeft(i.payload, " \t\r\n")[1:]...), nil
	}
	if all == nil {
		var err error
		if all, err = jose.ParseObject(i.payload); err != nil {
			return nil, fault(ReasonCorrupt, fmt.Errorf("the record %s of family %s: %w", i.record.Key.Hash, i.record.Key.Family, err))
		}
	}
	members := make(map[string]any, len(all)+2)
	for _, member := range all {
		if isReserved(member.Name, reservedClaims) || !slices.Contains(hidden, member.Name) {
			members[member.Name] = json.RawMessage(member.Value)
		}
	}
	// None is said to be none: whoever compares it with a JWT must see that they are gone.
	members["active"], members["token_type"], members["scope"] = true, tokenType, strings.Join(scopes, " ")
	return json.Marshal(members)
}

// describeRefresh says less: a refresh token has no claims of its own.
func (i *issued) describeRefresh() ([]byte, error) {
	c := i.claims
	members := map[string]any{
		"active": true, "iss": c.Issuer, "sub": c.Subject, "client_id": c.ClientID, "grant_id": c.GrantID,
		"exp": c.ExpiresAt.Unix(), "iat": c.IssuedAt.Unix(), "scope": strings.Join(c.Scopes, " "),
	}
	if bound := (store.Confirmation{JKT: c.JKT, X5T: c.X5T}); bound != (store.Confirmation{}) {
		members["cnf"] = bound
	}
	return json.Marshal(members)
}
