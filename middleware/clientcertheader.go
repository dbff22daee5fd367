package middleware

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/url"
	"strings"
)

// maxCertificate bounds what is decoded; certificates have one or two KiB.
const maxCertificate = 16 << 10 // bytes of the header

// readCertificate reads the values of a header. An empty one is no certificate:
// proxies send it for callers that have none.
func readCertificate(values []string) (*x509.Certificate, error) {
	switch {
	case len(values) == 0 || len(values) == 1 && values[0] == "":
		return nil, nil
	case len(values) > 1:
		return nil, errCertificateRepeated
	case len(values[0]) > maxCertificate:
		return nil, errCertificateTooLong
	}
	der, ok := decodeBytes(values[0])
	if !ok {
		der, ok = decodeEscapedPEM(values[0])
	}
	if !ok {
		return nil, errCertificateMalformed
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil { // its text could quote the certificate
		return nil, errCertificateMalformed
	}
	return cert, nil
}

// decodeBytes reads a byte sequence (RFC 9440 section 2.1, RFC 8941 section 3.3.5)
// without parameters.
func decodeBytes(header string) ([]byte, bool) {
	inner, opened := strings.CutPrefix(header, ":")
	inner, closed := strings.CutSuffix(inner, ":")
	der, err := base64.StdEncoding.DecodeString(inner)
	return der, opened && closed && err == nil
}

// decodeEscapedPEM reads one certificate in PEM that is escaped as a URL is. A plus
// sign is itself.
func decodeEscapedPEM(header string) ([]byte, bool) {
	text, err := url.PathUnescape(header)
	if err != nil || !strings.HasPrefix(text, "-----BEGIN CERTIFICATE-----") {
		return nil, false
	}
	// Where the first line is right and no other block begins, Decode skips nothing.
	block, rest := pem.Decode([]byte(text))
	if strings.Count(text, "-----BEGIN") > 1 || block == nil || len(block.Headers) > 0 || strings.TrimSpace(string(rest)) != "" {
		return nil, false
	}
	return block.Bytes, true
}
