package middleware

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/grantor-go/grantor/internal/accesstoken"
	"github.com/grantor-go/grantor/internal/fetch"
	"github.com/grantor-go/grantor/internal/issuerkeys"
	"github.com/grantor-go/grantor/internal/jose"
	"github.com/grantor-go/grantor/internal/proof"
)

// guard is a RequireToken that was checked, with defaults filled in.
type guard struct {
	*RequireToken
	fault       error // of the configuration; nothing below is to be relied on then
	parser      jose.Parser
	keys        *issuerkeys.Set
	nonces      *proof.Nonces // nil if none are wanted
	base        string        // what the path of a request follows in htu
	metadataURL string        // of the resource; empty if it has none
	schemes     []string      // that can succeed here: those of the challenges
	leeway      time.Duration
	now         func() time.Time
	remoteAddr  func(*http.Request) netip.Addr
	observe     func(context.Context, Access)
	logger      *slog.Logger
}

// visit is what is known of one request.
type visit struct {
	guard    *guard
	arrived  time.Time
	deadline time.Time // for all that is waited for, by the clock of contexts
	scheme   string    // that the token came with; empty if there is none
	raw      string    // the token
	needed   []string  // the scopes of all that the request has come to

	claims *accesstoken.Claims // nil until the issuer is known to have said them
	proof  *proof.DPoP         // nil if there is none to use up
	nonce  string              // for the answer
	token  Token               // zero until the request is let in
}

const defaultLeeway = 30 * time.Second

func (g *RequireToken) prepare() *guard {
	g.once.Do(func() {
		ready := &guard{
			RequireToken: g,
			fault:        g.Check(),
			base:         strings.TrimSuffix(g.BaseURL, "/"),
			leeway:       g.Leeway,
			now:          g.Now,
			remoteAddr:   g.RemoteAddr,
			observe:      g.Observe,
			logger:       g.Logger,
			metadataURL:  g.metadataURL(),
		}
		if ready.base == "" {
			ready.base = origin(g.Resource)
		}
		if ready.leeway == 0 {
			ready.leeway = defaultLeeway
		}
		if ready.now == nil {
			ready.now = time.Now
		}
		if ready.logger == nil {
			ready.logger = slog.Default()
		}
		if ready.remoteAddr == nil {
			ready.remoteAddr = peer
		}
		if ready.observe == nil {
			ready.observe = logAccess(ready.logger)
		}
		if !g.RequireBound || g.ClientCertificate != nil {
			ready.schemes = append(ready.schemes, schemeBearer)
		}
		if g.Replays != nil {
			ready.schemes = append(ready.schemes, schemeDPoP)
		}
		ready.keys = &issuerkeys.Set{Issuer: g.Issuer, JWKS: g.JWKS, Guard: fetch.Guard{Inside: g.InsecureNetworks}, Now: ready.now}
		ready.prepareNonces()
		if ready.fault != nil {
			ready.logger.Error("the guard of an API is misconfigured and refuses every request", "error", ready.fault)
		}
		g.ready = ready
	})
	return g.ready
}

func (g *guard) prepareNonces() {
	if !g.DPoPNonce || g.fault != nil {
		return
	}
	key := g.DPoPNonceKey
	if key == nil {
		key = make([]byte, 32)
		rand.Read(key)
	}
	g.nonces, g.fault = proof.NewNonces(key, proof.NoncePeriod, g.now)
}
