package fetch

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

// The first and last addresses of each network, so that a wrong length shows.
var refusedAddresses = map[string]string{
	"this network":           "0.0.0.0 0.0.0.1 0.255.255.255",
	"private":                "10.0.0.0 10.255.255.255 172.16.0.0 172.31.255.255 192.168.0.0 192.168.255.255",
	"a carrier's NAT":        "100.64.0.0 100.100.100.200 100.127.255.255",
	"loopback":               "127.0.0.0 127.0.0.1 127.255.255.255 ::1",
	"link-local":             "169.254.0.0 169.254.169.254 169.254.255.255 fe80:: fe80::1 febf:ffff::1",
	"a cloud's host":         "168.63.129.16",
	"protocol assignments":   "192.0.0.0 192.0.0.192 192.0.0.255 2001:: 2001:1ff:ffff::1",
	"documentation":          "192.0.2.0 192.0.2.255 198.51.100.0 198.51.100.255 203.0.113.0 203.0.113.255 2001:db8:: 2001:db8:ffff::1 3fff:: 3fff:fff::1",
	"benchmarks":             "198.18.0.0 198.19.255.255 2001:2::1",
	"6to4":                   "192.88.99.0 192.88.99.255 2002:: 2002:7f00:1:: 2002:ffff:ffff::1",
	"Teredo":                 "2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2",
	"multicast":              "224.0.0.0 239.255.255.255 ff00:: ff02::1 ff0e::1 ffff:ffff::1",
	"reserved":               "240.0.0.0 255.255.255.254 100::1 1fff:ffff::1 4000:: 5f00::1",
	"broadcast":              "255.255.255.255",
	"unspecified":            "::",
	"unique local":           "fc00:: fd00:ec2::254 fdff:ffff::1",
	"site-local":             "fec0:: feff:ffff::1",
	"IPv4-mapped":            "::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:8.8.8.8",
	"IPv4-compatible":        "::127.0.0.1 ::8.8.8.8",
	"IPv4-translated":        "::ffff:0:8.8.8.8",
	"NAT64":                  "64:ff9b::127.0.0.1 64:ff9b::8.8.8.8 64:ff9b:1::8.8.8.8",
	"a public one in a zone": "2606:4700::1%eth0",
}

const publicAddresses = `1.0.0.0 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0
	168.63.129.15 168.63.129.17 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.0.3.0
	192.88.98.255 192.88.100.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0
	203.0.112.255 203.0.114.0 223.255.255.255
	2000::1 2001:200::1 2001:db7:ffff::1 2001:db9::1 2001:4860:4860::8888 2003::1 2606:4700::1111 3ffe:ffff::1 3fff:1000::1`

func TestAddressesAreJudged(t *testing.T) {
	for class, list := range refusedAddresses {
		t.Run(class+" is refused", func(t *testing.T) {
			for _, text := range strings.Fields(list) {
				if err := (Guard{}).checkAddr(netip.MustParseAddr(text)); !errors.Is(err, ErrRefused) {
					t.Errorf("%s: %v, want a refusal", text, err)
				}
				if err := (Guard{}).control("tcp", netip.AddrPortFrom(netip.MustParseAddr(text), 443).String(), nil); !errors.Is(err, ErrRefused) {
					t.Errorf("dialling %s: %v, want a refusal", text, err)
				}
			}
		})
	}
	t.Run("a public address is allowed", func(t *testing.T) {
		for _, text := range strings.Fields(publicAddresses) {
			if err := (Guard{}).checkAddr(netip.MustParseAddr(text)); err != nil {
				t.Errorf("%s: %v", text, err)
			}
		}
	})
	t.Run("no address is refused", func(t *testing.T) {
		if err := (Guard{Inside: prefixes("0.0.0.0/0", "::/0")}).checkAddr(netip.Addr{}); !errors.Is(err, ErrRefused) {
			t.Errorf("%v, want a refusal", err)
		}
	})
	t.Run("what cannot be read is refused", func(t *testing.T) {
		for _, address := range []string{"", "8.8.8.8", "example.com:443", "/run/a.sock"} {
			if err := (Guard{}).control("tcp", address, nil); !errors.Is(err, ErrRefused) {
				t.Errorf("%q: %v, want a refusal", address, err)
			}
		}
	})
}

func TestInsideAllowsItsNetworksOnly(t *testing.T) {
	guard := Guard{Inside: prefixes("10.1.0.0/16", "fd00:1::/32")}
	for text, allowed := range map[string]bool{
		"10.1.0.0":        true,
		"10.1.255.255":    true,
		"10.2.0.0":        false,
		"10.0.255.255":    false,
		"fd00:1::7":       true,
		"fd00:2::7":       false,
		"fd00:1::7%eth0":  false,
		"::ffff:10.1.0.1": false,
		"127.0.0.1":       false,
		"8.8.8.8":         true,
	} {
		if err := guard.checkAddr(netip.MustParseAddr(text)); (err == nil) != allowed || err != nil && !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v, want it allowed: %t", text, err, allowed)
		}
	}
}
