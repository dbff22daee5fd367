package middleware

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/grantor-go/grantor/internal/proof"
)

// The error codes: of RFC 6750 section 3.1, of RFC 9449 sections 7.1 and 9, and of what
// is not the caller's fault.
const (
	codeRequest     = "invalid_request"
	codeToken       = "invalid_token"
	codeScope       = "insufficient_scope"
	codeProof       = "invalid_dpop_proof"
	codeNonce       = "use_dpop_nonce"
	codeUnavailable = "temporarily_unavailable"
	codeServer      = "server_error"
)

// refusal is why a request is not let in. The description is for the caller and never
// quotes it; the cause is for the log.
type refusal struct {
	code        string // empty if there were no credentials (RFC 6750 section 3.1)
	description string
	reason      AccessReason
	cause       error
}

func refuse(code string, reason AccessReason, description string) *refusal {
	return &refusal{code: code, reason: reason, description: description}
}

func refuseToken(reason AccessReason, description string) *refusal {
	return refuse(codeToken, reason, description)
}

func outage(reason AccessReason, cause error) *refusal {
	return &refusal{codeUnavailable, "whether the access token is good cannot be found out now", reason, cause}
}

func broken(reason AccessReason, cause error) *refusal {
	return &refusal{codeServer, "the service is misconfigured", reason, cause}
}

func (no *refusal) status() int {
	switch no.code {
	case codeRequest:
		return http.StatusBadRequest
	case codeScope:
		return http.StatusForbidden
	case codeUnavailable:
		return http.StatusServiceUnavailable
	case codeServer:
		return http.StatusInternalServerError
	}
	return http.StatusUnauthorized
}

const retryAfter = "5" // seconds

func (no *refusal) write(w http.ResponseWriter, v *visit) {
	header, status := w.Header(), no.status()
	switch {
	case status == http.StatusServiceUnavailable:
		header.Set("Retry-After", retryAfter)
	case status < http.StatusInternalServerError:
		for _, scheme := range v.guard.schemes {
			header.Add("WWW-Authenticate", no.challenge(scheme, v))
		}
	}
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	body, _ := json.Marshal(struct { // of strings: cannot fail
		Error       string `json:"error,omitempty"`
		Description string `json:"error_description"`
	}{no.code, no.description})
	_, _ = w.Write(body) // the caller is gone if this fails
}

// challenge is that of one scheme (RFC 6750 section 3, RFC 9449 section 7.1). The error
// stands in that of the scheme that was used or, if that cannot succeed here, in all.
// Every value is made of the guard's own words, which may be quoted as they are.
func (no *refusal) challenge(scheme string, v *visit) string {
	var b strings.Builder
	b.WriteString(scheme)
	between := " "
	add := func(name, value string) {
		b.WriteString(between + name + `="` + value + `"`)
		between = ", "
	}
	if no.code != "" && (v.scheme == scheme || !slices.Contains(v.guard.schemes, v.scheme)) {
		add("error", no.code)
		add("error_description", no.description)
	}
	if len(v.needed) > 0 {
		add("scope", strings.Join(v.needed, " "))
	}
	if scheme == schemeDPoP {
		add("algs", strings.Join(proof.Algorithms(), " "))
	}
	if v.guard.metadataURL != "" {
		add("resource_metadata", v.guard.metadataURL) // RFC 9728 section 5.1
	} else {
		add("realm", v.guard.Resource) // there must be some attribute
	}
	return b.String()
}
