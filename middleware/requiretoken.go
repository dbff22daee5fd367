package middleware

import (
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"sync"
	"time"
)

// RequireToken guards an API: requests without an access token of the issuer that is
// good for the API are refused as RFC 6750, RFC 9449 and RFC 9728 say, and never reach
// the handler behind it, which finds the verified token by [TokenFrom].
//
// A token comes in the Authorization header, with the scheme Bearer or DPoP, and
// nowhere else; the body is not read. One of three parts is a JWT and must be one by
// RFC 9068; any other is asked about by Introspect. A token that is bound to a key (RFC
// 9449) or a certificate (RFC 8705) is good only with them.
//
// Issuer and Resource are needed, nothing else. The zero values of the rest are safe. A
// RequireToken is not altered or copied once it is in use, and is safe for concurrent
// use. No request waits longer than ten seconds for the issuer and the store of proofs.
// Browsers' preflights have no token: what answers them belongs around the guard.
type RequireToken struct {
	// Issuer is the iss of the tokens: an https URL, or http on a loopback host.
	Issuer string
	// Resource identifies the API: it is in the aud of its tokens, and is the resource
	// of its metadata (RFC 9728). An absolute URI without a fragment, such as
	// "https://api.example/orders", and at an issuer that uses grantor in Scope.Resources.
	// No two APIs share one (RFC 9068 section 5).
	Resource string

	// JWKS returns the key set of the issuer, such as the method JWKS of a token
	// endpoint in the same process. An error is an outage. Nil: the issuer's metadata
	// says where its keys are (RFC 8414); they are fetched and kept.
	JWKS func(context.Context) ([]byte, error)
	// Introspect returns what the issuer says of a token (RFC 7662 section 2.2), such
	// as the method Introspect of a token endpoint in the same process, or of an
	// [Introspection]. It ends with ctx, and what it returned is not altered afterwards.
	// An error is an outage, and its text, which is logged, must not have the token. Nil:
	// only JWTs are taken.
	Introspect func(ctx context.Context, token string) ([]byte, error)
	// IntrospectJWT has Introspect asked about JWTs too, so that one that was revoked is
	// refused before it expires.
	IntrospectJWT bool

	// Scopes are those that every token needs. See RequireScopes for those of a route.
	Scopes []string
	// ScopesSupported are those that the metadata names. Nil: Scopes.
	ScopesSupported []string
	// RequireBound refuses tokens that are bound to neither a key nor a certificate.
	RequireBound bool

	// Replays remembers the DPoP proofs that were used; any store.ReplayStore does. All
	// processes that serve the API share it. Nil: DPoP is off, and tokens that are bound
	// to a key are refused.
	Replays ReplayStore
	// DPoPNonce wants a nonce of the guard in each proof (RFC 9449 section 9).
	DPoPNonce bool
	// DPoPNonceKey is what nonces are made from: 32 random bytes, the same in all
	// processes that serve the API. Nil: bytes of this process alone.
	DPoPNonceKey []byte
	// BaseURL is the URL under which callers know what the handler sees as "/". Proofs
	// must be for it and the path, whatever the headers of the request say. Empty: scheme
	// and host of Resource.
	BaseURL string

	// ClientCertificate returns the certificate of the caller, nil if there is none;
	// [ClientCertificates.Of] does. Nil: tokens that are bound to one are refused.
	ClientCertificate func(*http.Request) (cert *x509.Certificate, verified bool, err error)

	// RemoteAddr tells the address of the caller for Observe, behind a proxy the method of
	// [Proxies]. Nil: that of the connection.
	RemoteAddr func(*http.Request) netip.Addr

	// Leeway is how far the clocks of issuer and API may differ: 30 seconds if zero, at
	// most 5 minutes.
	Leeway time.Duration
	// InsecureNetworks are private networks in which the issuer may be, such as 127.0.0.0/8
	// for one on this machine. Nil: its addresses must be public. It does not matter if
	// JWKS is set.
	InsecureNetworks []netip.Prefix

	// Observe is told of each request, before the handler is called. It must be quick and
	// safe for concurrent use. Nil: lines for Logger, at Debug what was let in, at Info
	// what was refused, at Error what the operator must look at.
	Observe func(context.Context, Access)
	Logger  *slog.Logger     // nil: slog.Default()
	Now     func() time.Time // the clock; nil: time.Now

	once  sync.Once
	ready *guard
}

// ReplayStore remembers ids that may be used once. It is a part of store.ReplayStore,
// whose promises it makes.
type ReplayStore interface {
	// Use reports whether this is the first use of an id, which is remembered for at
	// least lifetime. It ends with ctx. Every error is an outage.
	Use(ctx context.Context, id string, lifetime time.Duration) (first bool, err error)
}

// timeout bounds what one request waits for: the issuer and the store of proofs. Most
// wait for neither, so that the deadline is set where something is waited for; issuerkeys
// has its own, as long, for the keys, which come first.
const timeout = 10 * time.Second

// Handler calls next with the requests that have a token that is good. If Check finds a
// problem all requests are refused, with 500, and the reason is logged.
func (g *RequireToken) Handler(next http.Handler) http.Handler {
	guard := g.prepare()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		v := &visit{guard: guard, arrived: guard.now(), deadline: start.Add(timeout), needed: g.Scopes}
		refused := guard.admit(r, v)
		guard.tell(r, v, refused, start)
		if v.nonce != "" {
			w.Header().Set("DPoP-Nonce", v.nonce)
			w.Header().Set("Cache-Control", "no-store") // the nonce is for this caller (RFC 9449 section 8.2)
		}
		if refused != nil {
			refused.write(w, v)
			return
		}
		v.token = tokenOf(v.claims)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), visitKey{}, v)))
	})
}

// admit is the way of a request. Whatever can be checked is checked before the proof is
// used up.
func (g *guard) admit(r *http.Request, v *visit) (no *refusal) {
	if g.fault != nil {
		return broken(AccessMisconfigured, g.fault)
	}
	defer func() {
		if p := recover(); p != nil { // of a function of the host
			no = broken(AccessPanic, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
	}()
	if no := g.readCredentials(r, v); no != nil {
		return no
	}
	if no := g.verify(r.Context(), v); no != nil {
		return no
	}
	if no := g.prove(r, v); no != nil {
		return no
	}
	if no := v.permit(); no != nil {
		return no
	}
	return g.useProof(r.Context(), v)
}
