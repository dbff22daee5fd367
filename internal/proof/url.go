package proof

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// sameURL reports whether two http URLs are the same but for query and fragment
// (RFC 9449 section 4.3 no. 9), after the syntax-based and scheme-based
// normalisation of RFC 3986 sections 6.2.2 and 6.2.3. What is no http URL, or names
// a user, is the same as nothing.
func sameURL(a, b string) bool {
	first, ok := normalise(a)
	second, alsoOK := normalise(b)
	return ok && alsoOK && first == second
}

func normalise(raw string) (string, bool) {
	raw, _, _ = strings.Cut(raw, "#")
	raw, _, _ = strings.Cut(raw, "?")
	scheme, rest, _ := strings.Cut(raw, "://")
	rest, ok := normaliseEscapes(rest)
	if !ok {
		return "", false
	}
	u, err := url.Parse(scheme + "://" + rest) // lowers the scheme
	if err != nil || u.User != nil || u.Hostname() == "" {
		return "", false
	}
	port, known := map[string]string{"https": ":443", "http": ":80"}[u.Scheme]
	if !known {
		return "", false
	}
	host, ok := normaliseHost(u.Host, port)
	if !ok {
		return "", false
	}
	path := new(url.URL).ResolveReference(u).EscapedPath() // without dot segments
	if path == "" {
		path = "/"
	}
	return u.Scheme + "://" + host + path, true
}

// normaliseHost returns a host in lower case and without its default port. It is a name
// or an IPv6 address in brackets: net/url lets more through.
func normaliseHost(host, defaultPort string) (string, bool) {
	name, port := strings.ToLower(host), "" // of ASCII alone, or it is refused
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, ']') {
		name, port = name[:i], name[i:]
	}
	switch {
	case port == ":", port == defaultPort:
		port = ""
	case strings.Trim(port, ":0123456789") != "":
		return "", false
	}
	if address, isLiteral := strings.CutPrefix(name, "["); isLiteral {
		addr, err := netip.ParseAddr(strings.TrimSuffix(address, "]"))
		return name + port, err == nil && addr.Is6() && addr.Zone() == "" && strings.HasSuffix(name, "]")
	}
	const subDelims = "!$&'()*+,;="
	isName := name != "" && !strings.ContainsFunc(host, func(r rune) bool { return r > '~' }) && !strings.ContainsFunc(name, func(r rune) bool {
		return !unreserved(byte(r)) && !strings.ContainsRune(subDelims, r)
	})
	return name + port, isName
}

// normaliseEscapes undoes the escapes of unreserved characters and writes the
// others in upper case (RFC 3986 sections 6.2.2.1 and 6.2.2.2). It refuses what may
// not stand in a URL.
func normaliseEscapes(s string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '%':
			decoded, ok := unhex(s[i+1:])
			if !ok {
				return "", false
			}
			if i += 2; unreserved(decoded) {
				b.WriteByte(decoded)
			} else {
				fmt.Fprintf(&b, "%%%02X", decoded)
			}
		case unreserved(c), strings.IndexByte(":/?#[]@!$&'()*+,;=", c) >= 0:
			b.WriteByte(c)
		default:
			return "", false
		}
	}
	return b.String(), true
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// unhex reads the two hexadecimal digits that s begins with.
func unhex(s string) (byte, bool) {
	if len(s) < 2 {
		return 0, false
	}
	decoded, err := hex.DecodeString(s[:2])
	return append(decoded, 0)[0], err == nil
}
