package tokenendpoint

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/grantor-go/grantor/internal/secret"
	"github.com/grantor-go/grantor/store"
)

// Config describes an endpoint. Issuer, Clients, Scopes, Keys and Grants are
// required; the zero value of everything else is the safe choice. It is copied
// by [New].
type Config struct {
	// Issuer is the issuer identifier (RFC 8414 section 2): an https URL without
	// query and fragment, at most with a path. http is accepted for a loopback
	// host, for development.
	Issuer string

	// InsecureIssuer accepts an http issuer that is not on a loopback host.
	InsecureIssuer bool

	// Clients and Scopes find what is registered.
	Clients store.ClientStore
	Scopes  store.ScopeStore

	// Keys provides the signing keys: a *RollingKeys, StaticKeys or your own.
	Keys KeySource

	// Grants are the grant types that the endpoint serves.
	Grants []GrantValidator

	// Paths are where Mount puts the endpoints.
	Paths Paths

	// AccessTokenLifetime is for clients that have none of their own, such as
	// 10*time.Minute; fractions of a second are cut off. Zero means an hour.
	AccessTokenLifetime time.Duration

	// Records keeps what is granted to users: codes and refresh tokens. The grant
	// types of package grants that have users need it. With it every grant of a
	// user, also by a grant type of your own, is kept and can be revoked, at the
	// cost of one change of the store for each. Opaque access tokens and what was revoked
	// are kept here too. A store is of one issuer.
	Records store.GrantStore

	// Replays remembers what may be used once. Clients that authenticate by
	// private_key_jwt and client_secret_jwt, and those that send DPoP proofs, need it; nil
	// means that these are not supported.
	Replays store.ReplayStore

	// DPoPNonce has every DPoP proof carry a nonce of the endpoint's (RFC 9449 section 8),
	// which changes every five minutes. Clients can be asked one by one as well. DPoP
	// itself is supported if Replays is set.
	DPoPNonce bool

	// DPoPNonceKey are 32 random bytes that all nodes share, so that each knows the
	// nonces of the others. Nil means a key of this process's own.
	DPoPNonceKey []byte

	// ClientSecrets returns the secrets of a client as they were given to it, for
	// client_secret_jwt, which is computed with the secret itself and not its hash. It
	// leaves out those that have expired. Nil
	// means that the method is not supported. An error is an outage. At most four are
	// tried.
	ClientSecrets func(ctx context.Context, client *store.Client) ([]string, error)

	// InsecureNetworks are networks in which the jwks_uri of clients may be although they
	// are not public, such as that of a company: whoever registers a client can then have
	// requests sent there.
	InsecureNetworks []netip.Prefix

	// AuthorizationURL is the service's own authorization endpoint (RFC 6749
	// section 3.1), where users sign in and AuthorizationCode.Issue is called. It
	// is in the metadata, which then promises that its answers carry iss (RFC
	// 9207). Empty if there is none.
	AuthorizationURL string

	// Users, if set, is called whenever tokens are about to be issued for a user,
	// before Policy and with the same rules: is the user still there, and what is
	// to be said about them (Token.UserClaims)? It refuses by an error, most often
	// an Error with InvalidGrant, whose Revoke ends the grant for good. If another
	// request redeems the same grant at the same time it is called once more.
	//
	// It is called as well when a token of a user is introspected, who may be gone by
	// then: the token is inactive if it refuses, and what it alters has no effect. The
	// Request then has the Client of the token and no GrantType and Form, the Grant what is
	// known: Subject, ClientID and Scopes, and not the Session of a JWT.
	Users func(ctx context.Context, req *Request, token *Token) error

	// Policy, if set, is called for each token after its grant was validated and
	// before it is signed. It may narrow the token, add claims and members,
	// shorten the lifetime, or refuse by an error as a GrantValidator does. What
	// it must not do fails the request as a server_error: see Token.
	Policy func(ctx context.Context, req *Request, token *Token) error

	// Observe is told of each finished request, after the answer was written and
	// before the handler returns. Nil means LogEvents(Logger).
	Observe func(ctx context.Context, event Event)

	// Throttle slows down whoever guesses secrets. Nil means a *MemoryThrottle,
	// which counts in this process alone.
	Throttle Throttle

	// RemoteAddr tells the caller's address, which the Throttle counts by. Nil
	// means that of the connection: set it behind a proxy, to the method of
	// middleware.Proxies.
	RemoteAddr func(*http.Request) netip.Addr

	// ClientCertificate tells the certificate of the caller's TLS connection, nil if there
	// is none, and whether a CA that the service trusts issued it: set it to the method of
	// a middleware.ClientCertificates. Clients that authenticate by a certificate, or
	// whose tokens are bound to one (RFC 8705), need it; nil means that these are not
	// supported.
	ClientCertificate func(*http.Request) (cert *x509.Certificate, verified bool, err error)

	// MTLSURL is under which URL the endpoints ask for client certificates, if that is
	// another than Issuer: where paths begin, such as "https://mtls.shop.example". It is
	// in the metadata (RFC 8705 section 5).
	MTLSURL string

	// ReferenceHash is a stored secret (see store.Secret) that is compared when
	// the client is unknown or disabled, so that time does not tell. Set it to a
	// hash of the kind that most of your clients have. Empty means SHA-256.
	ReferenceHash string

	// Timeout bounds the stores, validators and hooks of one request, by their
	// context. Zero means ten seconds. When it is over the client is answered
	// 503. A change of the Records that has begun is given as long again. Reading the request is bounded by the http.Server.
	Timeout time.Duration

	// Logger receives panics, lints and, by default, events. Nil means
	// slog.Default(). RollingKeys has one of its own.
	Logger *slog.Logger

	// Now is the clock, for tests. Nil means time.Now. RollingKeys has one of its
	// own.
	Now func() time.Time
}

// New makes an endpoint. Its error names every problem of the Config at once.
func New(config Config) (*Endpoint, error) {
	e := &Endpoint{config: config, grants: make(map[string]GrantValidator), lints: lints{seen: make(map[string]bool)}}
	e.setDefaults()
	problems := []error{
		checkIssuer(config.Issuer, config.InsecureIssuer),
		required(config.Clients == nil, "Clients", "your store.ClientStore, or memory.NewClients(...)"),
		required(config.Scopes == nil, "Scopes", "your store.ScopeStore, or memory.NewScopes(...)"),
		required(config.Keys == nil, "Keys", "&RollingKeys{Dir: ...}, or StaticKeys{...}"),
		required(len(config.Grants) == 0, "Grants", "at least one, such as grants.ClientCredentials{}"),
		zeroOrMore("AccessTokenLifetime", config.AccessTokenLifetime, time.Second),
		zeroOrMore("Timeout", config.Timeout, time.Millisecond),
		e.addGrants(),
		required(config.Records == nil && e.needsRecords(), "Records", "your store.GrantStore, or new(memory.Grants)"),
		checkURL("AuthorizationURL", config.AuthorizationURL, "https://shop.example/connect/authorize"),
		checkMTLSURL(&config),
		required(config.Replays == nil && (config.DPoPNonce || config.DPoPNonceKey != nil), "Replays", "your store.ReplayStore, or new(memory.Replays): there is no DPoP without it"),
		e.config.Paths.check(),
		e.addCompanions(),
	}
	var err error
	if e.nonces, err = newNonces(config.DPoPNonceKey, e.config.Now); err != nil {
		problems = append(problems, err)
	}
	if e.reference, err = secret.Parse(e.config.ReferenceHash); err != nil {
		problems = append(problems, fieldError("ReferenceHash", ": %w; use a string that store.HashSecret returned", err))
	}
	if config.Keys != nil {
		ctx, cancel := context.WithTimeout(context.Background(), e.config.Timeout)
		defer cancel()
		if _, err := e.keys.signing(ctx, e.config.Now(), ""); err != nil {
			problems = append(problems, fieldError("Keys", ": %w", asError(err).Cause))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("tokenendpoint: the Config has problems:\n%w", err)
	}
	e.lintConfig()
	return e, nil
}

func (e *Endpoint) setDefaults() {
	c := &e.config
	c.Paths = c.Paths.withDefaults()
	c.AccessTokenLifetime = cmp.Or(c.AccessTokenLifetime.Truncate(time.Second), time.Hour)
	c.Timeout = cmp.Or(c.Timeout, 10*time.Second)
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Throttle == nil {
		c.Throttle = &MemoryThrottle{Now: c.Now}
	}
	if c.Observe == nil {
		c.Observe = LogEvents(c.Logger)
	}
	if c.RemoteAddr == nil {
		c.RemoteAddr = e.connectionAddr
	}
	if c.ReferenceHash == "" {
		c.ReferenceHash = store.HashSecret("")
	}
	e.secrets = secret.NewVerifier(nil)
	e.keys.source = c.Keys
	e.remoteKeys.Guard.Inside, e.remoteKeys.Now = c.InsecureNetworks, c.Now
}

func (e *Endpoint) needsRecords() bool {
	return slices.ContainsFunc(e.config.Grants, func(grant GrantValidator) bool {
		if _, ok := grant.(WithCompanion); ok {
			return true
		}
		return grant != nil && (grant.GrantType() == "authorization_code" || grant.GrantType() == "refresh_token")
	})
}

func (e *Endpoint) addGrants() error {
	var problems []error
	for i, grant := range e.config.Grants {
		if grant == nil {
			problems = append(problems, fieldError("Grants", "[%d] is nil; remove it", i))
			continue
		}
		name := grant.GrantType()
		switch {
		case name == "" || len(name) > maxLength["grant_type"] || !isScopeToken(name):
			problems = append(problems, fieldError("Grants", "[%d]: grant type %q is not 1 to 256 printable ASCII characters without spaces", i, name))
		case e.grants[name] != nil:
			problems = append(problems, fieldError("Grants", "[%d]: grant type %q is there twice; remove one", i, name))
		default:
			e.grants[name] = grant
		}
	}
	return errors.Join(problems...)
}
