package tokenendpoint_test

import (
	"context"
	"errors"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grantor-go/grantor/tokenendpoint"
)

// guessThrottle tells what it was told, and blocks or fails as a test wants.
type guessThrottle struct {
	wait              map[string]time.Duration // by user
	blocked, failed   []string                 // users
	blockErr, failErr error
	context           func(context.Context)
}

func (g *guessThrottle) Blocked(_ context.Context, attempt tokenendpoint.Attempt) (time.Duration, error) {
	g.blocked = append(g.blocked, attempt.User)
	return g.wait[attempt.User], g.blockErr
}

func (g *guessThrottle) Failed(ctx context.Context, attempt tokenendpoint.Attempt) error {
	g.failed = append(g.failed, attempt.User)
	if g.context != nil {
		g.context(ctx)
	}
	return g.failErr
}

var guessAttempts = []tokenendpoint.Attempt{
	{Secret: tokenendpoint.SecretPassword, User: "first"}, {Secret: tokenendpoint.SecretPassword, User: "second"},
}

func TestGuess(t *testing.T) {
	wrongGuess := errors.New("it was wrong")
	for name, test := range map[string]struct {
		throttle guessThrottle
		wrong    bool
		err      error // of try

		tried   bool
		counted int
		code    tokenendpoint.ErrorCode // of the error, or else
		same    error                   // the error itself
		reason  tokenendpoint.Reason
		seconds time.Duration
	}{
		"that is right counts for nothing":              {tried: true},
		"that is wrong counts for each":                 {wrong: true, err: wrongGuess, tried: true, counted: 2, same: wrongGuess},
		"that is wrong without an error counts too":     {wrong: true, tried: true, counted: 2},
		"that could not be looked at counts for nobody": {err: wrongGuess, tried: true, same: wrongGuess},
		"is not made if the first has failed too often": {throttle: guessThrottle{wait: map[string]time.Duration{"first": time.Minute}},
			code: tokenendpoint.TemporarilyUnavailable, reason: tokenendpoint.ReasonThrottled, seconds: time.Minute},
		"is not made if the second has failed too often": {throttle: guessThrottle{wait: map[string]time.Duration{"second": 1500 * time.Millisecond}},
			code: tokenendpoint.TemporarilyUnavailable, reason: tokenendpoint.ReasonThrottled, seconds: 1500 * time.Millisecond},
		"waits a second at least": {throttle: guessThrottle{wait: map[string]time.Duration{"first": time.Nanosecond}},
			code: tokenendpoint.TemporarilyUnavailable, reason: tokenendpoint.ReasonThrottled, seconds: time.Second},
		"is made when the wait is over": {throttle: guessThrottle{wait: map[string]time.Duration{"first": -time.Minute}}, tried: true},
		"is not made while the throttle is out of order": {throttle: guessThrottle{blockErr: errRecordsCanary},
			code: tokenendpoint.TemporarilyUnavailable, reason: tokenendpoint.ReasonThrottleUnavailable},
		"that is wrong says nothing while it cannot be counted": {throttle: guessThrottle{failErr: errRecordsCanary}, wrong: true, err: wrongGuess, tried: true, counted: 1,
			code: tokenendpoint.TemporarilyUnavailable, reason: tokenendpoint.ReasonThrottleUnavailable},
	} {
		t.Run("A guess "+name, func(t *testing.T) {
			d := newDesk(t, func(config *tokenendpoint.Config) { config.Throttle = &test.throttle })
			tried := false
			err := d.endpoint.Guess(t.Context(), func() (bool, error) {
				tried = true
				return test.wrong, test.err
			}, guessAttempts...)
			var refusal *tokenendpoint.Error
			switch {
			case test.code == "" && err != test.same:
				t.Errorf("the error is %v, want %v", err, test.same)
			case test.code != "" && (!errors.As(err, &refusal) || refusal.Code != test.code || refusal.Reason != test.reason || refusal.RetryAfter != test.seconds):
				t.Errorf("the error is %+v, want %s for %q after %v", err, test.code, test.reason, test.seconds)
			}
			if users := slices.Compact(slices.Sorted(slices.Values(test.throttle.failed))); tried != test.tried || len(users) != test.counted || len(test.throttle.failed) != test.counted {
				t.Errorf("tried: %v; counted for %q, want %v and %d users", tried, test.throttle.failed, test.tried, test.counted)
			}
		})
	}
	t.Run("A guess that is wrong counts although the caller has hung up", func(t *testing.T) {
		throttle := &guessThrottle{context: func(ctx context.Context) {
			if _, limited := ctx.Deadline(); ctx.Err() != nil || !limited {
				t.Errorf("the context of Failed: %v, limited: %v", ctx.Err(), limited)
			}
		}}
		d := newDesk(t, func(config *tokenendpoint.Config) { config.Throttle = throttle })
		ctx, cancel := context.WithCancel(t.Context())
		err := d.endpoint.Guess(ctx, func() (bool, error) {
			cancel()
			return true, wrongGuess
		}, guessAttempts...)
		if err != wrongGuess || len(throttle.failed) != 2 {
			t.Errorf("%v, counted for %q", err, throttle.failed)
		}
	})
	t.Run("A guess that panics reaches its caller, and is not held for right", func(t *testing.T) {
		d := newDesk(t)
		defer func() {
			if p := recover(); p != "panic-canary" {
				t.Errorf("recovered %v", p)
			}
		}()
		_ = d.endpoint.Guess(t.Context(), func() (bool, error) { panic("panic-canary") }, guessAttempts...)
	})
}

// Of many guesses at once no more are made than one after the other; who has hung up
// does not wait, and whoever is counted by other things does not either.
func TestGuessesAtOnceAreCounted(t *testing.T) {
	t.Run("Of a hundred wrong ones ten are made", func(t *testing.T) {
		d := newDesk(t)
		var made, refused atomic.Int64
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				err := d.endpoint.Guess(t.Context(), func() (bool, error) {
					made.Add(1)
					runtime.Gosched()
					return true, tokenendpoint.InvalidGrant
				}, guessAttempts...)
				if errors.Is(err, tokenendpoint.TemporarilyUnavailable) {
					refused.Add(1)
				}
			})
		}
		all.Wait()
		if made.Load() != 10 || refused.Load() != 90 {
			t.Errorf("%d were made and %d refused, want 10 and 90", made.Load(), refused.Load())
		}
	})
	t.Run("One that is under way holds up only its like, and those only until they hang up", func(t *testing.T) {
		d := newDesk(t)
		begun, end := make(chan struct{}), make(chan struct{})
		var all sync.WaitGroup
		all.Go(func() {
			_ = d.endpoint.Guess(t.Context(), func() (bool, error) { close(begun); <-end; return false, nil }, guessAttempts...)
		})
		<-begun
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := d.endpoint.Guess(ctx, func() (bool, error) { t.Error("a second was made beside the first"); return false, nil }, guessAttempts[1])
		var refusal *tokenendpoint.Error
		if !errors.As(err, &refusal) || refusal.Code != tokenendpoint.TemporarilyUnavailable {
			t.Errorf("%v, want an outage", err)
		}
		other := false
		if err := d.endpoint.Guess(t.Context(), func() (bool, error) { other = true; return false, nil }, tokenendpoint.Attempt{Secret: tokenendpoint.SecretPassword, User: "third"}); err != nil || !other {
			t.Errorf("another: %v, made: %v", err, other)
		}
		close(end)
		all.Wait()
		again := false
		if err := d.endpoint.Guess(t.Context(), func() (bool, error) { again = true; return false, nil }, guessAttempts...); err != nil || !again {
			t.Errorf("the next: %v, made: %v", err, again)
		}
	})
	t.Run("One that is counted twice by the same does not wait for itself, and counts once", func(t *testing.T) {
		throttle := new(guessThrottle)
		d := newDesk(t, func(config *tokenendpoint.Config) { config.Throttle = throttle })
		err := d.endpoint.Guess(t.Context(), func() (bool, error) { return true, tokenendpoint.InvalidGrant }, guessAttempts[0], guessAttempts[1], guessAttempts[0])
		if !errors.Is(err, tokenendpoint.InvalidGrant) || len(throttle.failed) != 2 {
			t.Errorf("%v, counted for %q", err, throttle.failed)
		}
	})
	t.Run("Those that name the same in another order do not wait for each other", func(t *testing.T) {
		d := newDesk(t)
		reversed := []tokenendpoint.Attempt{guessAttempts[1], guessAttempts[0]}
		var all sync.WaitGroup
		for i := range 200 {
			all.Go(func() {
				attempts := guessAttempts
				if i%2 == 0 {
					attempts = reversed
				}
				if err := d.endpoint.Guess(t.Context(), func() (bool, error) { runtime.Gosched(); return false, nil }, attempts...); err != nil {
					t.Errorf("a right guess: %v", err)
				}
			})
		}
		all.Wait()
	})
	t.Run("One that panics leaves the way free", func(t *testing.T) {
		d := newDesk(t)
		func() {
			defer func() { _ = recover() }()
			_ = d.endpoint.Guess(t.Context(), func() (bool, error) { panic("panic-canary") }, guessAttempts...)
		}()
		again := false
		if err := d.endpoint.Guess(t.Context(), func() (bool, error) { again = true; return false, nil }, guessAttempts...); err != nil || !again {
			t.Errorf("the next: %v, made: %v", err, again)
		}
	})
}

// 8628-5.1-01: the counters of passwords, of user codes and of each network are apart.
func TestGuessesOfDifferentKindsAreCountedApart(t *testing.T) {
	d := newDesk(t)
	here, there := netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("192.0.2.2/32")
	guess := func(attempt tokenendpoint.Attempt, wrong bool) (tried bool) {
		_ = d.endpoint.Guess(t.Context(), func() (bool, error) { tried = true; return wrong, nil }, attempt)
		return tried
	}
	blocked := tokenendpoint.Attempt{Secret: tokenendpoint.SecretPassword, User: "alice", Network: here}
	for i := range 10 {
		if !guess(blocked, true) {
			t.Fatalf("guess %d was not made", i)
		}
	}
	if guess(blocked, false) {
		t.Error("the eleventh guess was made")
	}
	for i, other := range []tokenendpoint.Attempt{
		{Secret: tokenendpoint.SecretPassword, User: "bob", Network: here},
		{Secret: tokenendpoint.SecretPassword, User: "alice", Network: there},
		{Secret: tokenendpoint.SecretPassword, Network: here},
		{Secret: tokenendpoint.SecretUserCode, User: "alice", Network: here},
		{Secret: tokenendpoint.SecretBackchannel, User: "alice", Network: here},
		{Secret: tokenendpoint.SecretBackchannel, User: "alice", Network: here, ClientID: "web"},
	} {
		if !guess(other, false) {
			t.Errorf("attempt %d is not counted apart: %+v", i, other)
		}
	}
	d.clock.Advance(15 * time.Minute)
	if !guess(blocked, false) {
		t.Error("a quarter of an hour later it is still blocked")
	}
}
