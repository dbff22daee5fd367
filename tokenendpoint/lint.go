package tokenendpoint

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Lint is something that the operator should change: it is legal, and against
// RFC 9700, or a mistake that is answered safely. Each is logged once, at Warn.
type Lint struct {
	Code    string // stable
	Message string // what to change, in a sentence
}

// The codes of lints.
const (
	LintInsecureIssuer    = "insecure_issuer"             // http beyond the loopback interface
	LintShortGrantType    = "short_grant_type"            // an extension grant type that is no URI
	LintSeveralAudiences  = "several_audiences"           // one token for several resources
	LintSecretUnusable    = "secret_unusable"             // a stored secret that cannot be read or costs too much
	LintReferenceHash     = "reference_hash"              // clients have slow secrets, Config.ReferenceHash is fast
	LintScopeUnusable     = "scope_unusable"              // a client's scope that is no scope-token
	LintLifetimeCut       = "lifetime_cut"                // tokens would outlive their key
	LintForwarded         = "forwarded_header"            // a proxy in front that Config.RemoteAddr does not know
	LintLegacyAudience    = "legacy_assertion_audience"   // a client's assertions may be for the token endpoint
	LintLegacyAssertionID = "legacy_assertion_without_id" // a client's assertions may have no jti
	LintTLSSubject        = "tls_client_auth_subject"     // a client of tls_client_auth without one name, or with several
	LintLegacyPKCE        = "legacy_pkce"                 // a client may have codes without PKCE, or with plain
	LintPassword          = "password_grant"              // applications see the passwords of users
	LintNoRemoteAddr      = "no_remote_addr"              // callers cannot be told apart
)

// maxLints bounds the lints that come up while serving.
const maxLints = 100

type lints struct {
	mu   sync.Mutex
	seen map[string]bool
	all  []Lint
}

// Lints returns what has come up so far, when the endpoint was made and while it
// served: the first hundred.
func (e *Endpoint) Lints() []Lint {
	e.lints.mu.Lock()
	defer e.lints.mu.Unlock()
	return slices.Clone(e.lints.all)
}

// lint notes something once for each code and subject.
func (e *Endpoint) lint(code, subject, format string, args ...any) {
	if lint, isNew := e.lints.add(code, subject, format, args); isNew {
		e.config.Logger.Warn(lint.Message, "lint", code)
	}
}

func (l *lints) add(code, subject, format string, args []any) (lint Lint, isNew bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := code + " " + subject
	if l.seen[key] || len(l.all) >= maxLints {
		return Lint{}, false
	}
	l.seen[key] = true
	lint = Lint{code, fmt.Sprintf(format, args...)}
	l.all = append(l.all, lint)
	return lint, true
}

// lintConfig notes what the Config allows and should not.
func (e *Endpoint) lintConfig() {
	if e.config.InsecureIssuer {
		e.lint(LintInsecureIssuer, "", "the issuer may be http: secrets and tokens travel in the clear; use https")
	}
	if e.grants["password"] != nil {
		e.lint(LintPassword, "", "the grant type password shows users' passwords to applications (RFC 9700 section 2.4); "+
			"move its clients to authorization_code or device_code, and take it out of Grants")
	}
	for _, grant := range e.config.Grants {
		if name := grant.GrantType(); !slices.Contains(builtIn, name) && !strings.Contains(name, ":") {
			e.lint(LintShortGrantType, name, "grant type %q is not an absolute URI, as RFC 6749 section 4.5 asks; "+
				"rename it to one of your own, such as urn:example:%s", name, name)
		}
	}
}

// builtIn are the grant types with a short name of their own (RFC 6749).
var builtIn = []string{"authorization_code", "client_credentials", "refresh_token", "password"}
