package tokenendpoint

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/grantor-go/grantor/store"
)

// applyPolicy lets the host narrow the token and holds it to that. The policy
// works on a copy, so that nothing of the client, the grant or the request is
// altered by it.
func (e *Endpoint) applyPolicy(ctx context.Context, req *Request, before *Token) (*Token, error) {
	if e.config.Policy == nil {
		return before, nil
	}
	token := before.clone()
	if err := e.config.Policy(ctx, req, token); err != nil {
		return nil, err
	}
	token.Grant = before.Grant
	resources := before.Resources
	if resources == nil {
		resources = resourcesOfAll(req.allowed, before.Scopes, req.Issuer)
	}
	token.Lifetime = token.Lifetime.Truncate(time.Second)
	switch {
	case !within(token.Scopes, before.Scopes), !within(token.Resources, resources), token.Lifetime > before.Lifetime:
		return nil, fault(ReasonPolicyTooWide, errors.New("Config.Policy widened the token; it may only take away"))
	case len(token.Scopes) == 0, token.Lifetime < time.Second,
		len(token.Resources) == 0 && (before.Resources != nil || token.Resources != nil):
		return nil, fault(ReasonPolicyTooWide, errors.New("Config.Policy left no scope, resource or lifetime; to refuse, return an error"))
	}
	if token.Resources != nil { // those whose last scope the policy took go with it
		isServed := lookup(resourcesOfAll(req.allowed, token.Scopes, req.Issuer))
		token.Resources = slices.DeleteFunc(token.Resources, func(resource string) bool { return !isServed(resource) })
		if len(token.Resources) == 0 {
			return nil, reject(InvalidTarget, ReasonResourceNoScope, "a resource belongs to none of the scopes")
		}
	}
	return token, understood(req, token)
}

// clone copies what a policy may alter.
func (t *Token) clone() *Token {
	c := *t
	c.Grant = cloneGrant(t.Grant)
	c.Scopes, c.Resources = slices.Clone(t.Scopes), slices.Clone(t.Resources)
	c.Claims, c.Members = maps.Clone(t.Claims), maps.Clone(t.Members)
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
	g.Claims = maps.Clone(g.Claims)
	return g
}
