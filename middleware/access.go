package middleware

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"time"
)

// Access is the record of one request to a guarded API. It holds no credential, and
// nothing that a stranger made up: what a token says is there only if the issuer is
// known to have said it.
type Access struct {
	Time     time.Time     // when the request arrived, by RequireToken.Now
	Duration time.Duration // of the check

	Status int          // of the refusal; zero if the request was let in
	Reason AccessReason // AccessGranted, or why not

	Resource   string     // RequireToken.Resource
	Pattern    string     // of the mux that found the route: http.Request.Pattern
	Needed     []string   // the scopes that are needed there
	RemoteAddr netip.Addr // see RequireToken.RemoteAddr; invalid if unknown

	Issuer   string // of the token, as all below; empty if it is unknown what the token says
	Audience []string
	Subject  string
	ClientID string
	TokenID  string // jti
	GrantID  string

	// Err is what went wrong in an outage or in the configuration, and why the client's
	// certificate could not be read; nil otherwise. Its text has the errors of stores and
	// of the functions of RequireToken as they were. It is for logs.
	Err error
}

// AccessReason says why a request was refused: a stable word for logs and counters. For
// what is wrong with a DPoP proof there are words that begin with dpop_ beyond those
// here, such as dpop_htu, named for the claim or member.
type AccessReason string

// The reasons.
const (
	AccessGranted AccessReason = "granted"

	AccessTokenAbsent    AccessReason = "token_absent"    // no header, or another scheme
	AccessTokenRepeated  AccessReason = "token_repeated"  // two headers, or one beside the query
	AccessTokenMalformed AccessReason = "token_malformed" // not a b64token, or longer than 16 KiB

	AccessTokenKind         AccessReason = "token_kind"         // not at+jwt, or not a JWT where only those are taken
	AccessTokenSignature    AccessReason = "token_signature"    // not by a key and algorithm of the issuer
	AccessTokenClaims       AccessReason = "token_claims"       // one is missing or has the wrong type
	AccessTokenInactive     AccessReason = "token_inactive"     // by introspection
	AccessTokenContradicted AccessReason = "token_contradicted" // introspection says something else than the JWT
	AccessTokenIssuer       AccessReason = "token_issuer"
	AccessTokenAudience     AccessReason = "token_audience"
	AccessTokenExpired      AccessReason = "token_expired"
	AccessTokenTooEarly     AccessReason = "token_too_early"
	AccessScope             AccessReason = "insufficient_scope"

	AccessTokenUnbound        AccessReason = "token_unbound"        // see RequireToken.RequireBound
	AccessTokenScheme         AccessReason = "token_scheme"         // bound to a key and sent as Bearer, or the reverse
	AccessConfirmationUnknown AccessReason = "confirmation_unknown" // bound to what the guard does not know, or is not set to check
	AccessCertificate         AccessReason = "certificate"          // none, another, or one that cannot be read
	AccessDPoPKey             AccessReason = "dpop_key"             // that of the proof is not that of the token
	AccessDPoPToken           AccessReason = "dpop_ath"             // the proof is for another token
	AccessDPoPNonce           AccessReason = "dpop_nonce"
	AccessDPoPReplayed        AccessReason = "dpop_replayed"

	AccessIssuerUnavailable AccessReason = "issuer_unavailable" // its keys or its introspection; in the same process, what these need
	AccessStoreUnavailable  AccessReason = "store_unavailable"  // of the proofs
	AccessCallerGone        AccessReason = "caller_gone"        // the connection ended before the verdict
	AccessMisconfigured     AccessReason = "misconfigured"
	AccessPanic             AccessReason = "panic" // of a function of the host
)

// tell tells the observer.
func (g *guard) tell(r *http.Request, v *visit, no *refusal, start time.Time) {
	ctx := r.Context()
	defer func() {
		if p := recover(); p != nil { // the verdict stands
			g.logger.ErrorContext(ctx, "panic in RequireToken.Observe or RemoteAddr", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
	}()
	access := Access{
		Time: v.arrived, Duration: time.Since(start), Reason: AccessGranted,
		Resource: g.Resource, Pattern: r.Pattern, Needed: v.needed, RemoteAddr: g.remoteAddr(r),
	}
	if no != nil {
		access.Status, access.Reason, access.Err = no.status(), no.reason, no.cause
		if no.code == codeUnavailable && ctx.Err() == context.Canceled {
			access.Reason = AccessCallerGone
		}
	}
	if c := v.claims; c != nil {
		access.Issuer, access.Audience, access.Subject, access.ClientID = c.Issuer, c.Audience, c.Subject, c.ClientID
		access.TokenID, access.GrantID = c.ID, c.GrantID
	}
	g.observe(context.WithoutCancel(ctx), access)
}

func logAccess(logger *slog.Logger) func(context.Context, Access) {
	return func(ctx context.Context, a Access) {
		level, message := slog.LevelInfo, "access refused"
		switch {
		case a.Reason == AccessGranted:
			level, message = slog.LevelDebug, "access granted"
		case a.Status >= http.StatusInternalServerError && a.Reason != AccessCallerGone:
			level, message = slog.LevelError, "access could not be judged"
		}
		if !logger.Enabled(ctx, level) {
			return
		}
		attrs := []slog.Attr{
			slog.String("reason", string(a.Reason)),
			slog.Int("status", a.Status),
			slog.String("client_id", a.ClientID),
			slog.String("sub", a.Subject),
			slog.Duration("duration", a.Duration),
			slog.String("resource", a.Resource),
		}
		if a.Pattern != "" {
			attrs = append(attrs, slog.String("pattern", a.Pattern))
		}
		if a.RemoteAddr.IsValid() {
			attrs = append(attrs, slog.String("remote_addr", a.RemoteAddr.String()))
		}
		switch a.Reason { // what was wanted and what was there is all that helps
		case AccessScope:
			attrs = append(attrs, slog.Any("needed", a.Needed))
		case AccessTokenIssuer, AccessTokenAudience:
			attrs = append(attrs, slog.String("iss", a.Issuer), slog.Any("aud", a.Audience))
		}
		if a.TokenID != "" {
			attrs = append(attrs, slog.String("jti", a.TokenID))
		}
		if a.GrantID != "" {
			attrs = append(attrs, slog.String("grant_id", a.GrantID))
		}
		if a.Err != nil {
			attrs = append(attrs, slog.String("error", a.Err.Error()))
		}
		logger.LogAttrs(ctx, level, message, attrs...)
	}
}
