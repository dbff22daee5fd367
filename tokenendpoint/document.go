package tokenendpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"time"
)

// public serves a document that anyone may read and keep for a while, browsers
// of any origin included: it is the same for all and holds no secret.
func public(maxAge time.Duration, document func(*http.Request) ([]byte, error)) http.Handler {
	cacheControl := fmt.Sprintf("public, max-age=%d", maxAge/time.Second)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		switch r.Method {
		case http.MethodGet, http.MethodHead:
		case http.MethodOptions:
			w.Header().Set("Access-Control-Allow-Methods", "GET")
			w.WriteHeader(http.StatusNoContent)
			return
		default:
			w.Header().Set("Allow", "GET, HEAD, OPTIONS")
			failure := reject(InvalidRequest, ReasonMethod, "the method must be GET")
			failure.status = http.StatusMethodNotAllowed
			writeError(w, failure, "")
			return
		}
		body, err := document(r)
		if err != nil {
			writeError(w, outage(ReasonKeysUnavailable, err), "")
			return
		}
		sum := sha256.Sum256(body)
		w.Header().Set("ETag", `"`+base64.RawURLEncoding.EncodeToString(sum[:16])+`"`)
		w.Header().Set("Cache-Control", cacheControl)
		w.Header().Set("Content-Type", "application/json")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body)) // answers If-None-Match and HEAD
	})
}
