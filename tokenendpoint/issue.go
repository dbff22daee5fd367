package tokenendpoint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// Names that only the endpoint writes.
var (
	reservedClaims = []string{
		"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "scope", "auth_time", "acr", "amr", "cnf",
	}
	reservedMembers = []string{
		"access_token", "token_type", "expires_in", "refresh_token", "id_token", "scope",
		"error", "error_description", "error_uri",
	}
)

// IsReservedClaim reports whether the endpoint alone writes the claim of this
// name, so that it cannot be set by clients, grants and hooks.
func IsReservedClaim(name string) bool { return isReserved(name, reservedClaims) }

// isReserved ignores case, as some readers of JSON do.
func isReserved(name string, reserved []string) bool {
	return slices.ContainsFunc(reserved, func(own string) bool { return strings.EqualFold(own, name) })
}

// tokenResponse is a response, ready to be written.
type tokenResponse struct {
	body    []byte
	scopes  []string
	tokenID string
}

// issue is step 6: it signs the token and composes the response.
func (e *Endpoint) issue(ctx context.Context, req *Request, token *Token) (*tokenResponse, error) {
	now := e.config.Now()
	key, err := e.keys.signing(ctx, now)
	if err != nil {
		return nil, err
	}
	lifetime := key.limit(now, token.Lifetime)
	if lifetime < token.Lifetime {
		e.lint(LintLifetimeCut, req.Client.ID, "tokens of client %q live %v instead of %v, because key %q is published no longer; "+
			"lengthen RollingKeys.PublishAfter or Key.PublishUntil", req.Client.ID, lifetime, token.Lifetime, key.ID)
	}
	id := uuid.NewString()
	claims, err := appendClaims(make([]byte, 0, 512), req, token, e.audience(req, token), id, now.Unix(), lifetime)
	if err != nil {
		return nil, err
	}
	jwt, err := key.signer.Sign(claims)
	if err != nil {
		return nil, outage(ReasonKeysUnavailable, err)
	}
	body, err := appendResponse(make([]byte, 0, len(jwt)+256), jwt, token, lifetime)
	if err != nil {
		return nil, err
	}
	return &tokenResponse{body: body, scopes: token.Scopes, tokenID: id}, nil
}

// appendClaims writes the claims of RFC 9068 section 2.2, by hand because it is a
// third of the endpoint's own work.
func appendClaims(b []byte, req *Request, token *Token, audience []string, id string, now int64, lifetime time.Duration) ([]byte, error) {
	subject := token.Grant.Subject
	if subject == "" {
		subject = req.Client.ID
	}
	b = appendString(append(b, `{"iss":`...), req.Issuer)
	b = appendString(append(b, `,"sub":`...), subject)
	b = append(b, `,"aud":`...)
	if len(audience) == 1 {
		b = appendString(b, audience[0])
	} else {
		b = appendStrings(b, audience)
	}
	b = appendString(append(b, `,"client_id":`...), req.Client.ID)
	b = strconv.AppendInt(append(b, `,"exp":`...), now+int64(lifetime/time.Second), 10)
	b = strconv.AppendInt(append(b, `,"iat":`...), now, 10)
	b = strconv.AppendInt(append(b, `,"nbf":`...), now, 10)
	b = appendString(append(b, `,"jti":`...), id)
	b = appendScope(append(b, `,"scope":`...), token.Scopes)
	if !token.Grant.AuthTime.IsZero() {
		b = strconv.AppendInt(append(b, `,"auth_time":`...), token.Grant.AuthTime.Unix(), 10)
	}
	if token.Grant.ACR != "" {
		b = appendString(append(b, `,"acr":`...), token.Grant.ACR)
	}
	if len(token.Grant.AMR) > 0 {
		b = appendStrings(append(b, `,"amr":`...), token.Grant.AMR)
	}
	return appendExtra(b, "claim", token.Claims, reservedClaims)
}

// appendResponse writes the response of RFC 6749 section 5.1. The scope is
// always there, so that the client never has to guess.
func appendResponse(b []byte, jwt string, token *Token, lifetime time.Duration) ([]byte, error) {
	b = append(append(append(b, `{"access_token":"`...), jwt...), `","token_type":"Bearer","expires_in":`...)
	b = strconv.AppendInt(b, int64(lifetime/time.Second), 10)
	b = appendScope(append(b, `,"scope":`...), token.Scopes)
	return appendExtra(b, "member", token.Members, reservedMembers)
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

// audience returns the resources that the token is for (RFC 9068 section 3):
// those asked for or, if none were, those that its scopes belong to.
func (e *Endpoint) audience(req *Request, token *Token) []string {
	if token.Resources != nil {
		return token.Resources
	}
	all := resourcesOfAll(req.allowed, token.Scopes, req.Issuer)
	if len(all) > 1 {
		e.lint(LintSeveralAudiences, req.Client.ID, "a token of client %q is good for %d resources at once; "+
			"have the client ask for one by the resource parameter, so that no API can use it at another", req.Client.ID, len(all))
	}
	return all
}
