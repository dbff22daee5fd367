package tokenendpoint

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/grantor-go/grantor/store"
)

// permit is step 3: the grant type exists and is the client's, and what was
// asked for is well formed and not beyond what the client may ever have. No
// credential of a user has been looked at yet.
func (e *Endpoint) permit(ctx context.Context, req *Request, grantType string) (GrantValidator, error) {
	if grantType == "" {
		return nil, reject(InvalidRequest, ReasonMissingGrantType, "grant_type is missing")
	}
	validator, ok := e.grants[grantType]
	if !ok {
		return nil, reject(UnsupportedGrantType, ReasonUnsupportedGrantType, "the grant type is not supported")
	}
	if !slices.Contains(req.Client.GrantTypes, grantType) {
		return nil, reject(UnauthorizedClient, ReasonGrantTypeNotAllowed, "the client may not use this grant type")
	}
	if err := e.permitScopes(ctx, req); err != nil {
		return nil, err
	}
	if err := permitResources(req); err != nil {
		return nil, err
	}
	return validator, parseACR(req)
}

func (e *Endpoint) permitScopes(ctx context.Context, req *Request) (err error) {
	if req.Scopes, err = parseScope(req.Form.Get("scope")); err != nil {
		return err
	}
	req.allowed, err = e.allowedScopes(ctx, req.Client, req.Scopes)
	return err
}

// allowedScopes returns all that a client may ever have, in the client's order,
// or why it may not have those that are asked for.
func (e *Endpoint) allowedScopes(ctx context.Context, client *store.Client, asked []string) ([]store.Scope, error) {
	registered := e.registeredScopes(client)
	if !within(asked, registered) {
		return nil, reject(InvalidScope, ReasonScopeNotAllowed, "a scope is unknown or not allowed to the client")
	}
	if len(registered) == 0 {
		return nil, nil
	}
	kept, err := e.config.Scopes.Scopes(ctx, registered)
	if err != nil {
		return nil, storeFailed("ScopeStore", err)
	}
	byName := make(map[string]*store.Scope, len(kept))
	for i := range kept {
		byName[kept[i].Name] = &kept[i]
	}
	for _, name := range asked {
		if byName[name] == nil {
			err := reject(InvalidScope, ReasonUnknownScope, "a scope is unknown or not allowed to the client")
			err.Cause = fmt.Errorf("client %q has scope %q, which the ScopeStore does not know", client.ID, name)
			return nil, err
		}
	}
	allowed := make([]store.Scope, 0, len(kept))
	for _, name := range registered {
		if scope := byName[name]; scope != nil {
			allowed = append(allowed, *scope)
		}
	}
	return allowed, nil
}

// registeredScopes reads the client's scopes. What is no scope-token is left
// out: it could not be asked for, and must not be given by default.
func (e *Endpoint) registeredScopes(client *store.Client) []string {
	registered := unique(strings.Fields(client.Scope))
	if i := slices.IndexFunc(registered, func(name string) bool { return !isScopeToken(name) }); i >= 0 {
		e.lint(LintScopeUnusable, client.ID, "client %q has scopes with characters that no scope may have (RFC 6749 section 3.3); they are ignored", client.ID)
		registered = slices.DeleteFunc(registered, func(name string) bool { return !isScopeToken(name) })
	}
	return registered
}

func permitResources(req *Request) (err error) {
	if req.Resources, err = parseResources(req.Form["resource"]); err != nil {
		return err
	}
	if req.Resources != nil && !within(req.Resources, resourcesOfAll(req.allowed, apiScopes(req.allowed), req.Issuer)) {
		return reject(InvalidTarget, ReasonResourceNotAllowed, "a resource is unknown or not allowed to the client")
	}
	return nil
}

var errMalformedACR = reject(InvalidRequest, ReasonMalformedACR, "acr_values is malformed")

// parseACR reads acr_values, of which tenant: and idp: mean something to hosts.
func parseACR(req *Request) error {
	value := req.Form.Get("acr_values")
	if value == "" {
		return nil
	}
	wishedIdP := false
	for word := range strings.SplitSeq(value, " ") {
		tenant, isTenant := strings.CutPrefix(word, "tenant:")
		idp, isIdP := strings.CutPrefix(word, "idp:")
		switch {
		case word == "":
		case strings.ContainsAny(word, "\t\r\n"):
			return errMalformedACR
		case isTenant && (tenant == "" || req.Tenant != ""), isIdP && (idp == "" || wishedIdP):
			return errMalformedACR // two wishes: no saying which one a check saw
		case isTenant:
			req.Tenant = tenant
		case isIdP:
			wishedIdP = true
			if slices.Contains(req.Client.IdentityProviders, idp) {
				req.IdP = idp
			}
		default:
			req.ACRValues = append(req.ACRValues, word)
		}
	}
	return nil
}
