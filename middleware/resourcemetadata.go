package middleware

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/grantor-go/grantor/internal/proof"
)

const wellKnownResource = "/.well-known/oauth-protected-resource"

// Mux is what Mount needs of a router. *http.ServeMux has it.
type Mux interface {
	Handle(pattern string, handler http.Handler)
}

// Mount adds the metadata of the API to mux (RFC 9728 section 3), at the path that
// challenges point to: "/.well-known/oauth-protected-resource" and then the path of
// Resource. It is for everybody, so mux is not behind Handler, and serves the host of
// Resource. Once for each Resource: like Handle of http.ServeMux it panics if the mux has
// a pattern that conflicts, such as "GET /". Mount does nothing if Resource is not an http
// or https URL, or if Check finds a problem.
func (g *RequireToken) Mount(mux Mux) {
	ready := g.prepare()
	if ready.metadataURL == "" || ready.fault != nil {
		return
	}
	u, _ := url.Parse(ready.metadataURL) // it was made from a URL
	pattern := u.EscapedPath()
	if strings.HasSuffix(pattern, "/") {
		pattern += "{$}"
	}
	body := ready.metadata()
	mux.Handle(pattern, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Access-Control-Allow-Origin", "*")
		switch r.Method {
		case http.MethodGet, http.MethodHead:
			header.Set("Content-Type", "application/json")
			header.Set("Cache-Control", "public, max-age=3600")
			_, _ = w.Write(body) // the caller is gone if this fails
		case http.MethodOptions:
			header.Set("Access-Control-Allow-Methods", "GET")
			w.WriteHeader(http.StatusNoContent)
		default:
			header.Set("Allow", "GET, HEAD, OPTIONS")
			w.WriteHeader(http.StatusMethodNotAllowed)
		}
	}))
}

// metadata is of RFC 9728 section 2. What has no value is left out (section 3.2).
func (g *guard) metadata() []byte {
	scopes := g.ScopesSupported
	if scopes == nil {
		scopes = g.Scopes
	}
	var algs []string
	if g.Replays != nil {
		algs = proof.Algorithms()
	}
	body, _ := json.Marshal(struct { // of strings: cannot fail
		Resource             string   `json:"resource"`
		AuthorizationServers []string `json:"authorization_servers"`
		Scopes               []string `json:"scopes_supported,omitempty"`
		BearerMethods        []string `json:"bearer_methods_supported"`
		CertificateBound     bool     `json:"tls_client_certificate_bound_access_tokens,omitempty"`
		DPoPAlgorithms       []string `json:"dpop_signing_alg_values_supported,omitempty"`
		DPoPRequired         bool     `json:"dpop_bound_access_tokens_required,omitempty"`
	}{
		Resource: g.Resource, AuthorizationServers: []string{g.Issuer}, Scopes: scopes, BearerMethods: []string{"header"},
		CertificateBound: g.ClientCertificate != nil,
		DPoPAlgorithms:   algs,
		DPoPRequired:     g.RequireBound && g.ClientCertificate == nil,
	})
	return body
}

// metadataURL inserts the well-known path between host and path of Resource (RFC 9728
// section 3.1). It is empty if Resource has no host.
func (g *RequireToken) metadataURL() string {
	u, ok := parseHTTP(g.Resource)
	if !ok {
		return ""
	}
	rest := strings.TrimPrefix(g.Resource, u.Scheme+"://"+u.Host)
	if path, query, _ := strings.Cut(rest, "?"); path == "/" {
		rest = strings.TrimSuffix("?"+query, "?")
	}
	return u.Scheme + "://" + u.Host + wellKnownResource + rest
}
