package store

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// ClientStore finds clients. Implementations are safe for concurrent use.
type ClientStore interface {
	// Client returns the client whose client_id is exactly id: compared byte
	// by byte, without folding case, trimming or normalising (RFC 6749
	// section 2.2 makes it an opaque string). A client that is disabled is
	// returned, with Disabled set.
	//
	// If there is no such client the result is nil and [ErrNotFound]; every other
	// error is an outage. id is what a stranger sent: 1 to 512 bytes of printable
	// ASCII, spaces included, at either end too.
	//
	// The caller does not alter the Client, and neither does the store once it
	// has been returned: a change is a new Client.
	Client(ctx context.Context, id string) (*Client, error)
}

// Client is a registered client: its public metadata, and what may never be
// shown or registered by the client itself. A store keeps the order of lists,
// and may return nil for an empty one. Times and durations are kept to the
// second.
type Client struct {
	Metadata

	// Secrets are the client's secrets. Any one that has not expired
	// authenticates it; an entry that cannot be read is skipped and reported.
	// At most three may use a slow hash (argon2id, bcrypt).
	Secrets []Secret `json:"-"`

	// AuthMethods is the set of ways in which the client may authenticate. It
	// takes precedence over Metadata.TokenEndpointAuthMethod. See Allows.
	AuthMethods []AuthMethod `json:"-"`

	// AccessTokenFormat is what the client's access tokens are.
	AccessTokenFormat AccessTokenFormat `json:"-"`

	// AccessTokenLifetime is how long the client's access tokens live, such as
	// 10*time.Minute; fractions of a second are cut off, and less than a second
	// fails its requests. Zero means the endpoint's default.
	AccessTokenLifetime time.Duration `json:"-"`

	// Claims are added to every access token of the client: what encoding/json
	// can write; integers beyond 2^53 may lose precision. A claim that the
	// endpoint writes itself (iss, sub, scope, ...) cannot be set here: the
	// request then fails as a server_error and the log names the claim.
	Claims map[string]any `json:"-"`

	// RefreshTokens says when the client gets refresh tokens. It also needs the
	// grant type refresh_token, and a user.
	RefreshTokens RefreshTokens `json:"-"`

	// Rotation says whether a refresh token is replaced when it is used.
	Rotation Rotation `json:"-"`

	// RefreshTokenLifetime is how long after the sign-in refresh tokens end,
	// however often they were used, and RefreshTokenIdle how long after the last
	// use. Zero means no such end; both zero mean 30 days after the sign-in.
	RefreshTokenLifetime time.Duration `json:"-"`
	RefreshTokenIdle     time.Duration `json:"-"`

	// FreshClaims gives refreshed tokens the claims that Config.Users sets at the
	// time, beside those that the grant itself was made with; without it they keep
	// those of the sign-in.
	FreshClaims bool `json:"-"`

	// DeviceCodeLifetime is how long a device code and its user code can be used,
	// BackchannelLifetime how long an auth_req_id unless the request says otherwise,
	// PollInterval how long the client waits between two polls for either. Zero means
	// 10 minutes, 5 minutes and 5 seconds.
	DeviceCodeLifetime  time.Duration `json:"-"`
	BackchannelLifetime time.Duration `json:"-"`
	PollInterval        time.Duration `json:"-"`

	// ProtectedResources are the APIs that the client is, if it is one: it may introspect
	// access tokens that have one of them in aud (RFC 7662 section 4). None means none.
	ProtectedResources []string `json:"-"`

	// IdentityProviders are those that the client may ask for by idp:NAME in
	// acr_values. Others are left out of what it asked for. None means none.
	IdentityProviders []string `json:"-"`

	// LegacyNoPKCE lets a client that authenticates have codes without a
	// code_challenge, LegacyPlainPKCE with the method plain (RFC 9700 section
	// 2.1.1 is against both).
	LegacyNoPKCE    bool `json:"-"`
	LegacyPlainPKCE bool `json:"-"`

	// DPoPNonce says that the client's proofs need a nonce of the endpoint's (RFC 9449
	// section 8), also where Config.DPoPNonce is off.
	DPoPNonce bool `json:"-"`

	// LegacyAssertionAudience accepts assertions whose audience is, or has among others,
	// the issuer or the URL of the token endpoint (RFC 10070 section 6).
	LegacyAssertionAudience bool `json:"-"`

	// LegacyAssertionWithoutID accepts assertions that have no jti. Each is good once as
	// well, so that of two that the client makes alike, within a second, one is refused.
	LegacyAssertionWithoutID bool `json:"-"`

	// Disabled refuses the client, with the answer an unknown client gets.
	Disabled bool `json:"-"`
}

// Metadata is the part of a client that may be shown and registered. Its JSON
// is that of RFC 7591 section 2.
type Metadata struct {
	// ID identifies the client: 1 to 512 printable ASCII characters.
	ID string `json:"client_id"`

	// Name is shown to people.
	Name string `json:"client_name,omitempty"`

	// RedirectURIs are compared by exact string match.
	RedirectURIs []string `json:"redirect_uris,omitempty"`

	// GrantTypes are the grant types that the client may use. None means none.
	GrantTypes []string `json:"grant_types,omitempty"`

	// Scope lists the scopes that the client may ask for, separated by spaces. A
	// client without any gets no token.
	Scope string `json:"scope,omitempty"`

	// TokenEndpointAuthMethod is the one way in which the client
	// authenticates, unless Client.AuthMethods lists several.
	TokenEndpointAuthMethod AuthMethod `json:"token_endpoint_auth_method,omitempty"`

	// TokenEndpointAuthSigningAlg is the one algorithm that the client's assertions are
	// signed by (OpenID Connect Registration section 2). Empty means any that fits its
	// keys, or its secret.
	TokenEndpointAuthSigningAlg string `json:"token_endpoint_auth_signing_alg,omitempty"`

	// TLSSubjectDN, and so on, are what the certificate of a client with tls_client_auth
	// says of it (RFC 8705 section 2.1.2): exactly one is set. A DN is written as in RFC
	// 4514, such as CN=client,O=Example.
	TLSSubjectDN string `json:"tls_client_auth_subject_dn,omitempty"`
	TLSSANDNS    string `json:"tls_client_auth_san_dns,omitempty"`
	TLSSANURI    string `json:"tls_client_auth_san_uri,omitempty"`
	TLSSANIP     string `json:"tls_client_auth_san_ip,omitempty"`
	TLSSANEmail  string `json:"tls_client_auth_san_email,omitempty"`

	// TLSBoundAccessTokens binds the client's tokens to its certificate, which it must
	// then always have (RFC 8705 section 3.4).
	TLSBoundAccessTokens bool `json:"tls_client_certificate_bound_access_tokens,omitempty"`

	// DPoPBoundAccessTokens says that the client always sends a DPoP proof (RFC 9449
	// section 5.2).
	DPoPBoundAccessTokens bool `json:"dpop_bound_access_tokens,omitempty"`

	// JWKS holds the public keys of the client as a JWK Set (RFC 7517 section 5),
	// JWKSURI is an https URL where it is: at most one of the two.
	JWKS    json.RawMessage `json:"jwks,omitempty"`
	JWKSURI string          `json:"jwks_uri,omitempty"`

	// IDTokenAlg is the algorithm that ID tokens for the client are signed with
	// (OpenID Connect Registration section 2). Empty means RS256 if there is such
	// a key, else that of the key that signs access tokens.
	IDTokenAlg string `json:"id_token_signed_response_alg,omitempty"`

	// DeliveryMode is how the client learns of a decision (CIBA section 4).
	DeliveryMode DeliveryMode `json:"backchannel_token_delivery_mode,omitempty"`

	// NotificationEndpoint is where a client with the mode ping is notified: an https
	// URL.
	NotificationEndpoint string `json:"backchannel_client_notification_endpoint,omitempty"`

	// UserCodeParameter says that the client may send a user_code (CIBA section 4).
	UserCodeParameter bool `json:"backchannel_user_code_parameter,omitempty"`
}

// DeliveryMode is how a client of CIBA learns that its user has decided.
type DeliveryMode string

const (
	DeliveryPoll DeliveryMode = "poll" // it asks at the token endpoint; what an empty mode means
	DeliveryPing DeliveryMode = "ping" // it is notified, and then asks
)

// AccessTokenFormat is what the access tokens of a client are.
type AccessTokenFormat string

const (
	AccessTokenJWT    AccessTokenFormat = ""       // a JWT (RFC 9068), which APIs verify by themselves
	AccessTokenOpaque AccessTokenFormat = "opaque" // a handle, which says nothing and is looked up by introspection (RFC 7662)
)

// RefreshTokens says when a client gets refresh tokens.
type RefreshTokens string

const (
	RefreshTokensOffline RefreshTokens = ""       // if offline_access is granted (OpenID Connect Core section 11)
	RefreshTokensAlways  RefreshTokens = "always" // whatever is granted
)

// Rotation says whether a refresh token is replaced when it is used.
type Rotation string

const (
	RotationDefault Rotation = ""       // rotate for public clients whose tokens are not bound to a key, keep for others (RFC 9700 section 4.14.2)
	RotationRotate  Rotation = "rotate" // a new one for each use
	RotationKeep    Rotation = "keep"   // the same until it ends; what the default rotates is rotated all the same
)

// AuthMethod is a way in which a client authenticates, by the names of the
// registry that RFC 7591 section 4.2 opened.
type AuthMethod string

// The methods that the endpoint knows.
const (
	// ClientSecretBasic sends the secret in the Authorization header (RFC 6749
	// section 2.3.1).
	ClientSecretBasic AuthMethod = "client_secret_basic"

	// PrivateKeyJWT signs an assertion by a key of the client's (RFC 7523 section 2.2,
	// OpenID Connect Core section 9).
	PrivateKeyJWT AuthMethod = "private_key_jwt"

	// ClientSecretJWT authenticates an assertion by the secret, which the service must
	// know as it was given out.
	ClientSecretJWT AuthMethod = "client_secret_jwt"

	// TLSClientAuth is a TLS certificate that a CA issued (RFC 8705 section 2.1),
	// SelfSignedTLSClientAuth one for a key of the client's (section 2.2).
	TLSClientAuth           AuthMethod = "tls_client_auth"
	SelfSignedTLSClientAuth AuthMethod = "self_signed_tls_client_auth"

	// ClientSecretPost sends the secret in the body (RFC 6749 section 2.3.1).
	ClientSecretPost AuthMethod = "client_secret_post"

	// NoAuth is the method of public clients, which have no secret and are
	// identified but not authenticated.
	NoAuth AuthMethod = "none"
)

// Allows reports whether the client may authenticate by m: m is one of
// AuthMethods or, if that is empty, is TokenEndpointAuthMethod or, if that is
// empty too and the client has secrets, is client_secret_basic or
// client_secret_post. A client that says nothing is never public.
func (c *Client) Allows(m AuthMethod) bool {
	switch {
	case len(c.AuthMethods) > 0:
		return slices.Contains(c.AuthMethods, m)
	case c.TokenEndpointAuthMethod != "":
		return c.TokenEndpointAuthMethod == m
	default:
		return len(c.Secrets) > 0 && (m == ClientSecretBasic || m == ClientSecretPost)
	}
}

// AllowsRedirect reports whether a redirect URI is one of the client's: the same
// string (RFC 6749 section 3.1.2.3), but for the port of an http URI on a loopback
// address, which native applications choose at run time (RFC 8252 section 7.3).
func (c *Client) AllowsRedirect(uri string) bool {
	if slices.Contains(c.RedirectURIs, uri) {
		return uri != ""
	}
	anyPort, ok := withoutLoopbackPort(uri)
	return ok && slices.ContainsFunc(c.RedirectURIs, func(registered string) bool {
		other, ok := withoutLoopbackPort(registered)
		return ok && other == anyPort
	})
}

// withoutLoopbackPort takes the port out of http://127.0.0.1 and http://[::1].
func withoutLoopbackPort(uri string) (string, bool) {
	for _, origin := range []string{"http://127.0.0.1", "http://[::1]"} {
		rest, ok := strings.CutPrefix(uri, origin)
		if !ok {
			continue
		}
		if port, isPort := strings.CutPrefix(rest, ":"); isPort {
			rest = strings.TrimLeft(port, "0123456789")
			if digits := len(port) - len(rest); digits == 0 || digits > 5 {
				return "", false
			}
		}
		return origin + rest, strings.HasPrefix(rest, "/") || rest == ""
	}
	return "", false
}
