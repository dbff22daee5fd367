package middleware_test

import (
	"crypto/x509"
	"errors"
	"slices"
	"testing"
)

// A token is good with exactly what it is bound to. Proves 8705-3-02, 9449-4.3-13,
// 9449-7.1-01 and 9449-7.2-01.
func TestBindings(t *testing.T) {
	const (
		granted     = "204 granted"
		scheme      = "401 invalid_token token_scheme"
		unknown     = "401 invalid_token confirmation_unknown"
		unbound     = "401 invalid_token token_unbound"
		noCert      = "401 invalid_token certificate"
		noProof     = "401 invalid_dpop_proof dpop_absent"
		otherKey    = "401 invalid_token dpop_key"
		dpopIsOther = "401 token_absent"
	)
	bindings := map[string][]string{ // the members of cnf
		"nothing": nil, "a key": {"jkt"}, "a certificate": {"x5t#S256"}, "both": {"jkt", "x5t#S256"},
		"something unknown": {"kid"}, "a key and something unknown": {"jkt", "kid"}, "an empty cnf": {},
	}
	callers := map[string]struct{ scheme, proof, cert string }{
		"Bearer alone":                         {"Bearer", "", ""},
		"Bearer and proof":                     {"Bearer", "its", ""},
		"Bearer and certificate":               {"Bearer", "", "its"},
		"Bearer and another's certificate":     {"Bearer", "", "another"},
		"Bearer, proof and certificate":        {"Bearer", "its", "its"},
		"DPoP without a proof":                 {"DPoP", "", ""},
		"DPoP and proof":                       {"DPoP", "its", ""},
		"DPoP and another's proof":             {"DPoP", "another", ""},
		"DPoP and certificate":                 {"DPoP", "", "its"},
		"DPoP, proof and certificate":          {"DPoP", "its", "its"},
		"DPoP, proof and another's":            {"DPoP", "its", "another"},
		"DPoP, another's proof and the right":  {"DPoP", "another", "its"},
		"DPoP, proof and unreadable":           {"DPoP", "its", "unreadable"},
		"Bearer and an unreadable certificate": {"Bearer", "", "unreadable"},
	}
	// want says what the rules make of one case; the order is that of the guard.
	want := func(cnf []string, caller struct{ scheme, proof, cert string }, dpop, certs, required bool) string {
		jkt, x5t := slices.Contains(cnf, "jkt"), slices.Contains(cnf, "x5t#S256")
		switch {
		case caller.scheme == "DPoP" && !dpop:
			return dpopIsOther
		case cnf != nil && !jkt && !x5t:
			return unknown
		case jkt && caller.scheme == "Bearer", !jkt && caller.scheme == "DPoP":
			return scheme
		case cnf == nil && required:
			return unbound
		case x5t && !certs:
			return unknown
		case x5t && caller.cert != "its":
			return noCert
		case jkt && caller.proof == "":
			return noProof
		case jkt && caller.proof == "another":
			return otherKey
		}
		return granted
	}
	cert, thumbprint := certificate(t)
	another, _ := certificate(t)
	for binding, members := range bindings {
		for name, caller := range callers {
			for _, set := range []struct{ dpop, certs, required bool }{
				{true, true, false}, {true, true, true}, {false, true, false}, {false, true, true}, {true, false, true}, {true, false, false}, {false, false, false},
			} {
				g := newGate(t, func(g *gate) {
					g.guard.RequireBound = set.required
					if set.dpop {
						withDPoP(g)
					}
					if set.certs {
						found := map[string]*x509.Certificate{"its": cert, "another": another}[caller.cert]
						var err error
						if caller.cert == "unreadable" {
							err = errors.New("unreadable")
						}
						withCertificate(found, err)(g)
					}
				})
				p := newProver(g)
				var cnf object
				if members != nil {
					cnf = object{}
				}
				for _, member := range members {
					cnf[member] = map[string]string{"jkt": p.jkt(), "x5t#S256": thumbprint, "kid": "k"}[member]
				}
				claims := object{}
				if cnf != nil {
					claims["cnf"] = cnf
				}
				token := g.token(claims)
				fields := []string{"Authorization", caller.scheme + " " + token}
				switch caller.proof {
				case "its":
					fields = append(fields, "DPoP", p.proof(token, nil, nil))
				case "another":
					fields = append(fields, "DPoP", newProver(g).proof(token, nil, nil))
				}
				w := g.get(fields...)
				expected := want(members, caller, set.dpop, set.certs, set.required)
				if got := g.refusedAs(w); got != expected {
					t.Errorf("bound to %s, %s, %+v: got %q, want %q", binding, name, set, got, expected)
				}
			}
		}
	}
}
