package tokenendpoint

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/http"
	"slices"

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
			e.lint(LintTLSSubject, client.ID, "client %q uses tls_client_auth and can never authenticate by it: %v", client.ID, err)
			return refused("client %q: %w", client.ID, err)
		case !cert.verified:
			return refused("the certificate of client %q was not verified against a CA", client.ID)
		case !subject.Matches(cert.Certificate):
			return refused("the certificate is not that of client %q", client.ID)
		}
		return nil, nil
	}
	ok, err := e.tryKeys(ctx, client, func(keys []jose.JWK) bool {
		return slices.ContainsFunc(keys, func(key jose.JWK) bool { return proof.MatchesKey(cert.Certificate, key.Public) })
	})
	if ok || err != nil {
		return nil, err
	}
	return refused("no key of client %q is that of the certificate", client.ID)
}
