package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/grantor-go/grantor/internal/fetch"
	"github.com/grantor-go/grantor/internal/jose"
	"github.com/grantor-go/grantor/internal/proof"
	"github.com/grantor-go/grantor/store"
)

// authMethods are all that a client may authenticate by.
var authMethods = []store.AuthMethod{store.ClientSecretBasic, store.ClientSecretPost, store.PrivateKeyJWT, store.ClientSecretJWT,
	store.TLSClientAuth, store.SelfSignedTLSClientAuth, store.NoAuth}

// signingAlgs are those of private_key_jwt; secretOctets those of client_secret_jwt,
// each with the least that its secret must have (RFC 7518 section 3.2).
var (
	signingAlgs  = []string{"ES256", "ES384", "EdDSA", "Ed25519", "PS256", "RS256"}
	secretOctets = map[string]int{"HS256": 32, "HS384": 48, "HS512": 64}
)

func (c *configClient) checkMethods() error {
	methods := c.AuthMethods
	if c.TokenEndpointAuthMethod != "" {
		methods = append([]store.AuthMethod{c.TokenEndpointAuthMethod}, methods...)
	}
	for _, m := range methods {
		if !slices.Contains(authMethods, m) {
			return fmt.Errorf("authentication method %q is not one of client_secret_basic, client_secret_post, private_key_jwt, "+
				"client_secret_jwt, tls_client_auth, self_signed_tls_client_auth, none", m)
		}
	}
	return nil
}

// checkProofs holds what clients need that prove to have a key, or that compute with
// their secret.
func (c *configClient) checkProofs(client *store.Client, guard fetch.Guard) error {
	keys, err := c.checkKeys(client, guard)
	if err == nil {
		err = c.checkAlg(client, keys)
	}
	if err == nil {
		err = c.checkSubject(client)
	}
	return err
}

// checkKeys returns the keys of jwks.
func (c *configClient) checkKeys(client *store.Client, guard fetch.Guard) ([]jose.JWK, error) {
	needed := client.Allows(store.PrivateKeyJWT) || client.Allows(store.SelfSignedTLSClientAuth)
	switch {
	case len(c.JWKS) > 0 && c.JWKSURI != "":
		return nil, errors.New("jwks and jwks_uri are both there; remove one")
	case len(c.JWKS) == 0 && c.JWKSURI == "" && needed:
		return nil, errors.New("the client authenticates by its key and has none; add jwks, its public keys as a JWK Set, or jwks_uri")
	case c.JWKSURI != "":
		if err := guard.CheckURL(c.JWKSURI); err != nil {
			return nil, fmt.Errorf("jwks_uri %q: %w; give an https URL on the internet or, with -demo, http on this machine", c.JWKSURI, err)
		}
		return nil, nil
	case len(c.JWKS) == 0:
		return nil, nil
	}
	keys, err := jose.ParseJWKS(c.JWKS)
	switch {
	case err != nil:
		return nil, fmt.Errorf("jwks: %w; give the client's public keys alone", err)
	case len(keys) == 0:
		return nil, errors.New("jwks has no key of use; give a public one for ES256, ES384, EdDSA, PS256 or RS256")
	}
	return keys, nil
}

// checkAlg: by the algorithm that was registered, the client must be able to.
func (c *configClient) checkAlg(client *store.Client, keys []jose.JWK) error {
	alg := c.TokenEndpointAuthSigningAlg
	least, ofSecret := secretOctets[alg]
	signs, computes := client.Allows(store.PrivateKeyJWT), client.Allows(store.ClientSecretJWT)
	switch {
	case alg != "" && !ofSecret && !slices.Contains(signingAlgs, alg):
		return fmt.Errorf("token_endpoint_auth_signing_alg is %q; write ES256, ES384, EdDSA, Ed25519, PS256, RS256, HS256, HS384 or HS512, or leave it out", alg)
	case ofSecret && !computes:
		return fmt.Errorf("token_endpoint_auth_signing_alg is %q, which is for client_secret_jwt; leave it out, or allow that method", alg)
	case alg != "" && !ofSecret && !signs:
		return fmt.Errorf("token_endpoint_auth_signing_alg is %q, which is for private_key_jwt; leave it out, or allow that method", alg)
	case signs && !ofSecret && alg != "" && len(keys) > 0 && !slices.ContainsFunc(keys, func(k jose.JWK) bool { return k.Fits(alg) }):
		return fmt.Errorf("token_endpoint_auth_signing_alg is %q, and no key of jwks is for it; add one, or leave it out", alg)
	}
	if !computes || alg != "" && !ofSecret {
		return nil
	}
	if least == 0 {
		alg, least = "HS256", secretOctets["HS256"]
	}
	if !slices.ContainsFunc(c.Secrets, func(s configSecret) bool { return len(s.Value) >= least }) {
		return fmt.Errorf("client_secrets has none that client_secret_jwt could use by %s; add one as value, not hash, of at least %d octets", alg, least)
	}
	return nil
}

// checkSubject: exactly one of tls_client_auth_subject_dn, and so on.
func (c *configClient) checkSubject(client *store.Client) error {
	subject := proof.Subject{DN: c.TLSSubjectDN, DNS: c.TLSSANDNS, URI: c.TLSSANURI, IP: c.TLSSANIP, Email: c.TLSSANEmail}
	if subject == (proof.Subject{}) && !client.Allows(store.TLSClientAuth) {
		return nil
	}
	if err := subject.Check(); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "proof: ") + "; see RFC 8705 section 2.1.2")
	}
	return nil
}
