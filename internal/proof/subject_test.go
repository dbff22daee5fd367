package proof

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"net/url"
	"testing"
)

func clientCert(t testing.TB) *x509.Certificate {
	t.Helper()
	uri := &url.URL{Scheme: "https", Host: "Client.example", Path: "/A"}
	return issue(t, x509.Certificate{
		Subject:        pkix.Name{CommonName: "client", Organization: []string{"Example"}, Country: []string{"DE"}},
		DNSNames:       []string{"client.example", "*.wild.example"},
		URIs:           []*url.URL{uri},
		IPAddresses:    []net.IP{net.ParseIP("192.0.2.1"), net.ParseIP("2001:db8::1")},
		EmailAddresses: []string{"Client@mail.example", "Client@kiosk.example", `"a@b"@mail.example`},
	}, nil)
}

// 8705-2.1.2-01, 8705-2.1.2-02.
func TestSubject(t *testing.T) {
	cert := clientCert(t)
	for _, c := range []struct {
		name           string
		subject        Subject
		usable, wanted bool
	}{
		{"nothing is registered", Subject{}, false, false},
		{"two are registered", Subject{DNS: "client.example", IP: "192.0.2.1"}, false, false},
		{"all are registered", Subject{"CN=client,O=Example,C=DE", "client.example", "https://Client.example/A", "192.0.2.1", "Client@mail.example"}, false, false},

		{"the name", Subject{DN: "CN=client,O=Example,C=DE"}, true, true},
		{"another name", Subject{DN: "CN=client2,O=Example,C=DE"}, true, false},
		{"a malformed name", Subject{DN: "client"}, false, false},

		{"a DNS name", Subject{DNS: "client.example"}, true, true},
		{"a DNS name in capitals", Subject{DNS: "CLIENT.Example"}, true, true},
		{"a DNS name above", Subject{DNS: "example"}, true, false},
		{"a DNS name that a wildcard covers", Subject{DNS: "a.wild.example"}, true, false},
		{"a DNS name that is a wildcard", Subject{DNS: "*.wild.example"}, false, false},
		{"a DNS name that is not ASCII", Subject{DNS: "c\u017fient.example"}, false, false},
		{"a DNS name that is the URI", Subject{DNS: "https://Client.example/A"}, true, false},

		{"a URI", Subject{URI: "https://Client.example/A"}, true, true},
		{"a URI in other case", Subject{URI: "https://client.example/A"}, true, false},
		{"a URI with a slash", Subject{URI: "https://Client.example/A/"}, true, false},

		{"an IPv4 address", Subject{IP: "192.0.2.1"}, true, true},
		{"an IPv6 address", Subject{IP: "2001:db8::1"}, true, true},
		{"an IPv6 address written out", Subject{IP: "2001:0DB8:0:0:0:0:0:1"}, true, true},
		{"another address", Subject{IP: "192.0.2.2"}, true, false},
		{"an IPv4-mapped address", Subject{IP: "::ffff:192.0.2.1"}, true, false},
		{"an address with a zone", Subject{IP: "2001:db8::1%eth0"}, true, false},
		{"no address", Subject{IP: "client.example"}, false, false},
		{"a network", Subject{IP: "192.0.2.0/24"}, false, false},

		{"an email address", Subject{Email: "Client@mail.example"}, true, true},
		{"an email address, its domain in capitals", Subject{Email: "Client@MAIL.example"}, true, true},
		{"an email address, its local part in other case", Subject{Email: "client@mail.example"}, true, false},
		{"an email address with two signs", Subject{Email: `"a@b"@mail.example`}, true, true},
		{"an email address with two signs, the first part in other case", Subject{Email: `"a@B"@mail.example`}, true, false},
		{"an email address whose domain only folds to the same", Subject{Email: "Client@\u212Aiosk.example"}, true, false},
		{"an email address, only the domain", Subject{Email: "mail.example"}, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.subject.Check(); (err == nil) != c.usable {
				t.Errorf("Check: %v", err)
			}
			if got := c.subject.Matches(cert); got != c.wanted {
				t.Errorf("Matches: got %v, want %v", got, c.wanted)
			}
		})
	}
}

func TestAnEmptyValueMatchesNoSAN(t *testing.T) {
	cert := &x509.Certificate{Extensions: []pkix.Extension{{Id: []int{2, 5, 29, 17}, Value: tlv(sequence, tlv(0x81), tlv(0x82), tlv(0x86), tlv(0x87))}}}
	for _, kind := range []SAN{Email, DNS, URI, IP, subjectDN} {
		if MatchesSAN(cert, kind, "") {
			t.Errorf("kind %d matches", kind)
		}
	}
	if MatchesSAN(&x509.Certificate{Extensions: []pkix.Extension{{Id: []int{2, 5, 29, 17}, Value: tlv(sequence, tlv(0x06, []byte("a:b")))}}}, URI, "a:b") {
		t.Error("an object identifier is a URI")
	}
	if !MatchesSAN(&x509.Certificate{Extensions: []pkix.Extension{{Id: []int{2, 5, 29, 17}, Value: tlv(sequence, tlv(0x86, []byte("a:b")))}}}, URI, "a:b") {
		t.Error("the extension is not read")
	}
}
