package tokenendpoint

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

// Attempt is one try to get past a secret, as far as a [Throttle] is told: never the
// secret itself.
type Attempt struct {
	// Secret is what was tried.
	Secret SecretKind

	// ClientID is the client, empty if there is no such client or it is disabled, or
	// if the attempt is counted for all clients.
	ClientID string

	// User is whose password was tried, as the request names them: such a user need
	// not exist. Of a user code it is who is signed in and entered it. Empty if the
	// attempt is counted for all users.
	User string

	// Network is where the request came from: see [Network]. Invalid if the address is
	// unknown, or if the attempt is counted wherever it came from.
	Network netip.Prefix
}

// SecretKind is a kind of secret that can be guessed.
type SecretKind string

// The kinds of secrets.
const (
	SecretOfClient    SecretKind = ""                      // how a client authenticates
	SecretPassword    SecretKind = "password"              // a user's
	SecretUserCode    SecretKind = "user_code"             // of a device (RFC 8628 section 5.1)
	SecretBackchannel SecretKind = "backchannel_user_code" // a user's (CIBA section 7.1.2); User is then the hint
)

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

// Network is the part of an address that one caller holds: an IPv4 address, or the
// /64 of an IPv6 address; invalid for an invalid address.
func Network(addr netip.Addr) netip.Prefix {
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
// of them displaces a counter of a client. The secrets of people are short, so that
// they have limits, and a table, of their own. Its zero value is ready to use.
type MemoryThrottle struct {
	Limit      int              // failures with client secrets; zero means 30
	Window     time.Duration    // zero means a minute
	UserLimit  int              // failures with passwords and user codes; zero means 10
	UserWindow time.Duration    // zero means 15 minutes
	Size       int              // counters in each table; zero means 65536
	Now        func() time.Time // nil means time.Now

	known, unknown, passwords, codes counters
}

// mostOfOne is how many users of one network have counters of their own. Beyond them,
// attempts from there are counted as one user's: names are a stranger's to choose, and
// must not fill a table.
const mostOfOne = 1024

type counters struct {
	mu    sync.Mutex
	count map[Attempt]counter
	of    map[netip.Prefix]int // counters with a User, by their Network
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
	c, ok := table.count[table.key(attempt)]
	table.mu.Unlock()
	if limit, _ := m.limits(attempt); !ok || c.failures < limit {
		return 0, nil
	}
	return c.until.Sub(m.now()), nil
}

// Failed implements [Throttle]. It returns no error. While a table is full of
// counters whose Window is open, failures of newcomers are not counted: whoever
// can fill it has more addresses than counting can hold, and a counter that is
// at work is worth more.
func (m *MemoryThrottle) Failed(_ context.Context, attempt Attempt) error {
	now, table := m.now(), m.table(attempt)
	_, window := m.limits(attempt)
	table.mu.Lock()
	defer table.mu.Unlock()
	hasRoom := table.room(attempt, now, window, orDefault(m.Size, 1<<16))
	attempt = table.key(attempt)
	c, ok := table.count[attempt]
	switch {
	case ok && now.Before(c.until):
		c.failures++
	case ok:
		c = counter{failures: 1, until: now.Add(window)}
	case hasRoom:
		c = counter{failures: 1, until: now.Add(window)}
		if attempt.User != "" {
			table.of[attempt.Network]++
		}
	default:
		return nil
	}
	table.count[attempt] = c
	return nil
}

// key is the counter of an attempt: its own or, of a network that has as many as it
// may, the one that is left.
func (t *counters) key(attempt Attempt) Attempt {
	if _, ok := t.count[attempt]; !ok && attempt.User != "" && attempt.Network.IsValid() && t.of[attempt.Network] >= mostOfOne {
		return Attempt{Secret: attempt.Secret, Network: attempt.Network}
	}
	return attempt
}

// room makes sure that one more counter fits, if need be by collecting those
// whose window has passed, at most ten times a window.
func (t *counters) room(attempt Attempt, now time.Time, window time.Duration, size int) bool {
	if t.count == nil {
		t.count, t.of = make(map[Attempt]counter), make(map[netip.Prefix]int)
	}
	if (len(t.count) >= size || t.of[attempt.Network] >= mostOfOne) && now.Sub(t.swept) >= window/10 {
		t.swept = now
		for attempt, c := range t.count {
			if now.Before(c.until) {
				continue
			}
			delete(t.count, attempt)
			if attempt.User == "" {
				continue
			}
			if t.of[attempt.Network]--; t.of[attempt.Network] == 0 {
				delete(t.of, attempt.Network)
			}
		}
	}
	return len(t.count) < size
}

func (m *MemoryThrottle) table(attempt Attempt) *counters {
	switch {
	case attempt.Secret == SecretPassword:
		return &m.passwords
	case attempt.Secret != SecretOfClient:
		return &m.codes
	case attempt.ClientID == "":
		return &m.unknown
	}
	return &m.known
}

func (m *MemoryThrottle) limits(attempt Attempt) (limit int, window time.Duration) {
	if attempt.Secret != SecretOfClient {
		return orDefault(m.UserLimit, 10), orDefault(m.UserWindow, 15*time.Minute)
	}
	return orDefault(m.Limit, 30), orDefault(m.Window, time.Minute)
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
