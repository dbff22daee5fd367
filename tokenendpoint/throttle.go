package tokenendpoint

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

// Attempt is one try to authenticate as a client, as far as a [Throttle] is
// told: never the credentials.
type Attempt struct {
	// ClientID is the client, empty if there is no such client or it is disabled.
	ClientID string

	// Network is where the request came from: one IPv4 address, or the /64 of an
	// IPv6 address. Invalid if the address is unknown.
	Network netip.Prefix
}

// Throttle slows down whoever guesses secrets (RFC 6749 section 2.3.1). Only
// failures are counted, so that a client that authenticates well is never held
// up, however often it does. Implementations are safe for concurrent use; an
// error is an outage and is answered with 503.
type Throttle interface {
	// Blocked returns for how long such attempts are to be refused without being
	// looked at; zero or less means not at all.
	Blocked(ctx context.Context, attempt Attempt) (time.Duration, error)

	// Failed counts an attempt that failed.
	Failed(ctx context.Context, attempt Attempt) error
}

// network is the part of an address that one caller holds.
func network(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	prefix, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return prefix
}

// MemoryThrottle is the default [Throttle]: it counts in the memory of one
// process. After Limit failures within Window, further attempts are refused
// until the Window has passed. Attempts as a known client are counted by client
// and network, so that an attacker cannot lock a client out elsewhere; attempts
// as unknown clients by network alone, in a table of their own, so that no flood
// of them displaces a counter of a client. Its zero value is ready to use.
type MemoryThrottle struct {
	Limit  int              // failures; zero means 30
	Window time.Duration    // zero means a minute
	Size   int              // counters in each of the two tables; zero means 65536
	Now    func() time.Time // nil means time.Now

	known, unknown counters
}

type counters struct {
	mu    sync.Mutex
	count map[Attempt]counter
	swept time.Time
}

type counter struct {
	failures int
	until    time.Time
}

// Blocked implements [Throttle]. It returns no error.
func (m *MemoryThrottle) Blocked(_ context.Context, attempt Attempt) (time.Duration, error) {
	table := m.table(attempt)
	table.mu.Lock()
	c, ok := table.count[attempt]
	table.mu.Unlock()
	if !ok || c.failures < orDefault(m.Limit, 30) {
		return 0, nil
	}
	return c.until.Sub(m.now()), nil
}

// Failed implements [Throttle]. It returns no error. While a table is full of
// counters whose Window is open, failures of newcomers are not counted: whoever
// can fill it has more addresses than counting can hold, and a counter that is
// at work is worth more.
func (m *MemoryThrottle) Failed(_ context.Context, attempt Attempt) error {
	now, window := m.now(), orDefault(m.Window, time.Minute)
	table := m.table(attempt)
	table.mu.Lock()
	defer table.mu.Unlock()
	c, ok := table.count[attempt]
	switch {
	case ok && now.Before(c.until):
		c.failures++
	case ok || table.room(now, window, orDefault(m.Size, 1<<16)):
		c = counter{failures: 1, until: now.Add(window)}
	default:
		return nil
	}
	table.count[attempt] = c
	return nil
}

// room makes sure that one more counter fits, if need be by collecting those
// whose window has passed, at most ten times a window.
func (t *counters) room(now time.Time, window time.Duration, size int) bool {
	if t.count == nil {
		t.count = make(map[Attempt]counter)
	}
	if len(t.count) >= size && now.Sub(t.swept) >= window/10 {
		t.swept = now
		for attempt, c := range t.count {
			if !now.Before(c.until) {
				delete(t.count, attempt)
			}
		}
	}
	return len(t.count) < size
}

func (m *MemoryThrottle) table(attempt Attempt) *counters {
	if attempt.ClientID == "" {
		return &m.unknown
	}
	return &m.known
}

func (m *MemoryThrottle) now() time.Time {
	if m.Now != nil {
		return m.Now()
	}
	return time.Now()
}

func orDefault[T int | time.Duration](value, otherwise T) T {
	if value > 0 {
		return value
	}
	return otherwise
}
