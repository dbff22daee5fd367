package tokenendpoint

import (
	"context"
	"fmt"
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
	case len(token.Scopes) == 0 || !within(token.Scopes, before.Scopes):
		return nil, policyFault("Scopes")
	case !within(token.Resources, resources), len(token.Resources) == 0 && (before.Resources != nil || token.Resources != nil):
		return nil, policyFault("Resources")
	case token.Lifetime < time.Second || token.Lifetime > before.Lifetime:
		return nil, policyFault("Lifetime")
	}
	if token.Resources != nil { // those whose last scope the policy took go with it
		isServed := lookup(resourcesOfAll(req.allowed, token.Scopes, req.Issuer))
		token.Resources = slices.DeleteFunc(token.Resources, func(resource string) bool { return !isServed(resource) })
	}
	return token, dropUnservedScopes(req, token)
}

func policyFault(field string) error {
	return fault(ReasonPolicyTooWide, fmt.Errorf("Config.Policy widened %s or left nothing; it may only take some away, and refuses by an error", field))
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
