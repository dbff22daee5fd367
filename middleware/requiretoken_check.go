package middleware

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/grantor-go/grantor/internal/fetch"
)

const maxLeeway = 5 * time.Minute

// Check returns all that is wrong with the fields, each with the remedy, in one error;
// nil if nothing is. Call it at the start of the program: a guard that is not right
// refuses every request.
func (g *RequireToken) Check() error {
	problems := []error{
		g.checkIssuer(),
		g.checkResource(),
		g.checkBaseURL(),
		checkNetworks(g.InsecureNetworks),
	}
	problem := func(wrong bool, field, format string, args ...any) {
		if wrong {
			problems = append(problems, fieldError(field, format, args...))
		}
	}
	problem(checkScopes(g.Scopes) != nil, "Scopes", "%w", checkScopes(g.Scopes))
	problem(checkScopes(g.ScopesSupported) != nil, "ScopesSupported", "%w", checkScopes(g.ScopesSupported))
	problem(g.IntrospectJWT && g.Introspect == nil, "IntrospectJWT", " is set and Introspect, which would be asked, is missing; set both or neither")
	problem(g.RequireBound && g.Replays == nil && g.ClientCertificate == nil, "RequireBound",
		" is set and no token could prove what it is bound to; set Replays for DPoP, or ClientCertificate")
	problem(g.DPoPNonce && g.Replays == nil, "DPoPNonce", " is set and DPoP is off; set Replays too")
	problem(g.DPoPNonceKey != nil && len(g.DPoPNonceKey) != 32, "DPoPNonceKey",
		" has %d bytes; set 32 random ones, or leave it nil", len(g.DPoPNonceKey))
	problem(g.Leeway < 0 || g.Leeway > maxLeeway, "Leeway", " is %v; leave it zero for %v, or set it to %v at most", g.Leeway, defaultLeeway, maxLeeway)
	return errors.Join(problems...)
}

// checkIssuer holds RFC 8414 section 2, and whether the issuer may be reached at all if
// it must be.
func (g *RequireToken) checkIssuer() error {
	u, ok := parseHTTP(g.Issuer)
	switch {
	case g.Issuer == "":
		return fieldError("Issuer", ` is empty; set it to the iss of the tokens, such as "https://shop.example"`)
	case !ok || u.RawQuery != "" || u.ForceQuery:
		return fieldError("Issuer", " %q is not an https URL of scheme, host and path; write it as the iss of the tokens is written", g.Issuer)
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return fieldError("Issuer", " %q is not https; use https, or a loopback host for development", g.Issuer)
	}
	if g.JWKS == nil {
		if err := (fetch.Guard{Inside: g.InsecureNetworks}).CheckURL(g.Issuer); err != nil {
			return fieldError("Issuer", " %q may not be asked for its keys (%w); set JWKS, or name its network in InsecureNetworks", g.Issuer, err)
		}
	}
	return nil
}

func (g *RequireToken) checkResource() error {
	u, err := url.Parse(g.Resource)
	_, isHTTP := parseHTTP(g.Resource)
	switch {
	case g.Resource == "":
		return fieldError("Resource", ` is empty; set it to the aud of the API's tokens, such as "https://api.example"`)
	case err != nil || !u.IsAbs() || !isPlain(g.Resource) || strings.Contains(g.Resource, "#") || !isHTTP && (u.Scheme == "http" || u.Scheme == "https"):
		return fieldError("Resource", ` %q is not an absolute URI without a fragment, a user, spaces and quotes, such as "https://api.example"; a Scope at the issuer needs the same in Resources`, g.Resource)
	}
	return nil
}

func (g *RequireToken) checkBaseURL() error {
	u, ok := parseHTTP(g.BaseURL)
	switch {
	case g.BaseURL == "" && g.Replays != nil && origin(g.Resource) == "":
		return fieldError("BaseURL", " is empty, and Resource %q has no host that DPoP proofs could be for; set it to the URL of the API", g.Resource)
	case g.BaseURL != "" && (!ok || u.RawQuery != "" || u.ForceQuery):
		return fieldError("BaseURL", ` %q is not an http or https URL of scheme, host and path, such as "https://api.example"`, g.BaseURL)
	}
	return nil
}

func checkScopes(scopes []string) error {
	for _, scope := range scopes {
		if !isPlain(scope) {
			return fmt.Errorf(" has %q, which is not a scope: printable ASCII without spaces, quotes and backslashes", scope)
		}
	}
	return nil
}

func checkNetworks(networks []netip.Prefix) error {
	for i, network := range networks {
		if !network.IsValid() || network.Addr().Is4In6() {
			return fieldError("InsecureNetworks", "[%d] %v matches nothing; write it with netip.MustParsePrefix, IPv4 like %q", i, network, "10.0.0.0/8")
		}
	}
	return nil
}

// parseHTTP reads an http or https URL with a host and neither user nor fragment, in
// the form that is compared.
func parseHTTP(raw string) (*url.URL, bool) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || !isPlain(raw) || strings.Contains(raw, "#") || u.String() != raw {
		return nil, false
	}
	return u, true
}

// isPlain reports whether a text is printable ASCII without spaces that may stand in a
// quoted-string as it is: a scope-token (RFC 6749 section 3.3) is nothing else.
func isPlain(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' })
}

// origin returns scheme and host of an http URL, empty if it is none.
func origin(raw string) string {
	u, ok := parseHTTP(raw)
	if !ok {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

func fieldError(field, format string, args ...any) error {
	return fmt.Errorf("middleware: RequireToken.%s%w", field, fmt.Errorf(format, args...))
}
