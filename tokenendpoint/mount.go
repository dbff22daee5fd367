package tokenendpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Paths are the paths of the endpoints, relative to the issuer. Empty ones have
// the defaults shown.
type Paths struct {
	Token string // /connect/token
	JWKS  string // /.well-known/openid-configuration/jwks
}

func (p Paths) withDefaults() Paths {
	if p.Token == "" {
		p.Token = "/connect/token"
	}
	if p.JWKS == "" {
		p.JWKS = "/.well-known/openid-configuration/jwks"
	}
	return p
}

func (p Paths) check() error {
	var problems []error
	for _, field := range []struct{ name, path string }{{"Token", p.Token}, {"JWKS", p.JWKS}} {
		switch {
		case !isPlainPath(field.path) || strings.HasSuffix(field.path, "/"):
			problems = append(problems, fieldError("Paths."+field.name, ` %q is not a path of letters, digits and -._~, such as "/connect/token"`, field.path))
		case field.path == discoveryPath || field.path == serverPath:
			problems = append(problems, fieldError("Paths."+field.name, " %q is where the metadata is; choose another", field.path))
		}
	}
	if p.Token == p.JWKS {
		problems = append(problems, fieldError("Paths.Token", " and Paths.JWKS are both %q; choose two", p.Token))
	}
	return errors.Join(problems...)
}

// isPlainPath reports whether a path means the same to every router: segments of
// unreserved characters (RFC 3986 section 2.3), none of them empty or dots.
func isPlainPath(path string) bool {
	if path == "/" {
		return true
	}
	segments, isAbsolute := strings.CutPrefix(strings.TrimSuffix(path, "/"), "/")
	for segment := range strings.SplitSeq(segments, "/") {
		if segment == "" || segment == "." || segment == ".." || strings.Trim(segment, unreserved) != "" {
			return false
		}
	}
	return isAbsolute
}

const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

// Where clients look for metadata.
const (
	serverPath    = "/.well-known/oauth-authorization-server" // inserted: RFC 8414 section 3
	discoveryPath = "/.well-known/openid-configuration"       // appended: Discovery section 4
)

// Mux is what Mount needs of a router. *http.ServeMux has it.
type Mux interface {
	Handle(pattern string, handler http.Handler)
}

// Mount adds to mux the token endpoint, the JWKS and the metadata of both kinds
// (RFC 8414 and OpenID Connect Discovery). The paths begin with the path of the
// issuer, if it has one: the mux is to see requests as clients send them. Like
// Handle of http.ServeMux it panics if the mux has a pattern that conflicts, such
// as "GET /": use "/" or "GET /{$}".
func (e *Endpoint) Mount(mux Mux) {
	base := e.issuerPath()
	mux.Handle(base+e.config.Paths.Token, e)
	mux.Handle(base+e.config.Paths.JWKS, public(jwksMaxAge, e.jwks))
	metadata := e.metadata()
	serve := public(metadataMaxAge, func(*http.Request) ([]byte, error) { return metadata, nil })
	mux.Handle(serverPath+base, serve)
	mux.Handle(base+discoveryPath, serve)
}

// issuerPath is the issuer's path without its trailing slash.
func (e *Endpoint) issuerPath() string {
	u, _ := url.Parse(e.config.Issuer) // New checked it
	return strings.TrimSuffix(u.Path, "/")
}

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
			write(w, http.StatusMethodNotAllowed, []byte(`{"error":"invalid_request","error_description":"the method must be GET"}`))
			return
		}
		body, err := document(r)
		if err != nil {
			w.Header().Set("Retry-After", "5")
			write(w, http.StatusServiceUnavailable, []byte(`{"error":"temporarily_unavailable"}`))
			return
		}
		sum := sha256.Sum256(body)
		w.Header().Set("ETag", `"`+base64.RawURLEncoding.EncodeToString(sum[:16])+`"`)
		w.Header().Set("Cache-Control", cacheControl)
		w.Header().Set("Content-Type", "application/json")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body)) // answers If-None-Match and HEAD
	})
}
