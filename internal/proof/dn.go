package proof

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"strings"
)

// MatchesSubject reports whether the certificate's subject is the name dn, written
// as RFC 4514 does: "CN=client,O=Example,C=DE", the last of the certificate first.
// Both are compared as RFC 5280 section 7.1 says and not as strings: relative names
// in their order, the attributes of each as a set, types by their object identifier,
// and the values of the types that have a short name here (see types) without case
// and with runs of space as one, in whatever type of ASN.1 string. Values of other
// types are compared with case and space.
//
// Unicode is not normalised (RFC 4518 section 2.3): register what the CA wrote. A
// dn that is malformed or empty matches nothing.
func MatchesSubject(cert *x509.Certificate, dn string) bool {
	registered := parseDN(dn)
	var subject []attributeSET
	rest, err := asn1.Unmarshal(cert.RawSubject, &subject)
	if registered == nil || err != nil || len(rest) > 0 || len(subject) != len(registered) {
		return false
	}
	slices.Reverse(subject) // RFC 4514 section 2.1
	for i, set := range subject {
		if !sameSet(set, registered[i]) {
			return false
		}
	}
	return true
}

// attributeSET is a RelativeDistinguishedName; encoding/asn1 knows a SET by the
// name of its type.
type attributeSET []struct {
	Type  asn1.ObjectIdentifier
	Value asn1.RawValue
}

// attribute is one that was read from a string. Value is text or, if that is not
// possible, DER.
type attribute struct {
	oid   string
	value value
}

type value struct {
	text string
	der  []byte // nil if it is text
}

// sameSet takes each attribute of the one out of the other.
func sameSet(set attributeSET, registered []attribute) bool {
	left := slices.Clone(registered)
	for _, a := range set {
		oid, v := a.Type.String(), valueOf(a.Value)
		i := slices.IndexFunc(left, func(b attribute) bool { return b.oid == oid && sameValue(oid, v, b.value) })
		if i < 0 {
			return false
		}
		left = slices.Delete(left, i, i+1)
	}
	return len(left) == 0
}

func sameValue(oid string, a, b value) bool {
	if a.der != nil || b.der != nil {
		return bytes.Equal(a.der, b.der)
	}
	if !ignoresCase[oid] {
		return a.text == b.text
	}
	return strings.EqualFold(foldSpace(a.text), foldSpace(b.text))
}

func foldSpace(s string) string { return strings.Join(strings.Fields(s), " ") }

// valueOf reads the text of every string type that encoding/asn1 knows, as UTF-8.
func valueOf(raw asn1.RawValue) value {
	var text string
	rest, err := asn1.Unmarshal(raw.FullBytes, &text)
	if err != nil || len(rest) > 0 {
		return value{der: raw.FullBytes}
	}
	return value{text: text}
}

// types are the short names: those of RFC 4514 section 3, and those that CAs for
// clients use. The values of all of them are compared by caseIgnoreMatch or
// caseIgnoreIA5Match.
var types = map[string]string{
	"CN": "2.5.4.3", "SN": "2.5.4.4", "SERIALNUMBER": "2.5.4.5", "C": "2.5.4.6", "L": "2.5.4.7",
	"ST": "2.5.4.8", "STREET": "2.5.4.9", "O": "2.5.4.10", "OU": "2.5.4.11", "TITLE": "2.5.4.12",
	"BUSINESSCATEGORY": "2.5.4.15", "POSTALCODE": "2.5.4.17", "GIVENNAME": "2.5.4.42", "DNQUALIFIER": "2.5.4.46",
	"ORGANIZATIONIDENTIFIER": "2.5.4.97",
	"UID":                    "0.9.2342.19200300.100.1.1", "DC": "0.9.2342.19200300.100.1.25",
	"EMAILADDRESS": "1.2.840.113549.1.9.1",
}

var ignoresCase = func() map[string]bool {
	oids := make(map[string]bool, len(types))
	for _, oid := range types {
		oids[oid] = true
	}
	return oids
}()
