package tokenendpoint

import (
	"net/url"
	"slices"
	"strings"

	"github.com/grantor-go/grantor/store"
)

const (
	openID        = "openid"         // asks for an ID token (OpenID Connect Core section 3.1.2.1)
	offlineAccess = "offline_access" // asks for a refresh token (section 11)
)

var errMalformedScope = reject(InvalidScope, ReasonMalformedScope, "the scope is malformed")

// parseScope reads a scope parameter (RFC 6749 section 3.3) without repetition.
// Several spaces count as one. An empty value is nil: nothing was asked for.
func parseScope(value string) ([]string, error) {
	if value == "" {
		return nil, nil
	}
	var names []string
	for name := range strings.SplitSeq(value, " ") {
		if name == "" {
			continue
		}
		if !isScopeToken(name) {
			return nil, errMalformedScope
		}
		names = append(names, name)
	}
	if names == nil {
		return nil, errMalformedScope
	}
	return unique(names), nil
}

// isScopeToken reports whether s is a scope-token: NQCHAR, at least one.
func isScopeToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= 0x20 || c == '"' || c == '\\' || c > 0x7e {
			return false
		}
	}
	return s != ""
}

// parseResources reads resource parameters without repetition: absolute URIs
// without a fragment (RFC 8707 section 2).
func parseResources(values []string) ([]string, error) {
	for _, value := range values {
		u, err := url.Parse(value)
		if err != nil || !u.IsAbs() || strings.Contains(value, "#") || !isVSCHAR(value) || strings.Contains(value, " ") {
			return nil, reject(InvalidTarget, ReasonMalformedResource, "a resource is not an absolute URI without a fragment")
		}
	}
	return unique(values), nil
}

// isIdentity reports whether a scope is about a user, so that there must be one.
func isIdentity(s *store.Scope) bool {
	return s.Identity || s.Name == openID || s.Name == offlineAccess
}

func allScopes(scopes []store.Scope) []string {
	names := make([]string, len(scopes))
	for i := range scopes {
		names[i] = scopes[i].Name
	}
	return names
}

// apiScopes returns the names of all scopes that are not about a user.
func apiScopes(scopes []store.Scope) []string {
	var names []string
	for i := range scopes {
		if !isIdentity(&scopes[i]) {
			names = append(names, scopes[i].Name)
		}
	}
	return names
}

// anyAPI reports whether one of names is a scope that is not about a user.
func anyAPI(scopes []store.Scope, names []string) bool {
	isNamed := lookup(names)
	return slices.ContainsFunc(scopes, func(s store.Scope) bool { return !isIdentity(&s) && isNamed(s.Name) })
}

// resourcesOf returns the resources that understand a scope: its own or, if it
// has none, the issuer.
func resourcesOf(s *store.Scope, issuer string) []string {
	if len(s.Resources) > 0 {
		return s.Resources
	}
	return []string{issuer}
}

// resourcesOfAll is the union over the API scopes among names, in the order of
// the scopes; the issuer if there is none, so never empty.
func resourcesOfAll(scopes []store.Scope, names []string, issuer string) []string {
	var all []string
	isNamed := lookup(names)
	for i := range scopes {
		if !isIdentity(&scopes[i]) && isNamed(scopes[i].Name) {
			all = append(all, resourcesOf(&scopes[i], issuer)...)
		}
	}
	if all == nil {
		return []string{issuer}
	}
	return unique(all)
}
