package middleware_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grantor-go/grantor/middleware"
)

// An outage is never a verdict on the token, and the reason stands in the log alone.
func TestOutages(t *testing.T) {
	broken := errors.New("canary-of-the-engine")
	for _, c := range []struct {
		name string
		set  func(*gate)
		ask  func(g *gate) []string
		want string
	}{
		{"the keys cannot be had", func(g *gate) { g.keysErr = broken }, func(g *gate) []string {
			return []string{"Authorization", "Bearer " + g.token(nil)}
		}, "503 temporarily_unavailable issuer_unavailable"},
		{"the issuer cannot be asked", func(g *gate) { withIntrospection(g); g.askError = broken }, func(*gate) []string {
			return []string{"Authorization", "Bearer opaque"}
		}, "503 temporarily_unavailable issuer_unavailable"},
		{"the issuer cannot be asked about a JWT", func(g *gate) { withIntrospection(g); g.askError, g.guard.IntrospectJWT = broken, true }, func(g *gate) []string {
			return []string{"Authorization", "Bearer " + g.token(nil)}
		}, "503 temporarily_unavailable issuer_unavailable"},
		{"the store of the proofs is out", func(g *gate) { withDPoP(g); g.replays.err = broken }, func(g *gate) []string {
			p := newProver(g)
			token := p.token()
			return []string{"Authorization", "DPoP " + token, "DPoP", p.proof(token, nil, nil)}
		}, "503 temporarily_unavailable store_unavailable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGate(t, c.set)
			w := g.get(c.ask(g)...)
			if log := g.log.String(); !strings.Contains(log, "level=ERROR") || !strings.Contains(log, broken.Error()) {
				t.Errorf("the log is %s", log)
			}
			g.expect(w, c.want)
			if strings.Contains(w.Body.String(), "canary") || w.Header().Get("Retry-After") != "5" {
				t.Errorf("got %v %s", w.Header(), w.Body)
			}
		})
	}
}

// A rejection that is found first is one, whatever is out.
func TestARejectionIsNoOutage(t *testing.T) {
	g := newGate(t, withDPoP, func(g *gate) { g.keysErr, g.replays.err = errors.New("out"), errors.New("out") })
	g.expect(g.get(), "401 token_absent")
	g.expect(g.bearer("opaque"), "401 invalid_token token_kind")
}

// Nobody waits for the answer: the operator need not look.
func TestACallerThatWentAwayIsNoOutage(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(context.Context) (context.Context, context.CancelFunc)
		want string
	}{
		{"the caller went away", context.WithCancel, "level=INFO|503 temporarily_unavailable caller_gone"},
		{"the host gave up", func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithDeadline(ctx, gateTime.AddDate(-50, 0, 0))
		}, "level=ERROR|503 temporarily_unavailable issuer_unavailable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGate(t, func(g *gate) {
				g.guard.Introspect = func(ctx context.Context, _ string) ([]byte, error) {
					<-ctx.Done()
					return nil, ctx.Err()
				}
			})
			ctx, cancel := c.end(t.Context())
			cancel()
			w := g.send(gateRequest(gateURL, "Authorization", "Bearer opaque").WithContext(ctx))
			level, want, _ := strings.Cut(c.want, "|")
			if !strings.Contains(g.log.String(), level) {
				t.Errorf("the log is %s", g.log.String())
			}
			g.expect(w, want)
		})
	}
}

// The observer may need the context for more than the request took.
func TestTheObserversContextIsNotOver(t *testing.T) {
	g := newGate(t, func(g *gate) {
		g.guard.Observe = func(ctx context.Context, _ middleware.Access) {
			if ctx.Err() != nil {
				t.Error(ctx.Err())
			}
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if w := g.send(gateRequest(gateURL).WithContext(ctx)); w.Code != http.StatusUnauthorized {
		t.Errorf("got %d", w.Code)
	}
}

// However long the issuer or a store hangs.
func TestNoRequestWaitsForLong(t *testing.T) {
	hang := func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}
	for _, c := range []struct {
		name string
		set  func(*gate)
		ask  func(g *gate) []string
		want string
		wait time.Duration
	}{
		{"the keys hang", func(g *gate) {
			g.guard.JWKS = func(ctx context.Context) ([]byte, error) { return nil, hang(ctx) }
		}, func(g *gate) []string { return []string{"Authorization", "Bearer " + g.token(nil)} }, "issuer_unavailable", 5 * time.Second},
		{"the keys hang and heed nothing", func(g *gate) {
			g.guard.JWKS = func(context.Context) ([]byte, error) { time.Sleep(time.Hour); return nil, nil }
		}, func(g *gate) []string { return []string{"Authorization", "Bearer " + g.token(nil)} }, "issuer_unavailable", 10 * time.Second},
		{"the introspection hangs", func(g *gate) {
			g.guard.Introspect = func(ctx context.Context, _ string) ([]byte, error) { return nil, hang(ctx) }
		}, func(*gate) []string { return []string{"Authorization", "Bearer opaque"} }, "issuer_unavailable", 10 * time.Second},
		{"the keys take their time, and the introspection hangs", func(g *gate) {
			g.guard.JWKS = slowly(g.guard.JWKS)
			g.guard.Introspect = func(ctx context.Context, _ string) ([]byte, error) { return nil, hang(ctx) }
			g.guard.IntrospectJWT = true
		}, func(g *gate) []string { return []string{"Authorization", "Bearer " + g.token(nil)} }, "issuer_unavailable", 10 * time.Second},
		{"the keys take their time, and the store of the proofs hangs", func(g *gate) {
			g.guard.JWKS, g.guard.Replays = slowly(g.guard.JWKS), hangs(hang)
		}, func(g *gate) []string {
			p := newProver(g)
			token := p.token()
			return []string{"Authorization", "DPoP " + token, "DPoP", p.proof(token, nil, nil)}
		}, "store_unavailable", 10 * time.Second},
		{"the store of the proofs hangs", func(g *gate) { g.guard.Replays = hangs(hang) }, func(g *gate) []string {
			p := newProver(g)
			token := p.token()
			return []string{"Authorization", "DPoP " + token, "DPoP", p.proof(token, nil, nil)}
		}, "store_unavailable", 10 * time.Second},
	} {
		wait := func(t *testing.T, leaves bool, want time.Duration, answer string) {
			synctest.Test(t, func(t *testing.T) {
				g := newGate(t, c.set)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if leaves {
					time.AfterFunc(time.Second, cancel)
				}
				start := time.Now()
				w := g.send(gateRequest(gateURL, c.ask(g)...).WithContext(ctx))
				if waited := time.Since(start); waited != want {
					t.Errorf("it waited for %v", waited)
				}
				g.expect(w, "503 temporarily_unavailable "+answer)
				time.Sleep(time.Hour) // for what heeds nothing
			})
		}
		t.Run(c.name, func(t *testing.T) { wait(t, false, c.wait, c.want) })
		t.Run(c.name+" and the caller leaves", func(t *testing.T) { wait(t, true, time.Second, "caller_gone") })
	}
}

// slowly takes less than a caller's patience.
func slowly(jwks func(context.Context) ([]byte, error)) func(context.Context) ([]byte, error) {
	return func(ctx context.Context) ([]byte, error) {
		time.Sleep(900 * time.Millisecond)
		return jwks(ctx)
	}
}

type hangs func(context.Context) error

func (h hangs) Use(ctx context.Context, _ string, _ time.Duration) (bool, error) {
	return false, h(ctx)
}
