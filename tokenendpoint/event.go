package tokenendpoint

import (
	"context"
	"log/slog"
	"net/netip"
	"time"

	"github.com/grantor-go/grantor/store"
)

// Event is the record of one finished request. It holds no credential, and
// nothing that a stranger made up: names that the endpoint does not know are
// left empty.
type Event struct {
	// Endpoint is the name of the endpoint that the request came to, such as
	// introspection_endpoint, revocation_endpoint or that of a companion, or that Form was
	// given. Empty: the token endpoint.
	// "decision": there was no request, a user has decided (Endpoint.Decide).
	// "introspection": there was none, and a token was not active (Endpoint.Introspect);
	// ClientID then is that of the token.
	Endpoint string

	Time     time.Time     // when the request arrived, by Config.Now
	Duration time.Duration // until the answer was written

	Status int       // of the answer; zero if there was no request
	Code   ErrorCode // empty if tokens were issued
	Reason Reason    // ReasonIssued or, of a companion, ReasonAnswered; or why not; see ReasonActive

	ClientID      string           // empty if the client is unknown or the request named none
	AuthMethod    store.AuthMethod // that the request used
	Authenticated bool             // and that proved a secret
	GrantType     string           // empty if it is not one that is configured

	Scopes     []string   // of the token
	TokenID    string     // jti of the token
	GrantID    string     // the family of what was issued, begun or to be redeemed; store.Match revokes it
	RemoteAddr netip.Addr // invalid if unknown

	// Err is what went wrong, nil if tokens were issued: an *Error, whose text has
	// the errors of stores, validators and hooks as they were. It is for logs.
	Err error
}

// LogEvents returns an observer that writes a line for each request: at Error
// what the operator must look at (status 500 and above), at Info what was
// refused or not waited for, at Debug what was issued. logger must not be nil. It is the default
// of Config.Observe; an observer of your own may call it.
func LogEvents(logger *slog.Logger) func(context.Context, Event) {
	return func(ctx context.Context, ev Event) {
		level, message := slog.LevelDebug, "token issued"
		switch {
		case ev.Status >= 500 && ev.Reason != ReasonCallerGone:
			level, message = slog.LevelError, "request failed"
		case ev.Code == AuthorizationPending || ev.Code == SlowDown:
			message = "token not yet issued"
		case ev.Code != "":
			level, message = slog.LevelInfo, "request refused"
		case ev.Reason == ReasonApproved || ev.Reason == ReasonDenied:
			level, message = slog.LevelInfo, "decided by a user"
		case ev.Endpoint == introspectionName && ev.Reason == ReasonOtherClient:
			level, message = slog.LevelInfo, "token not shown: it is of another client, and for none of this one's ProtectedResources"
		case ev.Endpoint == introspectionName, ev.Endpoint == "introspection":
			message = "token introspected"
		case ev.Endpoint == revocationName && ev.Reason == ReasonRevoked:
			level, message = slog.LevelInfo, "token revoked"
		case ev.Endpoint == revocationName:
			message = "no token to revoke"
		case ev.Endpoint != "":
			message = "request begun"
		}
		if !logger.Enabled(ctx, level) {
			return
		}
		attrs := []slog.Attr{
			slog.String("reason", string(ev.Reason)),
			slog.Int("status", ev.Status),
			slog.String("client_id", ev.ClientID),
		}
		if ev.GrantType != "" || ev.Endpoint == "" {
			attrs = append(attrs, slog.String("grant_type", ev.GrantType))
		}
		attrs = append(attrs, slog.Duration("duration", ev.Duration))
		if ev.Endpoint != "" {
			attrs = append(attrs, slog.String("endpoint", ev.Endpoint))
		}
		if ev.RemoteAddr.IsValid() {
			attrs = append(attrs, slog.String("remote_addr", ev.RemoteAddr.String()))
		}
		if ev.TokenID != "" {
			attrs = append(attrs, slog.String("jti", ev.TokenID))
		}
		if ev.GrantID != "" {
			attrs = append(attrs, slog.String("grant_id", ev.GrantID))
		}
		if ev.Err != nil {
			attrs = append(attrs, slog.String("error", ev.Err.Error()))
		}
		logger.LogAttrs(ctx, level, message, attrs...)
	}
}
