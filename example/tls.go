package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/grantor-go/grantor/middleware"
)

// tlsFiles are -tls-cert, -tls-key and -client-ca.
type tlsFiles struct{ cert, key, clientCA string }

// loadTLS reads the files, if there are any.
func (o *options) loadTLS() error {
	f := o.tlsFiles
	switch {
	case f == tlsFiles{}:
		return nil
	case f.cert == "" && f.key == "":
		return errors.New("-client-ca is of no use without https; add -tls-cert and -tls-key")
	case f.cert == "":
		return errors.New("-tls-key is of no use without its certificate; add -tls-cert")
	case f.key == "":
		return errors.New("-tls-cert is of no use without its key; add -tls-key")
	}
	cert, err := os.ReadFile(f.cert)
	if err != nil {
		return fmt.Errorf("-tls-cert %s: %w; give a file with a certificate as PEM", f.cert, errors.Unwrap(err))
	}
	key, err := os.ReadFile(f.key)
	if err != nil {
		return fmt.Errorf("-tls-key %s: %w; give a file with a private key as PEM", f.key, errors.Unwrap(err))
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return fmt.Errorf("-tls-cert %s, -tls-key %s: %w; give a certificate and its key as PEM", f.cert, f.key, err)
	}
	o.tls = &tls.Config{
		Certificates: []tls.Certificate{pair},
		MinVersion:   tls.VersionTLS12,
		CipherSuites: []uint16{ // of 1.2; those of 1.3 are all good
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		},
	}
	if f.clientCA == "" {
		return nil
	}
	cas, err := os.ReadFile(f.clientCA)
	if err != nil {
		return fmt.Errorf("-client-ca %s: %w; give a file with CAs as PEM", f.clientCA, errors.Unwrap(err))
	}
	o.clientCAs = x509.NewCertPool()
	if !o.clientCAs.AppendCertsFromPEM(cas) {
		return fmt.Errorf("-client-ca %s: there is no certificate in it; give a file with CAs as PEM", f.clientCA)
	}
	// A certificate is asked for and taken, whoever issued it: VerifyClientCertIfGiven
	// would end the connection of those that are self-signed. ClientCAs stays empty as
	// well: it would be sent, and a client send nothing that these CAs did not issue.
	o.tls.ClientAuth = tls.RequestClientCert
	return nil
}

// clientCertificate is what the endpoint asks for a caller's certificate: nil if
// nobody is asked for one.
func (o *options) clientCertificate() func(*http.Request) (*x509.Certificate, bool, error) {
	if o.clientCAs == nil {
		return nil
	}
	return middleware.ClientCertificates{CAs: o.clientCAs}.Of
}
