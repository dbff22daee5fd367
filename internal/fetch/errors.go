package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
)

// describe says in words of its own what went wrong: those of net/http quote the
// URL, and what the server sent, which may be what was sent to it.
func describe(ctx context.Context, err error) error {
	var (
		whole   *url.Error
		network *net.OpError
		timeout net.Error
		record  tls.RecordHeaderError
		cert    *tls.CertificateVerificationError
	)
	if errors.As(err, &whole) {
		err = whole.Err
	}
	switch {
	case errors.Is(err, ErrRefused), errors.Is(err, errUpgrade):
		return err
	case ctx.Err() != nil:
		return fmt.Errorf("fetch: %w", ctx.Err())
	case errors.As(err, &network):
		return fmt.Errorf("fetch: %w", network)
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("fetch: the server did not answer in time: %w", context.DeadlineExceeded)
	case errors.As(err, &cert):
		return fmt.Errorf("fetch: the server's certificate %s", fault(cert))
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return errors.New("fetch: the server does not speak TLS")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("fetch: the server closed the connection within its answer")
	}
	return fmt.Errorf("fetch: the answer is not TLS 1.2 or later, or not HTTP/1.1, or its header exceeds %d octets", maxHeader)
}

// fault does not name what the certificate says, which is up to the server.
func fault(cert *tls.CertificateVerificationError) string {
	var (
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
	)
	switch {
	case errors.As(cert, &authority):
		return "is signed by an unknown authority"
	case errors.As(cert, &host):
		return "is for another host"
	case errors.As(cert, &invalid) && invalid.Reason == x509.Expired:
		return "has expired or is not yet valid"
	}
	return "is not valid"
}
