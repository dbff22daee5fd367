package proof

import (
	"crypto/x509"
	"errors"
	"net/netip"
)

// Subject is what a client has registered of the certificate that it uses with
// tls_client_auth: exactly one of the five (RFC 8705 section 2.1.2).
type Subject struct {
	DN    string // tls_client_auth_subject_dn, see MatchesSubject
	DNS   string // tls_client_auth_san_dns
	URI   string // tls_client_auth_san_uri
	IP    string // tls_client_auth_san_ip
	Email string // tls_client_auth_san_email
}

// Check returns an error unless exactly one member is set and can match something.
func (s Subject) Check() error {
	kind, value, ok := s.pick()
	_, errIP := netip.ParseAddr(value)
	switch {
	case !ok:
		return errors.New("proof: exactly one of tls_client_auth_subject_dn, _san_dns, _san_uri, _san_ip and _san_email is to be registered")
	case kind == subjectDN && parseDN(value) == nil:
		return errors.New(`proof: tls_client_auth_subject_dn is not a name as RFC 4514 writes it, such as "CN=client,O=Example,C=DE"`)
	case kind == IP && errIP != nil:
		return errors.New("proof: tls_client_auth_san_ip is not an IP address")
	case kind == DNS && !isHostName(value):
		return errors.New("proof: tls_client_auth_san_dns is not one host's name in ASCII")
	}
	return nil
}

// Matches reports whether the certificate is the client's. Unless exactly one
// member is set none is. That the certificate is to be believed is for the caller to
// find out first, see Verify.
func (s Subject) Matches(cert *x509.Certificate) bool {
	kind, value, ok := s.pick()
	switch {
	case !ok:
		return false
	case kind == subjectDN:
		return MatchesSubject(cert, value)
	default:
		return MatchesSAN(cert, kind, value)
	}
}

const subjectDN SAN = 0 // no SAN at all

func (s Subject) pick() (kind SAN, value string, ok bool) {
	set := 0
	for _, member := range []struct {
		kind  SAN
		value string
	}{{subjectDN, s.DN}, {DNS, s.DNS}, {URI, s.URI}, {IP, s.IP}, {Email, s.Email}} {
		if member.value != "" {
			set, kind, value = set+1, member.kind, member.value
		}
	}
	return kind, value, set == 1
}
