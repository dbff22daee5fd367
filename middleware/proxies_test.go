package middleware_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/middleware"
)

func mustParseProxies(t testing.TB, networks ...string) middleware.Proxies {
	t.Helper()
	proxies, err := middleware.ParseProxies(networks...)
	if err != nil {
		t.Fatal(err)
	}
	return proxies
}

func requestFrom(remote string, forwardedFor ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/connect/token", nil)
	r.RemoteAddr = remote
	for _, line := range forwardedFor {
		r.Header.Add("X-Forwarded-For", line)
	}
	return r
}

func TestRemoteAddr(t *testing.T) {
	trusted := mustParseProxies(t, "10.0.0.0/8", "fd00::/8", "fe80::1")
	hops := func(n int) string { return strings.Repeat("10.0.0.2, ", n-1) + "10.0.0.2" }
	for _, c := range []struct {
		name   string
		remote string
		lines  []string
		want   string // empty: the zero Addr
	}{
		{"a direct caller is the peer", "192.0.2.1:1234", nil, "192.0.2.1"},
		{"a peer without port is read", "192.0.2.1", nil, "192.0.2.1"},
		{"an IPv6 peer is read", "[2001:db8::1]:1234", nil, "2001:db8::1"},
		{"an IPv6 peer in brackets without port is read", "[2001:db8::1]", nil, "2001:db8::1"},
		{"an IPv4-mapped peer is unmapped", "[::ffff:192.0.2.1]:1234", nil, "192.0.2.1"},
		{"the zone of a peer is dropped", "[fe80::2%eth0]:1234", nil, "fe80::2"},
		{"a peer that is no IP address is the zero Addr", "@", nil, ""},
		{"an empty peer is the zero Addr", "", nil, ""},
		{"a peer that is a name is the zero Addr", "localhost:80", nil, ""},
		{"a peer that is no IP address is never a proxy", "@", []string{"192.0.2.1"}, ""},

		{"an untrusted peer's header is ignored", "192.0.2.1:1234", []string{"198.51.100.1"}, "192.0.2.1"},
		{"a trusted peer without header is itself the caller", "10.0.0.1:1", nil, "10.0.0.1"},
		{"a trusted peer's header is honoured", "10.0.0.1:1", []string{"198.51.100.1"}, "198.51.100.1"},
		{"an IPv4-mapped proxy is recognised", "[::ffff:10.0.0.1]:1", []string{"198.51.100.1"}, "198.51.100.1"},
		{"a proxy with a zone is recognised", "[fe80::1%eth0]:1", []string{"198.51.100.1"}, "198.51.100.1"},

		{"an address that the caller wrote on the left is not believed", "10.0.0.1:1", []string{"203.0.113.66, 198.51.100.1"}, "198.51.100.1"},
		{"a proxy's address that the caller wrote on the left is not believed", "10.0.0.1:1", []string{"10.0.0.9, 198.51.100.1"}, "198.51.100.1"},
		{"trusted proxies are skipped from the right", "10.0.0.1:1", []string{"203.0.113.66, 198.51.100.1, 10.0.0.3, fd00::2"}, "198.51.100.1"},
		{"several lines are one list in order", "10.0.0.1:1", []string{"203.0.113.66", "198.51.100.1, 10.0.0.3", "10.0.0.2"}, "198.51.100.1"},
		{"an IPv4-mapped proxy in the header is skipped", "10.0.0.1:1", []string{"198.51.100.1, ::ffff:10.0.0.2"}, "198.51.100.1"},
		{"if all are proxies the leftmost is the caller", "10.0.0.1:1", []string{"10.0.0.4, 10.0.0.3", "10.0.0.2"}, "10.0.0.4"},

		{"an entry may carry a port", "10.0.0.1:1", []string{"198.51.100.1:4711"}, "198.51.100.1"},
		{"an entry may stand in brackets", "10.0.0.1:1", []string{"[2001:db8::1]"}, "2001:db8::1"},
		{"an entry may carry brackets and a port", "10.0.0.1:1", []string{"[2001:db8::1]:4711"}, "2001:db8::1"},
		{"an entry may be bare IPv6", "10.0.0.1:1", []string{"2001:db8::1"}, "2001:db8::1"},
		{"white space around an entry is no part of it", "10.0.0.1:1", []string{"203.0.113.66,\t 198.51.100.1 \t"}, "198.51.100.1"},
		{"an IPv4-mapped entry is unmapped", "10.0.0.1:1", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"the zone of an entry is dropped", "10.0.0.1:1", []string{"fe80::2%eth0"}, "fe80::2"},

		{"an unreadable entry leaves the proxy that handed it on", "10.0.0.1:1", []string{"198.51.100.1, unknown, 10.0.0.2"}, "10.0.0.2"},
		{"an unreadable last entry leaves the peer", "10.0.0.1:1", []string{"198.51.100.1, _hidden"}, "10.0.0.1"},
		{"an empty entry is unreadable", "10.0.0.1:1", []string{"198.51.100.1, "}, "10.0.0.1"},
		{"an empty line is unreadable", "10.0.0.1:1", []string{"198.51.100.1", ""}, "10.0.0.1"},
		{"an unreadable entry left of the caller does not matter", "10.0.0.1:1", []string{"unknown, 198.51.100.1"}, "198.51.100.1"},
		{"IPv4 in brackets is unreadable", "10.0.0.1:1", []string{"[198.51.100.1]"}, "10.0.0.1"},

		{"the caller behind 31 proxies is found", "10.0.0.1:1", []string{"198.51.100.1, " + hops(31)}, "198.51.100.1"},
		{"the walk ends after 32 entries", "10.0.0.1:1", []string{"198.51.100.1, " + hops(32)}, "10.0.0.2"},
		{"the walk ends after 32 entries over several lines", "10.0.0.1:1", []string{"198.51.100.1", hops(16), hops(16)}, "10.0.0.2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var want netip.Addr
			if c.want != "" {
				want = netip.MustParseAddr(c.want)
			}
			if got := trusted.RemoteAddr(requestFrom(c.remote, c.lines...)); got != want {
				t.Errorf("RemoteAddr = %v, want %v", got, want)
			}
		})
	}
}

func TestRemoteAddrReadsNoOtherHeader(t *testing.T) {
	r := requestFrom("10.0.0.1:1")
	for _, name := range []string{"Forwarded", "X-Real-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "X-Client-Ip"} {
		r.Header.Set(name, "198.51.100.1")
	}
	r.Header.Set("Forwarded", "for=198.51.100.1")
	if got := mustParseProxies(t, "10.0.0.1").RemoteAddr(r); got != netip.MustParseAddr("10.0.0.1") {
		t.Errorf("RemoteAddr = %v, want the peer", got)
	}
}

func TestParseProxies(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"an address is a network of one", "10.0.0.7", "10.0.0.7/32"},
		{"an IPv6 address is a network of one", "fd00::7", "fd00::7/128"},
		{"a network is kept", "10.0.0.0/8", "10.0.0.0/8"},
		{"an IPv6 network is kept", "fd00::/8", "fd00::/8"},
		{"host bits are cleared", "10.1.2.3/8", "10.0.0.0/8"},
		{"a mapped address is unmapped", "::ffff:10.0.0.7", "10.0.0.7/32"},
		{"a mapped network is unmapped", "::ffff:10.1.2.3/104", "10.0.0.0/8"},
		{"the zone of an address is dropped", "fe80::1%eth0", "fe80::1/128"},
		{"the zone of a network is dropped", "fe80::1%eth0/64", "fe80::/64"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := mustParseProxies(t, c.value)
			if want := (middleware.Proxies{netip.MustParsePrefix(c.want)}); !slices.Equal(got, want) {
				t.Errorf("ParseProxies(%q) = %v, want %v", c.value, got, want)
			}
		})
	}

	t.Run("the order is kept", func(t *testing.T) {
		got := mustParseProxies(t, "10.0.0.1", "10.0.0.2")
		if len(got) != 2 || got[0].Addr() != netip.MustParseAddr("10.0.0.1") {
			t.Errorf("ParseProxies = %v", got)
		}
	})

	for _, value := range []string{
		"", "proxy.internal", "10.0.0.7:80", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/+8", "10.0.0.0/-1", "/8",
		"10.0.0.0/8/8", " 10.0.0.7", "10.0.0.0/255.0.0.0", "[fd00::7]", "fd00::/129", "::ffff:10.0.0.0/95", "*",
	} {
		t.Run("the error names the bad value and the remedy: "+value, func(t *testing.T) {
			proxies, err := middleware.ParseProxies("10.0.0.1", value)
			if err == nil || proxies != nil {
				t.Fatalf("ParseProxies(%q) = %v, %v; want nil and an error", value, proxies, err)
			}
			for _, want := range []string{"middleware: ", `"` + value + `"`, "write", `"10.0.0.0/8"`} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q lacks %q", err, want)
				}
			}
		})
	}

	t.Run("every bad value is named at once", func(t *testing.T) {
		_, err := middleware.ParseProxies("one", "10.0.0.1", "two")
		if err == nil || !strings.Contains(err.Error(), `"one"`) || !strings.Contains(err.Error(), `"two"`) {
			t.Errorf("error = %v", err)
		}
	})
}

func FuzzRemoteAddr(f *testing.F) {
	for _, remote := range []string{"10.0.0.1:1", "[fd00::1]:1", "[::ffff:10.0.0.1]:1", "192.0.2.1:1234", "[fe80::1%eth0]", "@", ""} {
		f.Add(remote, "198.51.100.1", "10.0.0.2")
		f.Add(remote, "10.0.0.4,10.0.0.3", "fd00::2")
		f.Add(remote, "198.51.100.1, unknown", "[fd00::2]:80")
		f.Add(remote, "::ffff:10.0.0.9,[2001:db8::1]", ",")
		f.Add(remote, strings.Repeat("10.0.0.2,", 40), "")
	}
	trusted := mustParseProxies(f, "10.0.0.0/8", "fd00::/8", "fe80::1")
	isTrusted := func(addr netip.Addr) bool {
		return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(addr) })
	}
	f.Fuzz(func(t *testing.T, remote, line1, line2 string) {
		peer := trusted.RemoteAddr(&http.Request{RemoteAddr: remote})
		r := &http.Request{RemoteAddr: remote, Header: http.Header{"X-Forwarded-For": {line1, line2}}}

		if got := middleware.Proxies(nil).RemoteAddr(r); got != peer {
			t.Fatalf("with no trusted proxy RemoteAddr = %v, want the peer %v", got, peer)
		}
		got := trusted.RemoteAddr(r)
		if got.Is4In6() || got.Zone() != "" || got.IsValid() != peer.IsValid() {
			t.Fatalf("RemoteAddr = %v for the peer %v", got, peer)
		}
		if !isTrusted(peer) {
			if got != peer {
				t.Fatalf("RemoteAddr = %v, want the untrusted peer %v", got, peer)
			}
			return
		}
		// A proxy is the answer only if nobody else stands before the first
		// entry that cannot be read or is out of reach.
		want := peer
		entries := strings.Split(line1+","+line2, ",")
		slices.Reverse(entries)
		for _, entry := range entries[:min(len(entries), 32)] {
			addr := middleware.Proxies(nil).RemoteAddr(&http.Request{RemoteAddr: strings.Trim(entry, " \t")})
			if !addr.IsValid() {
				break
			}
			want = addr
			if !isTrusted(addr) {
				break
			}
		}
		if got != want {
			t.Fatalf("RemoteAddr = %v, want %v", got, want)
		}
	})
}
