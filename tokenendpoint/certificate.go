package tokenendpoint

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"

	"github.com/grantor-go/grantor/internal/clientkeys"
	"github.com/grantor-go/grantor/internal/jose"
	"github.com/grantor-go/grantor/internal/proof"
	"github.com/grantor-go/grantor/store"
)

// certificate is that of the caller's TLS connection: it proves a key, and its names
// only if somebody has verified who issued it.
type certificate struct {
	*x509.Certificate
	verified bool
}

// takeCertificate reads the certificate, if certificates count at all.
func (e *Endpoint) takeCertificate(r *http.Request, req *Request) error {
	if e.config.ClientCertificate == nil {
		return nil
	}
	cert, verified, err := e.config.ClientCertificate(r)
	if err != nil {
		refusal := reject(InvalidRequest, ReasonCertificate, "the client certificate cannot be read")
		refusal.Cause = err
		return refusal
	}
	req.certificate = certificate{cert, verified && cert != nil}
	return nil
}

// certificateMethod is the method of a request without any other credentials: that of
// its certificate, if the client has one.
func certificateMethod(client *store.Client, cert certificate) store.AuthMethod {
	switch {
	case cert.Certificate == nil:
		return store.NoAuth
	case client.Allows(store.SelfSignedTLSClientAuth) && !(cert.verified && client.Allows(store.TLSClientAuth)):
		return store.SelfSignedTLSClientAuth
	case client.Allows(store.TLSClientAuth):
		return store.TLSClientAuth
	}
	return store.NoAuth
}

// checkCertificate holds RFC 8705 section 2: the client comes first, and then its
// certificate, so that two whose certificates match alike are kept apart.
func (e *Endpoint) checkCertificate(ctx context.Context, client *store.Client, req *Request) (refusal *Error, err error) {
	refused := func(format string, args ...any) (*Error, error) {
		refusal := reject(InvalidClient, ReasonCertificateMismatch, authenticationFailed)
		refusal.Cause = fmt.Errorf(format, args...)
		return refusal, nil
	}
	cert := req.certificate
	if !proof.ValidAt(cert.Certificate, e.config.Now()) {
		return refused("the certificate of client %q is not valid now", client.ID)
	}
	if req.AuthMethod == store.TLSClientAuth {
		subject := proof.Subject{DN: client.TLSSubjectDN, DNS: client.TLSSANDNS, URI: client.TLSSANURI, IP: client.TLSSANIP, Email: client.TLSSANEmail}
		switch err := subject.Check(); {
		case err != nil:
			return refused("client %q: %w", client.ID, err)
		case !cert.verified:
			return refused("the certificate of client %q was not verified against a CA", client.ID)
		case !subject.Matches(cert.Certificate):
			return refused("the certificate is not that of client %q", client.ID)
		}
		return nil, nil
	}
	for _, find := range []func(context.Context, *store.Client) ([]jose.JWK, error){e.allClientKeys, e.newClientKeys} {
		keys, err := find(ctx, client)
		if err != nil {
			return nil, err
		}
		for _, key := range keys {
			if proof.MatchesKey(cert.Certificate, key.Public) {
				return nil, nil
			}
		}
	}
	return refused("no key of client %q is that of the certificate", client.ID)
}

// allClientKeys returns all keys that a client has registered.
func (e *Endpoint) allClientKeys(ctx context.Context, client *store.Client) ([]jose.JWK, error) {
	if client.JWKSURI == "" || hasJWKS(client) {
		return e.inline(client)
	}
	keys, err := e.remoteKeys.Keys(ctx, client.JWKSURI)
	return keys, keysFailed(client, err)
}

// newClientKeys returns them again, if the client may have changed them at its jwks_uri
// since: looking for a key that no set has fetches it, at most once a minute.
func (e *Endpoint) newClientKeys(ctx context.Context, client *store.Client) ([]jose.JWK, error) {
	if client.JWKSURI == "" {
		return nil, nil
	}
	if _, err := e.remoteKeys.Find(ctx, client.JWKSURI, "\x00", string(ES256)); err != nil {
		return nil, keysFailed(client, err)
	}
	return e.allClientKeys(ctx, client)
}

// keysFailed tells a registration that is of no use from an outage.
func keysFailed(client *store.Client, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, clientkeys.ErrUnusable):
		refusal := reject(InvalidClient, ReasonClientKeys, authenticationFailed)
		refusal.Cause = fmt.Errorf("client %q: %w", client.ID, err)
		return refusal
	}
	return outage(ReasonClientKeysUnavailable, fmt.Errorf("client %q: %w", client.ID, err))
}
