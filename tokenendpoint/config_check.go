package tokenendpoint

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// checkIssuer holds RFC 8414 section 2, with a door for development.
func checkIssuer(issuer string, insecure bool) error {
	u, err := url.Parse(issuer)
	switch {
	case issuer == "":
		return fieldError("Issuer", ` is empty; set it to the service's https URL, such as "https://shop.example"`)
	case err != nil || u.Hostname() == "" || u.User != nil || u.Opaque != "" || u.String() != issuer || strings.ContainsAny(issuer, `"\`) || strings.ToLower(u.Host) != u.Host || u.Path != "" && !isPlainPath(u.Path):
		return fieldError("Issuer", " %q is not a URL of scheme, host and a path of letters, digits and -._~, in the form "+
			"that clients compare: no user, capitals in scheme and host, quotes or escapes", issuer)
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(issuer, "#"):
		return fieldError("Issuer", " %q has a query or a fragment; remove it", issuer)
	case u.Scheme == "https", u.Scheme == "http" && (insecure || isLoopback(u.Hostname())):
		return nil
	case u.Scheme != "http":
		return fieldError("Issuer", " %q is not https", issuer)
	default:
		return fieldError("Issuer", " %q is not https; use https, a loopback host, or set InsecureIssuer", issuer)
	}
}

func checkURL(field, value, example string) error {
	u, err := url.Parse(value)
	if value == "" || err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") && u.User == nil && !strings.Contains(value, "#") {
		return nil
	}
	return fieldError(field, ` %q is not an absolute URL without a fragment, such as %q`, value, example)
}

func checkMTLSURL(c *Config) error {
	switch {
	case c.MTLSURL == "":
		return nil
	case checkIssuer(c.MTLSURL, false) != nil:
		return fieldError("MTLSURL", ` %q is not an https URL of scheme, host and a plain path, such as "https://mtls.shop.example"`, c.MTLSURL)
	case c.ClientCertificate == nil:
		return fieldError("MTLSURL", " is %q, and ClientCertificate, which reads the certificates there, is missing; set both or neither", c.MTLSURL)
	}
	return nil
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

func required(missing bool, field, remedy string) error {
	if missing {
		return fieldError(field, " is missing; set %s", remedy)
	}
	return nil
}

func zeroOrMore(field string, d, least time.Duration) error {
	if d != 0 && d < least {
		return fieldError(field, " is %v; leave it zero for the default or set it to %v or more", d, least)
	}
	return nil
}

// fieldError says what is wrong with a field of the Config, and the remedy.
func fieldError(field, format string, args ...any) error {
	return fmt.Errorf("%s%w", field, fmt.Errorf(format, args...))
}
