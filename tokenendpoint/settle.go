package tokenendpoint

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/grantor-go/grantor/store"
)

// Token is an access token that is about to be signed: what Config.Policy may
// narrow.
type Token struct {
	// Grant is what the token is issued for. Altering it has no effect.
	Grant store.Grant

	// Scopes are the token's scopes. Policy may take some away, not all.
	Scopes []string

	// Resources become the audience. Nil means those that the scopes belong to.
	// Policy may take some away.
	Resources []string

	// Lifetime is in whole seconds. Policy may shorten it to one second or more.
	Lifetime time.Duration

	// Claims are added to the token, Members to the response. Policy may add to
	// them and change them. Names that the endpoint writes itself fail the
	// request as a server_error: see Result for members; for claims they are
	// iss, sub, aud, exp, nbf, iat, jti, client_id, scope, auth_time, acr, amr
	// and cnf.
	Claims  map[string]any
	Members Members
}

// settle turns what the validator granted and what was asked for into the token
// to be: it can be narrower than the grant, and never wider than what the client
// may have.
func (e *Endpoint) settle(req *Request, result *Result) (*Token, error) {
	if result == nil {
		return nil, fault(ReasonNoValidatorResult, fmt.Errorf("the validator of %q returned neither a result nor an error", req.GrantType))
	}
	grant := result.Grant
	if err := settleScopes(req, &grant); err != nil {
		return nil, err
	}
	token := &Token{Grant: grant, Scopes: result.Scopes, Resources: result.Resources, Members: result.Members}
	if token.Scopes == nil {
		if token.Scopes = req.Scopes; token.Scopes == nil {
			token.Scopes = grant.Scopes
		}
	}
	if len(token.Scopes) == 0 || !within(token.Scopes, grant.Scopes) {
		return nil, reject(InvalidScope, ReasonScopeNotGranted, "a scope was not granted")
	}
	if token.Resources == nil {
		if token.Resources = req.Resources; token.Resources == nil {
			token.Resources = grant.Resources
		}
	}
	if grant.Resources != nil && !within(token.Resources, grant.Resources) {
		return nil, reject(InvalidTarget, ReasonResourceNoScope, "a resource was not granted")
	}
	if err := settleResources(req, token); err != nil {
		return nil, err
	}
	token.Lifetime = req.Client.AccessTokenLifetime.Truncate(time.Second)
	if token.Lifetime <= 0 {
		token.Lifetime = e.config.AccessTokenLifetime
	}
	token.Claims = req.Client.Claims
	if len(grant.Claims) > 0 {
		token.Claims = maps.Clone(token.Claims)
		if token.Claims == nil {
			token.Claims = make(map[string]any, len(grant.Claims))
		}
		maps.Copy(token.Claims, grant.Claims)
	}
	return token, nil
}

// settleScopes fills in the scopes of a grant that names none, and checks those
// that it names.
func settleScopes(req *Request, grant *store.Grant) error {
	if grant.Scopes == nil {
		if grant.Scopes = req.Scopes; grant.Scopes == nil {
			grant.Scopes = apiScopes(req.allowed)
		}
	}
	if len(grant.Scopes) == 0 {
		return reject(InvalidScope, ReasonNoScope, "no scope was asked for and the client has none by default")
	}
	for _, name := range grant.Scopes {
		i := slices.IndexFunc(req.allowed, func(s store.Scope) bool { return s.Name == name })
		if i < 0 {
			return fault(ReasonGrantTooWide, fmt.Errorf("the validator of %q granted a scope that is not the client's", req.GrantType))
		}
		if grant.Subject == "" && isIdentity(&req.allowed[i]) {
			return reject(InvalidScope, ReasonIdentityScope, "a scope needs a user")
		}
	}
	return nil
}

// settleResources drops the scopes that no resource of the token understands
// (RFC 8707 section 2.2). A resource that is left without any is refused: the
// token would be of no use there.
func settleResources(req *Request, token *Token) error {
	if len(token.Resources) == 0 {
		token.Resources = nil
		return nil
	}
	if !within(token.Resources, resourcesOfAll(req.allowed, token.Scopes, req.Issuer)) {
		return reject(InvalidTarget, ReasonResourceNoScope, "a resource belongs to none of the scopes")
	}
	var scopes []string
	for i := range req.allowed {
		scope := &req.allowed[i]
		if slices.Contains(token.Scopes, scope.Name) && (isIdentity(scope) || slices.ContainsFunc(resourcesOf(scope, req.Issuer),
			func(resource string) bool { return slices.Contains(token.Resources, resource) })) {
			scopes = append(scopes, scope.Name)
		}
	}
	token.Scopes = scopes
	return nil
}

// applyPolicy lets the host narrow the token and holds it to that.
func (e *Endpoint) applyPolicy(ctx context.Context, req *Request, token *Token) error {
	if e.config.Policy == nil {
		return nil
	}
	before := *token
	token.Scopes, token.Resources = slices.Clone(token.Scopes), slices.Clone(token.Resources)
	token.Claims, token.Members = maps.Clone(token.Claims), maps.Clone(token.Members)
	if token.Claims == nil {
		token.Claims = make(map[string]any)
	}
	if token.Members == nil {
		token.Members = make(Members)
	}
	if err := e.config.Policy(ctx, req, token); err != nil {
		return err
	}
	token.Grant = before.Grant
	token.Lifetime = token.Lifetime.Truncate(time.Second)
	switch {
	case !within(token.Scopes, before.Scopes), before.Resources != nil && !within(token.Resources, before.Resources),
		before.Resources != nil && len(token.Resources) == 0, token.Lifetime > before.Lifetime:
		return fault(ReasonPolicyTooWide, errors.New("Config.Policy widened the token; it may only take away"))
	case len(token.Scopes) == 0, token.Lifetime < time.Second:
		return fault(ReasonPolicyTooWide, errors.New("Config.Policy left no scope or no lifetime; to refuse, return an error"))
	}
	understood := resourcesOfAll(req.allowed, token.Scopes, req.Issuer)
	token.Resources = slices.DeleteFunc(token.Resources, func(resource string) bool {
		return slices.Contains(before.Resources, resource) && !slices.Contains(understood, resource)
	})
	return settleResources(req, token)
}
