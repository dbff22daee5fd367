package middleware

import (
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are the networks of the reverse proxies in front of the service. Nil
// trusts none, which is right for a service that is reached directly.
//
// Name the proxies and nothing else: whoever connects from one of these
// networks can claim any address and any scheme. Use [ParseProxies] unless the
// networks are unmapped and without zone already; others match nothing.
type Proxies []netip.Prefix

// ParseProxies reads addresses ("10.0.0.7") and networks ("10.0.0.0/8",
// "fd00::/8"). Host bits are cleared, IPv4-mapped IPv6 becomes IPv4 and a zone
// is dropped, as they are for callers. The error names every value that could
// not be read and what to write instead; the Proxies are then nil.
func ParseProxies(networks ...string) (Proxies, error) {
	proxies := make(Proxies, 0, len(networks))
	var faults []error
	for _, value := range networks {
		network, err := parseNetwork(value)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		proxies = append(proxies, network)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return proxies, nil
}

// RemoteAddr returns the address of the caller: that of the connection or, if
// the connection comes from one of the proxies, the one that they report in
// X-Forwarded-For. It fits tokenendpoint.Config.RemoteAddr.
//
// The header is read from the right, where the nearest proxy wrote, and all of
// its lines are one list (RFC 9110 section 5.3). The first address that is not a
// proxy's is the caller. If an entry cannot be read the proxy that handed it on
// is the answer: nothing left of it has a witness. If all are proxies the
// leftmost is. At most 32 entries are looked at. An entry may carry a port, and
// IPv6 may stand in brackets.
//
// The Forwarded header (RFC 7239) is not read as well: a proxy that writes one
// of the two hands on the other as the caller sent it. The proxies must append
// to X-Forwarded-For or replace it.
//
// The result is unmapped and has no zone. It is the zero Addr, whatever the
// headers say, if r.RemoteAddr is no IP address (a Unix socket).
func (p Proxies) RemoteAddr(r *http.Request) netip.Addr {
	caller := peer(r)
	if !p.contain(caller) {
		return caller
	}
	for entry := range hops(r.Header.Values("X-Forwarded-For")) {
		addr := parseAddr(entry)
		if !addr.IsValid() {
			break
		}
		caller = addr
		if !p.contain(caller) {
			break
		}
	}
	return caller
}

func (p Proxies) contain(addr netip.Addr) bool {
	return slices.ContainsFunc(p, func(network netip.Prefix) bool { return network.Contains(addr) })
}

func peer(r *http.Request) netip.Addr { return parseAddr(r.RemoteAddr) }

// maxHops bounds the work that a long header can cause; no chain of proxies
// comes near it.
const maxHops = 32

// hops yields the entries of a list header from the right.
func hops(lines []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		left := maxHops
		for _, line := range slices.Backward(lines) {
			for more := true; more; left-- {
				comma := strings.LastIndexByte(line, ',')
				if left == 0 || !yield(strings.Trim(line[comma+1:], " \t")) {
					return
				}
				more = comma >= 0
				line = line[:max(comma, 0)]
			}
		}
	}
}

// parseAddr reads an address with or without port and brackets. The result is
// the zero Addr if it is none.
func parseAddr(s string) netip.Addr {
	if strings.HasSuffix(s, "]") {
		s += ":0"
	}
	hostport, err := netip.ParseAddrPort(s) // first: so does every http.Request.RemoteAddr look
	addr := hostport.Addr()
	if err != nil {
		addr, err = netip.ParseAddr(s)
	}
	if err != nil {
		return netip.Addr{}
	}
	// Prefix.Contains knows neither mapped addresses nor zones.
	return addr.Unmap().WithZone("")
}

func parseNetwork(value string) (netip.Prefix, error) {
	host, bits, isNetwork := strings.Cut(value, "/")
	addr, err := netip.ParseAddr(host)
	network := netip.PrefixFrom(addr, addr.BitLen())
	if err == nil && isNetwork {
		network, err = netip.ParsePrefix(addr.WithZone("").String() + "/" + bits)
	}
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("middleware: proxy %q is neither an IP address nor a network: write it like %q or %q",
			value, "10.0.0.7", "10.0.0.0/8")
	}
	if addr.Is4In6() {
		network = netip.PrefixFrom(addr.Unmap(), network.Bits()-96)
		if !network.IsValid() {
			return netip.Prefix{}, fmt.Errorf("middleware: proxy %q is an IPv4-mapped network that reaches beyond IPv4: write the IPv4 network like %q",
				value, "10.0.0.0/8")
		}
	}
	return network.Masked(), nil
}
