package tokenendpoint

import (
	"fmt"
	"slices"
	"time"

	"github.com/grantor-go/grantor/store"
)

// Token is an access token that is about to be signed: what Config.Users and
// Config.Policy may narrow. They replace the values of maps and do not alter what
// those hold. Whether a refresh token comes with it hangs on the grant and not on
// the scopes of the token.
type Token struct {
	// Grant is what the token is issued for. Altering it has no effect.
	Grant store.Grant

	// Scopes are the token's scopes. Policy may take some away, not all.
	Scopes []string

	// Resources become the audience. Nil means those that the scopes belong to.
	// Policy may take some away.
	Resources []string

	// Lifetime may be shortened by Policy, to a second or more; fractions of a
	// second are cut off.
	Lifetime time.Duration

	// UserClaims are about the user: each token gets those that its scopes give
	// access to (store.Scope.Claims). Users and Policy may add to them and change
	// them. Without store.Client.FreshClaims what Users leaves of them when the
	// grant is first redeemed is kept for later refreshes; with it Users starts each
	// time from those that the grant was made with.
	UserClaims map[string]any

	// Claims are added to the access token, Members to the response. Policy may
	// add to them and change them. Names that the endpoint writes itself fail the
	// request as a server_error: see Result for members; for claims they are
	// iss, sub, aud, exp, nbf, iat, jti, client_id, scope, auth_time, acr, amr,
	// cnf, grant_id, active and token_type.
	Claims  map[string]any
	Members Members

	idClaims    map[string]any
	whole       store.Grant   // what is kept: Grant with the scopes that the client lost since
	spend, keep *store.Record // of which one is set at most
}

// isRefresh reports whether a refresh token is redeemed, so that the token is not
// the first of its grant.
func (t *Token) isRefresh() bool {
	return t.keep != nil || t.spend != nil && t.spend.Kind == store.KindRefresh
}

// settle turns what the validator granted and what was asked for into the token
// to be: it can be narrower than the grant, and never wider than what the client
// may have.
func (e *Endpoint) settle(req *Request, result *Result) (*Token, error) {
	if result == nil {
		return nil, fault(ReasonNoValidatorResult, fmt.Errorf("the validator of %q returned neither a result nor an error", req.GrantType))
	}
	token := &Token{Grant: result.Grant, Members: result.Members, idClaims: result.IDTokenClaims, spend: result.Spend, keep: result.Keep}
	token.Grant.Issuer, token.Grant.ClientID = req.Issuer, req.Client.ID
	token.Grant.Confirmation = store.Confirmation{}
	if err := settleRedeemed(req, result, token); err != nil {
		return nil, err
	}
	if err := checkSubject(req.Client, token.Grant.Subject); err != nil {
		return nil, err
	}
	if err := settleScopes(req, result, token); err != nil {
		return nil, err
	}
	if err := settleResources(req, result, token); err != nil {
		return nil, err
	}
	if err := dropUnservedScopes(req, token); err != nil {
		return nil, err
	}
	switch lifetime := req.Client.AccessTokenLifetime; {
	case lifetime == 0:
		token.Lifetime = e.config.AccessTokenLifetime
	case lifetime >= time.Second:
		token.Lifetime = lifetime.Truncate(time.Second)
	default:
		return nil, fault(ReasonLifetime, fmt.Errorf("AccessTokenLifetime of client %q is %v, less than a second", req.Client.ID, lifetime))
	}
	if token.whole.Issuer == "" {
		token.whole = token.Grant
	}
	settleBinding(req, token)
	token.UserClaims = token.Grant.UserClaims
	token.Claims = req.Client.Claims
	if len(token.Grant.Claims) > 0 {
		token.Claims = merged(req.Client.Claims, token.Grant.Claims)
	}
	return token, nil
}

// settleRedeemed takes the grant of the record that is redeemed. What the client
// may no longer have is left out of the token, and stays in what is kept.
func settleRedeemed(req *Request, result *Result, token *Token) error {
	record := result.Spend
	if record == nil {
		record = result.Keep
	}
	switch {
	case record == nil:
		return nil
	case !record.SpentAt.IsZero():
		return reject(InvalidGrant, ReasonReused, notRedeemable)
	case result.Spend != nil && result.Keep != nil, result.Keep != nil && result.Keep.Kind != store.KindRefresh,
		record.State != "" && record.State != store.StateApproved, req.redeemable(record) == nil, !isZero(&result.Grant):
		return fault(ReasonGrantTooWide, fmt.Errorf("the validator of %q returned a record that Find did not return or that no user approved, two, one to keep that is no refresh token, or a Grant beside one", req.GrantType))
	}
	token.whole, token.Grant = *record.Grant, *record.Grant
	grant, isAllowed := &token.Grant, lookup(allScopes(req.allowed))
	grant.Scopes = slices.DeleteFunc(slices.Clone(grant.Scopes), func(name string) bool { return !isAllowed(name) })
	if grant.Resources != nil {
		isAllowed = lookup(resourcesOfAll(req.allowed, apiScopes(req.allowed), req.Issuer))
		grant.Resources = slices.DeleteFunc(slices.Clone(grant.Resources), func(name string) bool { return !isAllowed(name) })
	}
	if len(grant.Scopes) == 0 || grant.Resources != nil && len(grant.Resources) == 0 {
		return reject(InvalidGrant, ReasonNoScope, "the client has lost everything that was granted")
	}
	return nil
}

// settleBinding binds the refresh token that may come of it, where whoever comes with it
// need not authenticate (RFC 9449 section 5, RFC 8705 section 4); a client that does may
// change its key. One that is bound stays so.
func settleBinding(req *Request, token *Token) {
	if !token.isRefresh() {
		token.whole.Confirmation = store.Confirmation{}
	}
	isNew := !token.isRefresh() || token.spend != nil
	if isNew && token.whole.Confirmation == (store.Confirmation{}) && (!req.Authenticated || req.Client.Allows(store.NoAuth)) {
		token.whole.Confirmation = req.proven
	}
}

func isZero(g *store.Grant) bool {
	return g.Issuer == "" && g.ClientID == "" && g.Subject == "" && g.Scopes == nil && g.Resources == nil && g.AuthTime.IsZero() &&
		g.ACR == "" && g.AMR == nil && g.Session == "" && g.Nonce == "" && g.Confirmation == store.Confirmation{} && g.Claims == nil && g.UserClaims == nil
}

// settleScopes fills in the scopes that the result does not name and checks those
// that it does: what the validator says is wrong is its fault, what the client
// asked for in vain is the client's.
func settleScopes(req *Request, result *Result, token *Token) error {
	grant := &token.Grant
	if grant.Scopes == nil {
		if grant.Scopes = req.Scopes; grant.Scopes == nil {
			grant.Scopes = apiScopes(req.allowed)
		}
		if len(grant.Scopes) == 0 {
			return reject(InvalidScope, ReasonNoScope, "no scope was asked for and the client has none by default")
		}
	}
	if len(grant.Scopes) == 0 || !within(grant.Scopes, allScopes(req.allowed)) {
		return tooWide(req, "Grant.Scopes", "the client's scopes")
	}
	isGranted := lookup(grant.Scopes)
	for i := range req.allowed {
		if grant.Subject == "" && isIdentity(&req.allowed[i]) && isGranted(req.allowed[i].Name) {
			return reject(InvalidScope, ReasonIdentityScope, "a scope needs a user")
		}
	}
	switch {
	case result.Scopes != nil:
		token.Scopes = unique(result.Scopes)
		if len(token.Scopes) == 0 || !within(token.Scopes, grant.Scopes) {
			return tooWide(req, "Scopes", "its Grant's")
		}
	case req.Scopes != nil:
		token.Scopes = req.Scopes
		if !within(token.Scopes, grant.Scopes) {
			return reject(InvalidScope, ReasonScopeNotGranted, "a scope was not granted")
		}
	default:
		token.Scopes = unique(grant.Scopes)
	}
	return nil
}

// settleResources does the same for resources; nil stays nil and means those that
// the scopes belong to.
func settleResources(req *Request, result *Result, token *Token) error {
	allowed := resourcesOfAll(req.allowed, apiScopes(req.allowed), req.Issuer)
	granted := token.Grant.Resources
	if granted == nil {
		granted = allowed
	} else if len(granted) == 0 || !within(granted, allowed) {
		return tooWide(req, "Grant.Resources", "the client's resources")
	}
	switch {
	case result.Resources != nil:
		token.Resources = unique(result.Resources)
		if len(token.Resources) == 0 || !within(token.Resources, granted) {
			return tooWide(req, "Resources", "its Grant's")
		}
	case req.Resources != nil:
		token.Resources = req.Resources
		if !within(token.Resources, granted) {
			return reject(InvalidTarget, ReasonResourceNotGranted, "a resource was not granted")
		}
	default:
		token.Resources = served(req, token.Scopes, unique(token.Grant.Resources))
		if len(token.Resources) == 0 && !anyAPI(req.allowed, token.Scopes) { // scopes about the user alone: for the issuer
			token.Resources = nil
		}
	}
	return nil
}

// served leaves out the resources that none of the scopes belongs to.
func served(req *Request, scopes, resources []string) []string {
	if resources == nil {
		return nil
	}
	isServed := lookup(resourcesOfAll(req.allowed, scopes, req.Issuer))
	return slices.DeleteFunc(slices.Clone(resources), func(resource string) bool { return !isServed(resource) })
}

// tooWide blames the validator. Empty is wrong too: nil is how to say nothing.
func tooWide(req *Request, field, limit string) error {
	return fault(ReasonGrantTooWide, fmt.Errorf("the validator of %q returned %s that are empty or not within %s", req.GrantType, field, limit))
}

// dropUnservedScopes drops the scopes that no resource of the token understands
// (RFC 8707 section 2.2). A resource that is left without any is refused: the
// token would be of no use there.
func dropUnservedScopes(req *Request, token *Token) error {
	if token.Resources == nil {
		return nil
	}
	if len(token.Resources) == 0 || !within(token.Resources, resourcesOfAll(req.allowed, token.Scopes, req.Issuer)) {
		return reject(InvalidTarget, ReasonResourceNoScope, "a resource belongs to none of the scopes")
	}
	var scopes []string
	isAsked, isTarget := lookup(token.Scopes), lookup(token.Resources)
	for i := range req.allowed {
		scope := &req.allowed[i]
		if isAsked(scope.Name) && (isIdentity(scope) || slices.ContainsFunc(resourcesOf(scope, req.Issuer), isTarget)) {
			scopes = append(scopes, scope.Name)
		}
	}
	token.Scopes = scopes
	return nil
}
