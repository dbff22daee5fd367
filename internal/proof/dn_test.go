package proof

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"strings"
	"testing"
	"unicode/utf16"
)

// tlv writes DER of at most 127 octets.
func tlv(tag byte, content ...[]byte) []byte {
	var all []byte
	for _, c := range content {
		all = append(all, c...)
	}
	if len(all) > 127 {
		panic("too long for a test")
	}
	return append([]byte{tag, byte(len(all))}, all...)
}

const (
	utf8String, printable, ia5, t61, bmp = 12, 19, 22, 20, 30

	set, sequence = 0x31, 0x30
)

func atv(oid asn1.ObjectIdentifier, tag byte, value string) []byte {
	id, err := asn1.Marshal(oid)
	if err != nil {
		panic(err)
	}
	return tlv(sequence, id, tlv(tag, []byte(value)))
}

var (
	cn    = asn1.ObjectIdentifier{2, 5, 4, 3}
	o     = asn1.ObjectIdentifier{2, 5, 4, 10}
	c     = asn1.ObjectIdentifier{2, 5, 4, 6}
	dc    = asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 25}
	other = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 32473, 1}
)

func subjectOf(rdns ...[]byte) *x509.Certificate {
	return &x509.Certificate{RawSubject: tlv(sequence, rdns...)}
}

// 8705-2.1.2-02: RFC 4514 sections 2 to 4, RFC 5280 section 7.1.
func TestMatchesSubject(t *testing.T) {
	plain := subjectOf(tlv(set, atv(c, printable, "DE")), tlv(set, atv(o, utf8String, "Example")), tlv(set, atv(cn, utf8String, "The Client")))
	one := func(oid asn1.ObjectIdentifier, tag byte, value string) *x509.Certificate {
		return subjectOf(tlv(set, atv(oid, tag, value)))
	}
	multi := subjectOf(tlv(set, atv(c, printable, "DE")), tlv(set, atv(cn, utf8String, "a"), atv(o, utf8String, "b")))
	twice := subjectOf(tlv(set, atv(cn, utf8String, "a"), atv(cn, utf8String, "b")))
	units := func(s string) string {
		var b []byte
		for _, u := range utf16.Encode([]rune(s)) {
			b = append(b, byte(u>>8), byte(u))
		}
		return string(b)
	}
	for _, c := range []struct {
		name string
		cert *x509.Certificate
		dn   string
		want bool
	}{
		{"the last of the certificate comes first", plain, "CN=The Client,O=Example,C=DE", true},
		{"in the order of the certificate it is another name", plain, "C=DE,O=Example,CN=The Client", false},
		{"case of values does not count", plain, "CN=THE client,O=exAMPle,C=de", true},
		{"case of types does not count", plain, "cn=The Client,o=Example,c=DE", true},
		{"types may be object identifiers", plain, "2.5.4.3=The Client,2.5.4.10=Example,C=DE", true},
		{"runs of space are one", plain, "CN=The   Client,O=Example,C=DE", true},
		{"space around a value does not count", one(cn, utf8String, "  The  Client "), "CN=The Client", true},
		{"space around separators does not count", plain, "CN = The Client , O=Example, C=DE ", true},
		{"no space is not a space", plain, "CN=TheClient,O=Example,C=DE", false},
		{"a name above is not the name", plain, "O=Example,C=DE", false},
		{"a name below is not the name", plain, "CN=x,CN=The Client,O=Example,C=DE", false},
		{"a name longer at its other end is not the name", plain, "CN=The Client,O=Example,C=DE,DC=x", false},
		{"another value is another name", plain, "CN=The Clients,O=Example,C=DE", false},
		{"another type is another name", plain, "OU=The Client,O=Example,C=DE", false},
		{"a CN that looks like a name is not one", one(cn, utf8String, "a,O=b"), "CN=a,O=b", false},
		{"a CN that looks like a name matches when it is escaped", one(cn, utf8String, "a,O=b"), `CN=a\,O\=b`, true},

		{"the attributes of a relative name are a set", multi, "O=b+CN=a,C=DE", true},
		{"in any order", multi, "CN=a+O=b,C=DE", true},
		{"a part of a relative name is not it", multi, "CN=a,C=DE", false},
		{"a relative name and more is not it", multi, "CN=a+O=b+OU=c,C=DE", false},
		{"a set is not a sequence", multi, "CN=a,O=b,C=DE", false},
		{"one attribute does not stand for two", twice, "CN=a+CN=a", false},
		{"two of one type are a set", twice, "CN=b+CN=a", true},

		{"PrintableString is UTF8String", one(cn, printable, "a"), "CN=a", true},
		{"IA5String is UTF8String", one(dc, ia5, "example"), "DC=EXAMPLE", true},
		{"T61String of ASCII is UTF8String", one(cn, t61, "a"), "CN=a", true},
		{"BMPString is UTF8String", one(cn, bmp, units("Lučić")), "CN=Lučić", true},
		{"UTF8String that is no UTF-8 is not text", one(cn, utf8String, "\xff"), `CN=\EF\BF\BD`, false},

		{"T61String that is not ASCII is not the replacement character", one(cn, t61, "\xff"), `CN=\EF\BF\BD`, false},
		{"RFC 4514 section 4: a quote", one(cn, utf8String, `James "Jim" Smith, III`), `CN=James \"Jim\" Smith\, III`, true},
		{"RFC 4514 section 4: a carriage return", one(cn, utf8String, "Before\rAfter"), `CN=Before\0dAfter`, true},
		{"RFC 4514 section 4: the octets of UTF-8", one(cn, utf8String, "Lučić"), `CN=Lu\C4\8Di\C4\87`, true},
		{"RFC 4514 section 4: a value in DER", one(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 1466, 0}, 4, "Hi"), "1.3.6.1.4.1.1466.0=#04024869", true},
		{"another value in DER", one(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 1466, 0}, 4, "Ho"), "1.3.6.1.4.1.1466.0=#04024869", false},
		{"a string in DER is text", one(cn, printable, "a"), "CN=#" + hex.EncodeToString(tlv(utf8String, []byte("A"))), true},
		{"a value in DER is no text", one(other, 4, "Hi"), "1.3.6.1.4.1.32473.1=Hi", false},
		{"a text is no value in DER", one(other, utf8String, "Hi"), "1.3.6.1.4.1.32473.1=#04024869", false},
		{"all that is escaped", one(cn, utf8String, `#"+,;<=>\`), `CN=\#\"\+\,\;\<\=\>\\`, true},
		{"an equals sign may stand unescaped", one(cn, utf8String, "a=b"), "CN=a=b", true},
		{"a number sign within may stand unescaped", one(cn, utf8String, "a#b"), "CN=a#b", true},

		{"a type that is not known is compared with case", one(other, utf8String, "a"), "1.3.6.1.4.1.32473.1=A", false},
		{"and with its space", one(other, utf8String, "a  b"), "1.3.6.1.4.1.32473.1=a b", false},
		{"a space that is escaped at the end counts", one(other, utf8String, "a "), `1.3.6.1.4.1.32473.1=a\ `, true},
		{"a space that is escaped at the beginning counts", one(other, utf8String, " a"), `1.3.6.1.4.1.32473.1=\ a`, true},
		{"a space in hexadecimal at the end counts", one(other, utf8String, "a "), `1.3.6.1.4.1.32473.1=a\20`, true},
		{"a space that is not escaped at the beginning does not", one(other, utf8String, "a"), "1.3.6.1.4.1.32473.1= a", true},
		{"a space that is not escaped at the end does not", one(other, utf8String, "a"), "1.3.6.1.4.1.32473.1=a ", true},

		{"an empty subject is not the empty name", subjectOf(), "", false},
		{"an empty value is an empty value", one(cn, utf8String, ""), "CN=", true},
		{"a subject that cannot be read matches nothing", &x509.Certificate{RawSubject: []byte{0x30, 5}}, "CN=a", false},
		{"a subject with something behind it matches nothing", &x509.Certificate{RawSubject: append(one(cn, utf8String, "a").RawSubject, 5, 0)}, "CN=a", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := MatchesSubject(c.cert, c.dn); got != c.want {
				t.Errorf("%s: got %v, want %v", c.dn, got, c.want)
			}
		})
	}
}

func TestAMalformedNameMatchesNothing(t *testing.T) {
	for _, dn := range []string{
		"", " ", ",", "CN", "=", "=a", "CN=a,", ",CN=a", "CN=a,,O=b", "CN=a+", "CN=a;O=b", `CN="a"`, "CN=<a>", "XX=a", "OID.2.5.4.3=a",
		"2.5.4.03=a", "2.=a", ".2=a", "2=a", "-1.2=a", "1..2=a", `CN=\`, `CN=a\`, `CN=\4`, `CN=\zz`, `CN=\ff`, "CN=a\x00", "CN=\xff", "CN=#", "CN=#0", "CN=#zz",
		"CN=#0401", "CN=#04014869", "CN=#04 024869", "C N=a", "ſN=a", "/CN=a",
		"CN=" + strings.Repeat("a", 4094),
	} {
		if names := parseDN(dn); names != nil {
			t.Errorf("%q is read as %v", dn, names)
		}
	}
	if parseDN("CN="+strings.Repeat("a", 4093)) == nil {
		t.Error("a name of 4096 bytes is not read")
	}
}
