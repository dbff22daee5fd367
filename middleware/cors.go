package middleware

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// CORS lets browser clients of these origins call the wrapped endpoint, by
// the CORS protocol of the Fetch standard.
//
// An origin is written exactly as a browser sends it (RFC 6454 section 6.2):
// http or https, host and, unless it is the scheme's default, port, in lower
// case and nothing after it, such as "https://app.example" or
// "http://localhost:3000". There are no wildcards and no "null". The error names
// every origin that is written otherwise and what to write instead; the
// middleware is then nil. No origins means that no browser client may call.
//
// A preflight (OPTIONS with Origin and Access-Control-Request-Method) never
// reaches next: 204 with the permissions for an origin of the list, 403 without
// any for all others. Route OPTIONS here too: a pattern like "POST /token" keeps
// preflights away. Any other request is passed on, whatever its origin: a caller
// that is no browser sends none, and a browser keeps from the page what carries
// no Access-Control-Allow-Origin.
//
// Pages may read DPoP-Nonce (RFC 9449 section 8), Retry-After and
// WWW-Authenticate. Access-Control-Allow-Credentials is never sent: clients
// authenticate in the request, never by cookie.
func CORS(origins ...string) (func(http.Handler) http.Handler, error) {
	allowed := make(map[string]bool, len(origins))
	var faults []error
	for _, origin := range origins {
		if remedy := remedyFor(origin); remedy != "" {
			faults = append(faults, fmt.Errorf("middleware: CORS origin %q: %s", origin, remedy))
		}
		allowed[origin] = true
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			header := w.Header()
			header.Add("Vary", "Origin")
			// A browser sends one Origin; of several it is unclear whose they are.
			from := r.Header.Values("Origin")
			permitted := len(from) == 1 && allowed[from[0]]
			if permitted {
				header.Set("Access-Control-Allow-Origin", from[0])
			}
			if isPreflight(r) {
				answerPreflight(w, permitted)
				return
			}
			if permitted {
				header.Set("Access-Control-Expose-Headers", "DPoP-Nonce, Retry-After, WWW-Authenticate")
			}
			next.ServeHTTP(w, r)
		})
	}, nil
}

func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions &&
		len(r.Header.Values("Origin")) > 0 &&
		len(r.Header.Values("Access-Control-Request-Method")) > 0
}

func answerPreflight(w http.ResponseWriter, permitted bool) {
	header := w.Header()
	header.Add("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers")
	if !permitted {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	header.Set("Access-Control-Allow-Methods", "POST")
	header.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, DPoP")
	header.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}

// remedyFor says what to write instead of an origin that no browser sends, and
// nothing if one does. Such an origin would otherwise never match, in silence.
func remedyFor(origin string) string {
	if strings.Contains(origin, "*") {
		return "there are no wildcards: list every origin"
	}
	if origin == "null" {
		return "any sandboxed page can send it: serve the client from an origin of its own"
	}
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Scheme+"://"+u.Host != origin {
		return `write scheme, host and port, in lower case and nothing after them, like "https://app.example"`
	}
	if port := u.Port(); port != "" || strings.HasSuffix(u.Host, ":") {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || strconv.FormatUint(n, 10) != port {
			return "write the port as a number up to 65535, without leading zeros"
		}
		if u.Scheme == "https" && n == 443 || u.Scheme == "http" && n == 80 {
			return "leave out the default port, as browsers do"
		}
	}
	if !isBrowserHost(u) {
		return `write the host as browsers send it: a name in lower case (punycode, if international) or an IPv6 address in its shortest form`
	}
	return ""
}

func isBrowserHost(u *url.URL) bool {
	host := u.Hostname()
	if strings.HasPrefix(u.Host, "[") {
		addr, err := netip.ParseAddr(host)
		return err == nil && addr.Is6() && addr.String() == host
	}
	return host != "" && strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789-._") == ""
}
