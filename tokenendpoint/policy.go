package tokenendpoint

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/grantor-go/grantor/store"
)

// applyUsers asks about the user, if there is one. What it leaves of the claims
// when the grant is first redeemed is kept.
func (e *Endpoint) applyUsers(ctx context.Context, req *Request, before *Token) (*Token, error) {
	if before.Grant.Subject == "" || e.config.Users == nil {
		return before, nil
	}
	token, err := e.applyHook(ctx, "Users", e.config.Users, req, before)
	switch {
	case err != nil:
		return nil, err
	case req.Client.FreshClaims: // what it says is not kept: a role that is taken away must not come back
	case token.isRefresh():
		token.UserClaims = before.UserClaims
	default:
		token.whole.UserClaims = token.UserClaims
	}
	return token, nil
}

func (e *Endpoint) applyPolicy(ctx context.Context, req *Request, before *Token) (*Token, error) {
	if e.config.Policy == nil {
		return before, nil
	}
	return e.applyHook(ctx, "Policy", e.config.Policy, req, before)
}

// applyHook lets the host narrow the token and holds it to that. The hook works on
// a copy, so that nothing of the client, the grant or the request is altered by
// it.
func (e *Endpoint) applyHook(ctx context.Context, name string, hook func(context.Context, *Request, *Token) error, req *Request, before *Token) (*Token, error) {
	token := before.clone()
	if err := hook(ctx, req, token); err != nil {
		return nil, err
	}
	token.Grant = before.Grant
	resources := before.Resources
	if resources == nil {
		resources = resourcesOfAll(req.allowed, before.Scopes, req.Issuer)
	}
	token.Lifetime = token.Lifetime.Truncate(time.Second)
	switch {
	case len(token.Scopes) == 0 || !within(token.Scopes, before.Scopes):
		return nil, hookFault(name, "Scopes")
	case !within(token.Resources, resources), len(token.Resources) == 0 && (before.Resources != nil || token.Resources != nil):
		return nil, hookFault(name, "Resources")
	case token.Lifetime < time.Second || token.Lifetime > before.Lifetime:
		return nil, hookFault(name, "Lifetime")
	}
	token.Resources = served(req, token.Scopes, token.Resources) // those whose last scope was taken go with it
	return token, dropUnservedScopes(req, token)
}

func hookFault(hook, field string) error {
	return fault(ReasonPolicyTooWide, fmt.Errorf("the hook Config.%s widened %s or left nothing; it may only take some away, and refuses by an error", hook, field))
}

// clone copies what a policy may alter.
func (t *Token) clone() *Token {
	c := *t
	c.Grant = cloneGrant(t.Grant)
	c.Scopes, c.Resources = slices.Clone(t.Scopes), slices.Clone(t.Resources)
	c.Claims, c.Members = maps.Clone(t.Claims), maps.Clone(t.Members)
	c.UserClaims = maps.Clone(t.UserClaims)
	if c.UserClaims == nil {
		c.UserClaims = make(map[string]any)
	}
	if c.Claims == nil {
		c.Claims = make(map[string]any)
	}
	if c.Members == nil {
		c.Members = make(Members)
	}
	return &c
}

func cloneGrant(g store.Grant) store.Grant {
	g.Scopes, g.Resources, g.AMR = slices.Clone(g.Scopes), slices.Clone(g.Resources), slices.Clone(g.AMR)
	g.Claims, g.UserClaims = maps.Clone(g.Claims), maps.Clone(g.UserClaims)
	return g
}
