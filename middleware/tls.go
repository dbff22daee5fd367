package middleware

import (
	"io"
	"net/http"
	"slices"
	"strings"
)

const tlsRequired = `{"error":"invalid_request","error_description":"TLS is required"}`

// RequireTLS refuses requests that came without TLS, as RFC 6749 section 3.2
// demands of a token endpoint and section 2.3.1 of every endpoint that takes a
// client's password.
//
// A request passes if its connection is TLS or if it comes from one of the
// trusted proxies with exactly one X-Forwarded-Proto line, "https" in any case.
// The proxies must replace that header, not add to it. One that speaks TLS to
// this service must itself refuse callers that do not: its connection is TLS
// and passes.
//
// The answer to any other request is status 400 with invalid_request in JSON
// (RFC 6749 section 5.2), and next is not called. It is never a redirect: the
// secret has travelled in the clear by then, and a redirect would make that
// work every time, so that nobody notices.
func RequireTLS(trusted Proxies) func(http.Handler) http.Handler {
	trusted = slices.Clone(trusted)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.TLS == nil && !trusted.sawTLS(r) {
				refuseWithoutTLS(w)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// sawTLS tells whether a proxy vouches for it that the caller used TLS. Of
// several lines one may be the caller's, so none counts.
func (p Proxies) sawTLS(r *http.Request) bool {
	protos := r.Header.Values("X-Forwarded-Proto")
	// ToLower rather than EqualFold, which folds the long s into s.
	return p.contain(peer(r)) && len(protos) == 1 && strings.ToLower(protos[0]) == "https"
}

func refuseWithoutTLS(w http.ResponseWriter) {
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	header.Set("Pragma", "no-cache")
	w.WriteHeader(http.StatusBadRequest)
	// The caller is gone if this fails: there is nobody left to tell.
	_, _ = io.WriteString(w, tlsRequired)
}
