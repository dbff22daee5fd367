package proof

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"time"
)

// Thumbprint returns x5t#S256 of a certificate: SHA-256 of its DER, base64url
// without padding (RFC 8705 section 3.1).
func Thumbprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// MatchesKey reports whether the certificate is for this public key, which is how a
// client that has self_signed_tls_client_auth is known (RFC 8705 section 2.2): the
// key is one of its own, and the handshake proved the private one. Who wants the
// very certificate of an x5c compares that with cert.Equal.
func MatchesKey(cert *x509.Certificate, public crypto.PublicKey) bool {
	key, ok := cert.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	return ok && key.Equal(public)
}

// ValidAt reports whether now is within the validity of the certificate, its ends
// included. With a self-signed certificate nobody else looks.
func ValidAt(cert *x509.Certificate, now time.Time) bool {
	return !now.Before(cert.NotBefore) && !now.After(cert.NotAfter)
}

// errUnverified does not quote the certificate, as the errors of crypto/x509 do.
var errUnverified = errors.New("proof: the certificate is expired, not for client authentication or not issued by a trusted CA")

// Verify returns an error unless the certificate was issued for client
// authentication, directly or by way of the intermediates (which may be nil), by
// one of roots and is valid now. Nothing is asked about revocation.
//
// tls_client_auth (RFC 8705 section 2.1) compares names, and a self-signed
// certificate can have any name. So the endpoint compares only after Verify, or if
// whoever terminated TLS has done the same: crypto/tls, when
// ConnectionState.VerifiedChains is not empty (ClientCAs with
// VerifyClientCertIfGiven or RequireAndVerifyClientCert), or a proxy that the
// operator says verifies. PeerCertificates alone proves the key and no name.
//
// Roots is a small set of the deployment's own (RFC 8705 section 7.4); nil, which
// crypto/x509 reads as the CAs of the system, is an error.
func Verify(cert *x509.Certificate, intermediates []*x509.Certificate, roots *x509.CertPool, now time.Time) error {
	if roots == nil {
		return errors.New("proof: no CAs for client certificates are configured")
	}
	between := x509.NewCertPool()
	for _, c := range intermediates {
		between.AddCert(c)
	}
	_, err := cert.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return errUnverified
	}
	return nil
}
