package proof

import (
	"crypto/x509"
	"encoding/asn1"
	"net/netip"
	"strings"
	"unicode/utf8"
)

// SAN is a kind of subjectAltName that a client can be known by.
type SAN int

// The kinds, by what RFC 5280 section 4.2.1.6 tags them with.
const (
	Email SAN = 1
	DNS   SAN = 2
	URI   SAN = 6
	IP    SAN = 7
)

// MatchesSAN reports whether the certificate has this subjectAltName. A DNS name is
// compared without case; a wildcard, on either side, matches nothing. A URI is the
// same string. An IP address is the same address, however it is written: IPv4 is
// not IPv4-mapped IPv6. Of an email address the domain is compared without case. An
// empty value matches nothing.
func MatchesSAN(cert *x509.Certificate, kind SAN, value string) bool {
	for _, name := range namesOf(cert, kind) {
		if value != "" && sameName(kind, name, value) {
			return true
		}
	}
	return false
}

func sameName(kind SAN, name, value string) bool {
	switch kind {
	case DNS:
		return isHostName(value) && equalFold(name, value)
	case URI:
		return name == value
	case IP:
		registered, err := netip.ParseAddr(value)
		addr, ok := netip.AddrFromSlice([]byte(name))
		return err == nil && ok && addr == registered
	case Email:
		local, domain, ok := cutLast(name, "@")
		registeredLocal, registeredDomain, alsoOK := cutLast(value, "@")
		return ok && alsoOK && local == registeredLocal && equalFold(domain, registeredDomain)
	}
	return false
}

// namesOf reads the extension itself: crypto/x509 keeps URIs parsed, not as they
// were written.
func namesOf(cert *x509.Certificate, kind SAN) []string {
	var names []string
	for _, extension := range cert.Extensions {
		if !extension.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 17}) {
			continue
		}
		var all []asn1.RawValue
		if rest, err := asn1.Unmarshal(extension.Value, &all); err != nil || len(rest) > 0 {
			return nil
		}
		for _, name := range all {
			if name.Class == asn1.ClassContextSpecific && name.Tag == int(kind) {
				names = append(names, string(name.Bytes))
			}
		}
	}
	return names
}

func isHostName(s string) bool { return isASCII(s) && s != "" && !strings.ContainsAny(s, "* ") }

// equalFold compares ASCII without case. That of the strings package would also take
// the Kelvin sign for a k.
func equalFold(a, b string) bool { return isASCII(a) && isASCII(b) && strings.EqualFold(a, b) }

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
