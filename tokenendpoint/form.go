package tokenendpoint

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

// Bounds on what is read, before anything is done with it.
const (
	maxBody       = 64 << 10
	maxParameters = 100
	maxParameter  = 50 << 10
)

// maxLength bounds parameters, in octets. All others have maxParameter.
var maxLength = map[string]int{
	"client_id":        512,
	"client_secret":    512,
	"client_assertion": 16 << 10,
	"grant_type":       256,
	"scope":            4096,
	"resource":         2048,
	"acr_values":       1024,

	"device_code":               256,
	"auth_req_id":               256,
	"username":                  256,
	"password":                  1024,
	"login_hint":                1024,
	"login_hint_token":          8192,
	"id_token_hint":             8192,
	"binding_message":           1024,
	"user_code":                 256,
	"requested_expiry":          16,
	"client_notification_token": 1024, // CIBA section 7.1
}

// notInQuery are the parameters that must be in the body. The endpoint's own
// query may hold others (RFC 6749 section 3.2).
var notInQuery = []string{
	"client_id", "client_secret", "client_assertion", "client_assertion_type", "grant_type", "scope", "resource",
	"code", "code_verifier", "redirect_uri", "refresh_token", "device_code", "auth_req_id", "assertion",
	"username", "password", "acr_values", "login_hint", "login_hint_token", "id_token_hint", "binding_message",
	"user_code", "client_notification_token", "token", "access_token", "subject_token", "actor_token",
}

// parseForm reads a form body: every parameter once (RFC 6749 section 3.2), an
// empty one as if it were absent.
func parseForm(body string) (url.Values, error) {
	if strings.Count(body, "&") >= maxParameters {
		return nil, reject(InvalidRequest, ReasonTooManyParameters, "the request has too many parameters")
	}
	form, err := url.ParseQuery(body)
	if err != nil {
		return nil, reject(InvalidRequest, ReasonMalformedForm, "the body is not a well-formed form")
	}
	for name, values := range form {
		if len(values) > 1 && name != "resource" { // RFC 8707 section 2 repeats it
			return nil, reject(InvalidRequest, ReasonRepeatedParameter, "a parameter is repeated")
		}
		limit, ok := maxLength[name]
		if !ok {
			limit = maxParameter
		}
		kept := values[:0]
		for _, value := range values {
			if len(value) > limit {
				if !ok { // the name is a stranger's
					name = "a parameter"
				}
				return nil, reject(InvalidRequest, ReasonParameterTooLong, name+" is too long")
			}
			if !isText(value) {
				return nil, reject(InvalidRequest, ReasonMalformedForm, "a parameter holds invalid characters")
			}
			if value != "" {
				kept = append(kept, value)
			}
		}
		if !isText(name) {
			return nil, reject(InvalidRequest, ReasonMalformedForm, "a parameter holds invalid characters")
		}
		if len(kept) == 0 {
			delete(form, name)
		} else {
			form[name] = kept
		}
	}
	return form, nil
}

// checkQuery refuses a query that holds what belongs in the body, where it
// would end in logs and histories (RFC 6749 section 2.3.1).
func checkQuery(raw string) error {
	if raw == "" {
		return nil
	}
	query, err := url.ParseQuery(raw)
	if err != nil {
		return reject(InvalidRequest, ReasonMalformedForm, "the query is not well formed")
	}
	for _, name := range notInQuery {
		if query.Has(name) {
			return reject(InvalidRequest, ReasonQueryParameter, "parameters must be in the body, not in the query")
		}
	}
	return nil
}

// isText reports whether s is UTF-8 without control characters other than tab
// and line breaks.
func isText(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c < 0x20 && c != '\t' && c != '\n' && c != '\r' || c == 0x7f {
			return false
		}
	}
	return utf8.ValidString(s)
}

// isVSCHAR reports whether s is made of the characters of identifiers and
// secrets (RFC 6749 appendix A).
func isVSCHAR(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}
