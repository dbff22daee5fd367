package fetch

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

const maxURL = 2048 // octets

// CheckURL tells whether a URL may be registered and requested: absolute, https,
// with a host, without user information and fragment, at most 2048 octets of
// printable ASCII, on any port. If its host is an address that must be public or
// Inside; a name is judged by its addresses when it is dialled.
//
// Plain http is for hosts on the same machine: localhost, 127.0.0.1 and [::1], if
// Inside has the address (either one for localhost).
//
// The error wraps ErrRefused, says what is wrong and quotes no more than the host.
func (g Guard) CheckURL(raw string) error {
	if len(raw) > maxURL {
		return refuseURL("is longer than %d octets", maxURL)
	}
	if strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return refuseURL("has characters that are not printable ASCII")
	}
	if strings.Contains(raw, "#") {
		return refuseURL("has a fragment")
	}
	u, err := url.Parse(raw)
	if err != nil {
		return refuseURL("cannot be parsed") // err quotes it
	}
	return g.check(u)
}

// check judges a URL that is about to be requested, whoever wrote it.
func (g Guard) check(u *url.URL) error {
	host := u.Hostname()
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return refuseURL("is not https")
	case host == "":
		return refuseURL("has no host")
	case u.User != nil:
		return refuseURL("has user information")
	case u.Scheme == "http" && !g.plain(host):
		return refuseURL("is http, which is for loopback hosts that are allowed")
	}
	if port, err := strconv.ParseUint(u.Port(), 10, 16); u.Port() != "" && (err != nil || port == 0) {
		return refuseURL("has a port that is none")
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return g.checkAddr(addr)
	}
	return checkName(host)
}

// plain reports whether http may be good enough for a host. An address is still
// judged.
func (g Guard) plain(host string) bool {
	switch host {
	case "127.0.0.1", "::1":
		return true
	case "localhost":
		return within(g.Inside, netip.AddrFrom4([4]byte{127, 0, 0, 1})) || within(g.Inside, netip.IPv6Loopback())
	}
	return false
}

// checkName refuses what is no name but could be taken for an address later: by the
// mapping of Unicode, or as one of inet_aton's forms (127.1, 0x7f000001).
func checkName(host string) error {
	if strings.ContainsFunc(host, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-_.", r))
	}) {
		return refuseURL("has a host that is neither a name nor an address")
	}
	name := strings.TrimSuffix(strings.ToLower(host), ".")
	last := name[strings.LastIndexByte(name, '.')+1:]
	if strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x") {
		return refuseURL("has a number for a host that is not an address in its usual form")
	}
	return nil
}

func refuseURL(format string, args ...any) error {
	return fmt.Errorf("%w: the URL %s", ErrRefused, fmt.Sprintf(format, args...))
}
