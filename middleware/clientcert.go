package middleware

import (
	"crypto/x509"
	"errors"
	"net/http"
	"time"

	"github.com/grantor-go/grantor/internal/proof"
)

// ClientCertificates finds the certificate that a client used for TLS, also where a
// proxy in front of the service terminated it (RFC 8705 section 6.5).
type ClientCertificates struct {
	// Proxies are believed, and nobody else.
	Proxies Proxies
	// Header is how the proxies hand on the certificate: "Client-Cert" (RFC 9440),
	// or the name that nginx sets to $ssl_client_escaped_cert. The form is
	// recognised. Empty means that they hand on none.
	//
	// The proxies must remove this header from what callers send, also if a caller
	// has no certificate, and add it at most once.
	Header string
	// ProxiesVerify says that the proxies hand on only certificates that they have
	// verified against CAs that you chose (nginx: ssl_verify_client on or optional,
	// not optional_no_ca).
	ProxiesVerify bool
	// CAs are those that issue certificates to clients, for a service that ends TLS
	// itself with tls.RequestClientCert, so that self-signed certificates come through
	// as well: with tls.VerifyClientCertIfGiven crypto/tls would end their handshake,
	// and with tls.Config.ClientCAs clients would not send them. They also verify what
	// a proxy hands on. If it is set it alone decides, with at most three certificates
	// between; nil verifies nothing.
	CAs *x509.CertPool
}

// Of returns the certificate of the caller, nil if there is none.
//
// If the connection comes from one of the proxies it is the one in the header, and
// never the one of the connection, which is the proxy's own. Otherwise it is that of
// the connection, and the header means nothing.
//
// In both cases somebody checked that the caller has the private key. Verified says
// that the chain was verified too: by crypto/tls, with ClientCAs and
// VerifyClientCertIfGiven or RequireAndVerifyClientCert, by CAs, or by the proxies, see
// ProxiesVerify. Anybody can make a certificate that is not verified, with any name
// in it: then its names prove nothing.
//
// The error says why the header cannot be read: it is there twice, longer than 16
// KiB, or not one certificate. The certificate is then nil, and the request is not
// one without a certificate: refuse it. The error quotes nothing of the header.
func (c ClientCertificates) Of(r *http.Request) (cert *x509.Certificate, verified bool, err error) {
	if c.Proxies.contain(peer(r)) {
		cert, err = readCertificate(r.Header.Values(c.Header))
		return cert, cert != nil && (c.ProxiesVerify && c.CAs == nil || c.issued(cert, nil)), err
	}
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return nil, false, nil
	}
	cert = r.TLS.PeerCertificates[0]
	between := r.TLS.PeerCertificates[1:]
	return cert, len(r.TLS.VerifiedChains) > 0 && c.CAs == nil || c.issued(cert, between[:min(len(between), maxIntermediates)]), nil
}

// maxIntermediates are as many as are looked at: each costs a signature or more, and
// anybody can send a hundred.
const maxIntermediates = 3

func (c ClientCertificates) issued(cert *x509.Certificate, intermediates []*x509.Certificate) bool {
	return c.CAs != nil && proof.Verify(cert, intermediates, c.CAs, time.Now()) == nil
}

// RemoveHeader removes the header from requests that do not come from one of the
// proxies, for handlers behind it that read the header themselves. Of needs no such
// help.
func (c ClientCertificates) RemoveHeader(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.Header != "" && len(r.Header.Values(c.Header)) > 0 && !c.Proxies.contain(peer(r)) {
			r = r.Clone(r.Context()) // a handler does not alter the request that it was given
			r.Header.Del(c.Header)
		}
		next.ServeHTTP(w, r)
	})
}

var (
	errCertificateRepeated  = errors.New("middleware: the header with the client's certificate is there more than once")
	errCertificateTooLong   = errors.New("middleware: the header with the client's certificate is longer than 16 KiB")
	errCertificateMalformed = errors.New("middleware: the header with the client's certificate is not one certificate")
)
