package tokenendpoint

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const defaultRetryAfter = 5 * time.Second

// Members are additional members of a token response.
type Members map[string]any

// write is the one writer of the endpoint's answers; documents that may be kept
// are written by public.
func write(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	values := []string{"no-store", "no-cache", strconv.Itoa(len(body)), "application/json"} // one allocation
	h["Cache-Control"] = values[0:1:1]                                                      // RFC 6749 section 5.1
	h["Pragma"] = values[1:2:2]
	h["Content-Length"] = values[2:3:3]
	if len(body) > 0 { // a revocation has none
		h["Content-Type"] = values[3:4:4]
	}
	w.WriteHeader(status)
	w.Write(body)
}

// writeError answers with an error and returns the status.
func writeError(w http.ResponseWriter, err *Error, issuer string) int {
	status := err.status
	switch {
	case status != 0:
	case err.Code == TemporarilyUnavailable && err.Reason == ReasonThrottled:
		status = http.StatusTooManyRequests
	default:
		status = err.Code.status()
	}
	switch status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Basic realm="`+issuer+`"`) // RFC 9110 section 15.5.2
	case http.StatusMethodNotAllowed:
		if w.Header().Get("Allow") == "" {
			w.Header().Set("Allow", http.MethodPost)
		}
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		after := err.RetryAfter
		if after <= 0 {
			after = defaultRetryAfter
		}
		w.Header().Set("Retry-After", strconv.Itoa(int((after+time.Second-1)/time.Second)))
	}
	body, _ := json.Marshal(struct { // two strings: cannot fail
		Error       string `json:"error"`
		Description string `json:"error_description,omitempty"`
	}{permitted(string(err.Code)), permitted(err.Description)})
	write(w, status, body)
	return status
}

// permitted leaves out what RFC 6749 section 5.2 does not allow in an error or
// its description.
func permitted(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == '"' || r == '\\' || r > 0x7e {
			return -1
		}
		return r
	}, s)
}
