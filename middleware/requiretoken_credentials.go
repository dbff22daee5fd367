package middleware

import (
	"net/http"
	"strings"

	"github.com/grantor-go/grantor/internal/accesstoken"
)

// The schemes that access tokens come with, as challenges name them.
const (
	schemeBearer = "Bearer"
	schemeDPoP   = "DPoP"
)

// readCredentials finds the one token of a request (RFC 6750 section 2, RFC 9449
// section 7.1). What is in the query is no token; beside a header it makes it unclear
// which of the two is meant.
func (g *guard) readCredentials(r *http.Request, v *visit) *refusal {
	values := r.Header.Values("Authorization")
	if len(values) > 1 {
		return refuse(codeRequest, AccessTokenRepeated, "there is more than one Authorization header")
	}
	if len(values) == 0 {
		return refuse("", AccessTokenAbsent, "an access token is needed")
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	switch {
	case strings.EqualFold(scheme, schemeBearer):
		v.scheme = schemeBearer
	case strings.EqualFold(scheme, schemeDPoP) && g.Replays != nil:
		v.scheme = schemeDPoP
	}
	if r.URL.RawQuery != "" && r.URL.Query().Has("access_token") {
		return refuse(codeRequest, AccessTokenRepeated, "there is a token in the query too")
	}
	if v.scheme == "" {
		return refuse("", AccessTokenAbsent, "an access token is needed")
	}
	v.raw = strings.TrimLeft(token, " ")
	if len(v.raw) > accesstoken.MaxToken || !isB64Token(v.raw) {
		return refuse(codeRequest, AccessTokenMalformed, "the Authorization header has no access token in the right form")
	}
	return nil
}

// isB64Token is of RFC 6750 section 2.1.
func isB64Token(s string) bool {
	s = strings.TrimRight(s, "=")
	for i := range len(s) {
		if !inB64Token[s[i]] {
			return false
		}
	}
	return s != ""
}

var inB64Token = func() (set [256]bool) {
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/" {
		set[c] = true
	}
	return set
}()
