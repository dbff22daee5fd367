package middleware

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"time"
)

// RequireScopes lets requests pass whose token has all these scopes, and refuses others
// with 403 and insufficient_scope (RFC 6750 section 3.1). It is for the routes inside
// [RequireToken.Handler], whose own Scopes every token has already; the Observe of that
// is told of a refusal, as of a second request.
//
// Around it there must be a RequireToken: without the token of one, without scopes, and
// with some that are none (RFC 6749 section 3.3), every request is refused with 500 and the
// reason is logged to [slog.Default].
func RequireScopes(scopes ...string) func(http.Handler) http.Handler {
	scopes = slices.Clone(scopes)
	fault := checkScopes(scopes)
	if len(scopes) == 0 {
		fault = errors.New("it names no scope, and would let everybody in")
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			start := time.Now()
			outer, ok := r.Context().Value(visitKey{}).(*visit)
			if !ok || fault != nil {
				refuseMisplaced(w, r, fault)
				return
			}
			v := *outer
			v.arrived, v.needed = v.guard.now(), union(outer.needed, scopes)
			if no := v.permit(); no != nil {
				v.guard.tell(r, &v, no, start)
				no.write(w, &v)
				return
			}
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), visitKey{}, &v)))
		})
	}
}

// permit looks at the scopes of the verified token.
func (v *visit) permit() *refusal {
	for _, scope := range v.needed {
		if !slices.Contains(v.claims.Scopes, scope) {
			return refuse(codeScope, AccessScope, "the access token lacks a scope that is needed here")
		}
	}
	return nil
}

// refuseMisplaced fails closed: the host has made a mistake, and there is no guard that
// could tell its observer.
func refuseMisplaced(w http.ResponseWriter, r *http.Request, fault error) {
	if fault == nil {
		fault = errors.New("there is no RequireToken around it")
	}
	slog.Default().ErrorContext(r.Context(), "middleware.RequireScopes refuses every request", "error", fault)
	broken(AccessMisconfigured, fault).write(w, &visit{})
}

func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}
