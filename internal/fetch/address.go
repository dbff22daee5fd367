package fetch

import (
	"fmt"
	"net/netip"
	"slices"
	"syscall"
)

// notPublic4 are the IPv4 networks that are not part of the public internet, by
// IANA's registry of special-purpose addresses (RFC 6890) and others that lead
// somewhere else depending on where one stands.
var notPublic4 = prefixes(
	"0.0.0.0/8",        // this host on this network
	"10.0.0.0/8",       // private (RFC 1918)
	"100.64.0.0/10",    // behind a carrier's NAT (RFC 6598)
	"127.0.0.0/8",      // loopback
	"168.63.129.16/32", // the host of a virtual machine in Azure
	"169.254.0.0/16",   // link-local, and the metadata services of clouds
	"172.16.0.0/12",    // private
	"192.0.0.0/24",     // protocol assignments
	"192.0.2.0/24",     // documentation
	"192.88.99.0/24",   // 6to4 relays
	"192.168.0.0/16",   // private
	"198.18.0.0/15",    // benchmarks
	"198.51.100.0/24",  // documentation
	"203.0.113.0/24",   // documentation
	"224.0.0.0/4",      // multicast
	"240.0.0.0/4",      // reserved, and broadcast
)

// global6 is all that IANA gives out as global unicast. Outside are loopback,
// unique local, link-local, site-local and multicast addresses, and most of those
// that carry an IPv4 address: mapped, compatible, NAT64.
var global6 = netip.MustParsePrefix("2000::/3")

// notPublic6 are the networks within global6 that are not public.
var notPublic6 = prefixes(
	"2001::/23",     // protocol assignments: Teredo, benchmarks, ORCHID
	"2001:db8::/32", // documentation
	"2002::/16",     // 6to4, which carries an IPv4 address
	"3fff::/20",     // documentation
)

func prefixes(texts ...string) []netip.Prefix {
	list := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		list[i] = netip.MustParsePrefix(text)
	}
	return list
}

// control is that of [net.Dialer]: the last look at an address before it is used.
func (g Guard) control(_, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: not an address and a port", ErrRefused)
	}
	return g.checkAddr(target.Addr())
}

// checkAddr refuses what is neither Inside nor public. An address with a zone is in
// no netip.Prefix, so it is refused. A network that translates to IPv4 under a
// prefix of its own (RFC 6052) cannot be told from here.
func (g Guard) checkAddr(addr netip.Addr) error {
	if within(g.Inside, addr) {
		return nil
	}
	public := addr.Is4() && !within(notPublic4, addr) ||
		global6.Contains(addr) && !within(notPublic6, addr)
	if !public {
		return fmt.Errorf("%w: %s is not a public address", ErrRefused, addr)
	}
	return nil
}

func within(networks []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(networks, func(network netip.Prefix) bool { return network.Contains(addr) })
}
