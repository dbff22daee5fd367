package store_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grantor-go/grantor/store"
)

// purging is a GrantStore that can only purge.
type purging struct {
	store.GrantStore
	purge func(ctx context.Context, now time.Time, limit int) (int, error)
}

func (p purging) Purge(ctx context.Context, now time.Time, limit int) (int, error) {
	return p.purge(ctx, now, limit)
}

// purgeFor runs PurgeEvery, once a minute, for some time of a clock of its own.
// It returns when Purge was called and what was logged.
func purgeFor(t *testing.T, d time.Duration, purge func(call int, limit int) (int, error)) (calls []time.Duration, log string) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		ctx, cancel := context.WithTimeout(t.Context(), d)
		defer cancel()
		began := time.Now()
		store.PurgeEvery(ctx, purging{purge: func(ctx context.Context, now time.Time, limit int) (int, error) {
			if !now.Equal(time.Now()) {
				t.Errorf("now is %s, and it is %s", now, time.Now())
			}
			calls = append(calls, time.Since(began))
			return purge(len(calls), limit)
		}}, time.Minute, slog.New(slog.NewTextHandler(&b, nil)))
		if ended := time.Since(began); ended != d {
			t.Errorf("PurgeEvery ended after %s, and its context after %s", ended, d)
		}
		log = b.String()
	})
	return calls, log
}

func TestPurgeEveryPurgesNowAndThenEveryInterval(t *testing.T) {
	calls, log := purgeFor(t, 150*time.Second, func(_, limit int) (int, error) { return limit - 1, nil })
	if len(calls) != 3 || calls[0] != 0 || calls[1] != time.Minute || calls[2] != 2*time.Minute || log != "" {
		t.Errorf("purged at %v, logged %q", calls, log)
	}
}

func TestPurgeEveryGoesOnWhileThereIsMore(t *testing.T) {
	limits := 0
	calls, _ := purgeFor(t, 30*time.Second, func(call, limit int) (int, error) {
		if limits = limit; call < 4 {
			return limit, nil
		}
		return 0, nil
	})
	if len(calls) != 4 || calls[3] != 0 || limits != 1000 {
		t.Errorf("purged at %v, %d at a time", calls, limits)
	}
}

func TestABatchThatFailsIsLoggedAndTriedAgain(t *testing.T) {
	calls, log := purgeFor(t, 90*time.Second, func(call, limit int) (int, error) {
		if call == 1 {
			return limit, errors.New("database is locked")
		}
		return 0, nil
	})
	if len(calls) != 2 || calls[1] != time.Minute {
		t.Errorf("purged at %v, want once now and once after the interval", calls)
	}
	if strings.Count(log, "level=ERROR") != 1 || !strings.Contains(log, "database is locked") {
		t.Errorf("logged %q", log)
	}
}

func TestPurgeEveryEndsWithItsContextAndSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		ctx, cancel := context.WithCancel(t.Context())
		purged := 0
		store.PurgeEvery(ctx, purging{purge: func(ctx context.Context, _ time.Time, limit int) (int, error) {
			purged++
			cancel()
			return 0, ctx.Err()
		}}, time.Minute, slog.New(slog.NewTextHandler(&b, nil)))
		if purged != 1 || b.Len() > 0 {
			t.Errorf("purged %d times, logged %q", purged, &b)
		}
	})
}
