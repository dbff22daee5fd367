package tokenendpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Names that only the endpoint writes.
var (
	reservedClaims = []string{
		"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "scope", "auth_time", "acr", "amr", "cnf", "grant_id",
		"active", "token_type", // of introspection (RFC 7662 section 2.2)
	}
	reservedMembers = []string{
		"access_token", "token_type", "expires_in", "refresh_token", "id_token", "scope",
		"error", "error_description", "error_uri",
	}
)

// IsReservedClaim reports whether the endpoint alone writes the claim of this
// name in access tokens, so that it cannot be set by clients, grants and hooks.
func IsReservedClaim(name string) bool { return isReserved(name, reservedClaims) }

// isReserved ignores case, as some readers of JSON do.
func isReserved(name string, reserved []string) bool {
	return slices.ContainsFunc(reserved, func(own string) bool { return strings.EqualFold(own, name) })
}

// answer is what was minted.
type answer struct {
	token    *Token
	lifetime time.Duration
	id       string // jti

	accessToken  string
	tokenType    string
	idToken      string // empty: none
	refreshToken string // empty: none
}

// append writes the response of RFC 6749 section 5.1. The scope is always there,
// so that the client never has to guess.
func (a *answer) append(b []byte) ([]byte, error) {
	b = append(append(append(b, `{"access_token":"`...), a.accessToken...), `","token_type":"`...)
	b = append(append(b, a.tokenType...), `","expires_in":`...)
	b = strconv.AppendInt(b, int64(a.lifetime/time.Second), 10)
	if a.refreshToken != "" {
		b = appendString(append(b, `,"refresh_token":`...), a.refreshToken)
	}
	if a.idToken != "" {
		b = appendString(append(b, `,"id_token":`...), a.idToken)
	}
	b = appendScope(append(b, `,"scope":`...), a.token.Scopes)
	return appendExtra(b, "member", a.token.Members, reservedMembers)
}

// appendExtra writes what clients, grants and hooks add, and closes the object. A
// value that is nil is left out. A name of the endpoint's own fails the request:
// dropping it would leave its author in the belief that it is there.
func appendExtra(b []byte, kind string, extra map[string]any, reserved []string) ([]byte, error) {
	if len(extra) == 0 { // the hot path need not sort nothing
		return append(b, '}'), nil
	}
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		if isReserved(name, reserved) {
			return nil, fault(ReasonReservedName, fmt.Errorf("the %s %q is the endpoint's own and cannot be set", kind, name))
		}
		value, err := json.Marshal(extra[name])
		if err == nil && !utf8.ValidString(name) { // two such names could become one
			err = errors.New("the name is not UTF-8")
		}
		if err != nil {
			return nil, fault(ReasonUnencodable, fmt.Errorf("the %s %q: %w", kind, name, err))
		}
		if string(value) == "null" { // a member without a value is left out
			continue
		}
		b = append(append(appendString(append(b, ','), name), ':'), value...)
	}
	return append(b, '}'), nil
}
