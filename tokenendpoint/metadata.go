package tokenendpoint

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/grantor-go/grantor/internal/proof"
	"github.com/grantor-go/grantor/store"
)

const (
	metadataMaxAge = time.Hour
	jwksMaxAge     = 5 * time.Minute // well below RollingKeys.PublishAhead
)

// metadataDocument is the authorization server metadata (RFC 8414 section 2) with
// the members of OpenID Connect Discovery section 3. A server without an
// authorization endpoint has no response type, and an empty array is not allowed,
// so response_types_supported is left out.
type metadataDocument struct {
	Issuer                   string             `json:"issuer"`
	AuthorizationEndpoint    string             `json:"authorization_endpoint,omitempty"`
	TokenEndpoint            string             `json:"token_endpoint"`
	JWKSURI                  string             `json:"jwks_uri"`
	ResponseTypes            []string           `json:"response_types_supported,omitempty"`
	GrantTypes               []string           `json:"grant_types_supported"`
	SubjectTypes             []string           `json:"subject_types_supported,omitempty"`
	IDTokenAlgs              []Alg              `json:"id_token_signing_alg_values_supported,omitempty"`
	TokenEndpointAuthMethods []store.AuthMethod `json:"token_endpoint_auth_methods_supported"`
	TokenEndpointAuthAlgs    []string           `json:"token_endpoint_auth_signing_alg_values_supported,omitempty"`
	IntrospectionEndpoint    string             `json:"introspection_endpoint"`
	IntrospectionAuthMethods []store.AuthMethod `json:"introspection_endpoint_auth_methods_supported"`
	IntrospectionAuthAlgs    []string           `json:"introspection_endpoint_auth_signing_alg_values_supported,omitempty"`
	RevocationEndpoint       string             `json:"revocation_endpoint,omitempty"`
	RevocationAuthMethods    []store.AuthMethod `json:"revocation_endpoint_auth_methods_supported,omitempty"`
	RevocationAuthAlgs       []string           `json:"revocation_endpoint_auth_signing_alg_values_supported,omitempty"`
	CodeChallengeMethods     []string           `json:"code_challenge_methods_supported,omitempty"`
	TLSBoundTokens           bool               `json:"tls_client_certificate_bound_access_tokens,omitempty"`
	MTLSAliases              map[string]string  `json:"mtls_endpoint_aliases,omitempty"`
	DPoPAlgs                 []string           `json:"dpop_signing_alg_values_supported,omitempty"`
	IssParameter             bool               `json:"authorization_response_iss_parameter_supported,omitempty"` // RFC 9207 section 3
	RequestURIParameter      bool               `json:"request_uri_parameter_supported"`                          // absent would mean true
}

func (e *Endpoint) metadata() []byte {
	base := strings.TrimSuffix(e.config.Issuer, "/")
	document := metadataDocument{
		Issuer:                   e.config.Issuer,
		AuthorizationEndpoint:    e.config.AuthorizationURL,
		TokenEndpoint:            base + e.config.Paths.Token,
		JWKSURI:                  base + e.config.Paths.JWKS,
		GrantTypes:               slices.Sorted(maps.Keys(e.grants)),
		TokenEndpointAuthMethods: []store.AuthMethod{store.ClientSecretBasic, store.ClientSecretPost, store.NoAuth},
	}
	if e.supports(store.PrivateKeyJWT) {
		document.TokenEndpointAuthMethods = append(document.TokenEndpointAuthMethods, store.PrivateKeyJWT)
		document.TokenEndpointAuthAlgs = assertionAlgs
		document.DPoPAlgs = proof.Algorithms()
	}
	if e.supports(store.ClientSecretJWT) {
		document.TokenEndpointAuthMethods = append(document.TokenEndpointAuthMethods, store.ClientSecretJWT)
		document.TokenEndpointAuthAlgs = slices.Concat(assertionAlgs, secretAlgs)
	}
	if e.supports(store.TLSClientAuth) {
		document.TokenEndpointAuthMethods = append(document.TokenEndpointAuthMethods, store.TLSClientAuth, store.SelfSignedTLSClientAuth)
		document.TLSBoundTokens, document.MTLSAliases = true, e.aliases()
	}
	document.IntrospectionEndpoint = base + e.config.Paths.Introspection
	document.IntrospectionAuthMethods = without(document.TokenEndpointAuthMethods, store.NoAuth)
	document.IntrospectionAuthAlgs = document.TokenEndpointAuthAlgs
	if e.config.Records != nil {
		document.RevocationEndpoint = base + e.config.Paths.Revocation
		document.RevocationAuthMethods = document.TokenEndpointAuthMethods
		document.RevocationAuthAlgs = document.TokenEndpointAuthAlgs
	}
	if e.grants["authorization_code"] != nil {
		document.CodeChallengeMethods = []string{"S256"} // plain is a legacy switch of clients
	}
	if e.config.AuthorizationURL != "" {
		document.ResponseTypes, document.IssParameter = []string{"code"}, true
	}
	if e.config.AuthorizationURL != "" || e.needsRecords() { // users sign in, and may get ID tokens
		document.SubjectTypes, document.IDTokenAlgs = []string{"public"}, e.keys.algs()
	}
	encoded, _ := json.Marshal(document) // strings alone: cannot fail
	more := make(map[string]any)
	for _, c := range e.companions {
		maps.Copy(more, c.Metadata)
		more[c.Name] = base + c.Path
	}
	encoded, _ = appendExtra(encoded[:len(encoded)-1], "metadata member", more, nil) // addCompanions tried
	return encoded
}

func without(methods []store.AuthMethod, method store.AuthMethod) []store.AuthMethod {
	return slices.DeleteFunc(slices.Clone(methods), func(m store.AuthMethod) bool { return m == method })
}

// aliases are where the endpoints ask for certificates (RFC 8705 section 5).
func (e *Endpoint) aliases() map[string]string {
	if e.config.MTLSURL == "" {
		return nil
	}
	base := strings.TrimSuffix(e.config.MTLSURL, "/")
	aliases := map[string]string{"token_endpoint": base + e.config.Paths.Token, introspectionName: base + e.config.Paths.Introspection}
	if e.config.Records != nil {
		aliases[revocationName] = base + e.config.Paths.Revocation
	}
	for _, c := range e.companions {
		aliases[c.Name] = base + c.Path
	}
	return aliases
}

// isOwnMetadata reports whether a member is the endpoint's own.
func isOwnMetadata(name string) bool {
	document := reflect.TypeFor[metadataDocument]()
	for i := range document.NumField() {
		own, _, _ := strings.Cut(document.Field(i).Tag.Get("json"), ",")
		if strings.EqualFold(own, name) {
			return true
		}
	}
	return false
}

// JWKS returns the JWK Set (RFC 7517 section 5): every key that signs, will sign, or
// signed what may still be valid. It is for an API in the same process, by
// middleware.RequireToken; others fetch it. The error is an outage.
func (e *Endpoint) JWKS(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, e.config.Timeout)
	defer cancel()
	set, err := e.keys.load(ctx)
	if err != nil {
		return nil, err
	}
	return set.published(e.config.Now()), nil
}

func (e *Endpoint) jwks(r *http.Request) (document []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
		if err != nil {
			e.config.Logger.ErrorContext(r.Context(), "the JWKS cannot be served", "error", err.Error())
		}
	}()
	return e.JWKS(r.Context())
}
