package tokenendpoint

import (
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"
)

var throttleStart = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// throttleClock is a MemoryThrottle and the time it goes by.
type throttleClock struct {
	*MemoryThrottle
	now time.Time
}

func newThrottle(limit, size int, window time.Duration) *throttleClock {
	c := &throttleClock{now: throttleStart}
	c.MemoryThrottle = &MemoryThrottle{Limit: limit, Size: size, Window: window, Now: func() time.Time { return c.now }}
	return c
}

func throttleAttempt(client, address string) Attempt {
	return Attempt{ClientID: client, Network: Network(netip.MustParseAddr(address))}
}

func (c *throttleClock) fail(t *testing.T, times int, attempt Attempt) {
	t.Helper()
	for range times {
		if err := c.Failed(t.Context(), attempt); err != nil {
			t.Fatal(err)
		}
	}
}

// blocked checks for how long an attempt is refused.
func (c *throttleClock) blocked(t *testing.T, attempt Attempt, want time.Duration) {
	t.Helper()
	got, err := c.Blocked(t.Context(), attempt)
	if err != nil || got != want {
		t.Errorf("%v after the start %+v is blocked for %v, %v, want %v", c.now.Sub(throttleStart), attempt, got, err, want)
	}
}

func TestMemoryThrottleCountsFailuresInAWindow(t *testing.T) {
	for name, attempt := range map[string]Attempt{
		"a known client": throttleAttempt("c1", "192.0.2.1"), "unknown ones": throttleAttempt("", "192.0.2.1"), "an unknown address": {ClientID: "c1"},
	} {
		t.Run("After three failures "+name+" must wait for the rest of the window", func(t *testing.T) {
			c := newThrottle(3, 0, 10*time.Second)
			c.blocked(t, attempt, 0)
			c.fail(t, 2, attempt)
			c.blocked(t, attempt, 0)
			c.now = c.now.Add(4 * time.Second)
			c.fail(t, 1, attempt)
			c.blocked(t, attempt, 6*time.Second)
			c.fail(t, 5, attempt) // the window is not lengthened by more of them
			c.blocked(t, attempt, 6*time.Second)
			c.now = c.now.Add(6*time.Second - 1)
			c.blocked(t, attempt, 1)
			c.now = c.now.Add(1)
			c.blocked(t, attempt, 0)
			c.fail(t, 2, attempt) // counted from the beginning
			c.blocked(t, attempt, 0)
			c.fail(t, 1, attempt)
			c.blocked(t, attempt, 10*time.Second)
		})
		t.Run("Two failures of "+name+" are forgotten with their window", func(t *testing.T) {
			c := newThrottle(3, 0, 10*time.Second)
			c.fail(t, 2, attempt)
			c.now = c.now.Add(10 * time.Second)
			c.fail(t, 2, attempt)
			c.blocked(t, attempt, 0)
			c.fail(t, 1, attempt)
			c.blocked(t, attempt, 10*time.Second)
		})
	}
}

func TestTheZeroMemoryThrottleRefusesAfterThirtyInAMinute(t *testing.T) {
	c := newThrottle(0, 0, 0)
	attempt := throttleAttempt("c1", "192.0.2.1")
	c.fail(t, 29, attempt)
	c.blocked(t, attempt, 0)
	c.fail(t, 1, attempt)
	c.blocked(t, attempt, time.Minute)

	var real MemoryThrottle // on the clock of the system
	for range 30 {
		real.Failed(t.Context(), attempt)
	}
	if wait, _ := real.Blocked(t.Context(), attempt); wait <= 0 || wait > time.Minute {
		t.Errorf("blocked for %v, want up to a minute", wait)
	}
}

func TestMemoryThrottleKeepsClientsAndNetworksApart(t *testing.T) {
	c := newThrottle(3, 0, time.Minute)
	c.fail(t, 3, throttleAttempt("c1", "192.0.2.1"))
	c.blocked(t, throttleAttempt("c1", "192.0.2.1"), time.Minute)
	c.blocked(t, throttleAttempt("c1", "192.0.2.2"), 0)
	c.blocked(t, throttleAttempt("c2", "192.0.2.1"), 0)
	c.blocked(t, throttleAttempt("", "192.0.2.1"), 0)
	c.blocked(t, Attempt{ClientID: "c1"}, 0)
	c.fail(t, 3, throttleAttempt("", "192.0.2.1"))
	c.blocked(t, throttleAttempt("", "192.0.2.1"), time.Minute)
	c.blocked(t, throttleAttempt("", "192.0.2.2"), 0)
	c.blocked(t, throttleAttempt("c2", "192.0.2.1"), 0)
}

// One caller has a whole /64, and may write an IPv4 address in two ways.
func TestTheNetworkOfACaller(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.1":                  "192.0.2.1/32",
		"::ffff:192.0.2.1":           "192.0.2.1/32",
		"::ffff:c000:201":            "192.0.2.1/32",
		"2001:db8:1:2:3:4:5:6":       "2001:db8:1:2::/64",
		"2001:db8:1:2:ffff:ffff:0:1": "2001:db8:1:2::/64",
		"2001:db8:1:3::1":            "2001:db8:1:3::/64",
		"fe80::1%eth0":               "fe80::/64",
		"fe80::1%eth1":               "fe80::/64",
		"::1":                        "::/64",
		"::192.0.2.1":                "::/64",
		"64:ff9b::192.0.2.1":         "64:ff9b::/64",
	} {
		if got := Network(netip.MustParseAddr(address)); got.String() != want {
			t.Errorf("%s: got %v, want %s", address, got, want)
		}
	}
	if got := Network(netip.Addr{}); got.IsValid() {
		t.Errorf("no address: got %v", got)
	}
}

// A flood of ids that nobody has, from more addresses than there is room for,
// neither takes memory nor makes the throttle forget who guesses at a client.
func TestAFloodOfUnknownClientsDisplacesNobody(t *testing.T) {
	const size = 1000
	c := newThrottle(3, size, time.Minute)
	guessed := throttleAttempt("c1", "192.0.2.1")
	c.fail(t, 3, guessed)
	early := throttleAttempt("", "198.51.100.1")
	c.fail(t, 3, early)
	for i := range 100_000 {
		c.fail(t, 1, throttleAttempt("", fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&0xff, i&0xff)))
		if n := len(c.unknown.count); n > size {
			t.Fatalf("%d counters, want at most %d", n, size)
		}
	}
	if len(c.known.count) != 1 {
		t.Errorf("%d counters of clients, want one", len(c.known.count))
	}
	c.blocked(t, guessed, time.Minute)
	c.blocked(t, early, time.Minute)
}

// Nor does one client that is guessed at from everywhere.
func TestAFullTableOfClientsIsBoundedAndMakesRoomInTime(t *testing.T) {
	const size = 100
	for name, client := range map[string]string{"known clients": "c1", "unknown ones": ""} {
		t.Run("A table full of "+name+" keeps what it has, and has room once windows are over", func(t *testing.T) {
			c := newThrottle(2, size, time.Minute)
			at := func(i int) Attempt { return throttleAttempt(client, fmt.Sprintf("10.0.%d.%d", i>>8, i&0xff)) }
			for i := range size {
				c.fail(t, 1, at(i))
				c.now = c.now.Add(100 * time.Millisecond)
			}
			late := at(5000)
			c.fail(t, 5, late)
			c.blocked(t, late, 0) // there was no room to count it
			c.fail(t, 1, at(0))   // while those that are there go on
			c.blocked(t, at(0), 50*time.Second)

			c.now = throttleStart.Add(time.Minute + 4950*time.Millisecond)
			for i := range size { // the first fifty windows are over
				c.fail(t, 2, at(1000+i))
			}
			for i := range 50 {
				c.blocked(t, at(1000+i), time.Minute)
				c.blocked(t, at(1050+i), 0)
			}
			if n := len(c.table(late).count); n != size {
				t.Errorf("%d counters, want %d", n, size)
			}
			c.fail(t, 1, at(99)) // whose window is open, and nobody took it away
			c.blocked(t, at(99), throttleStart.Add(time.Minute+9900*time.Millisecond).Sub(c.now))
		})
	}
}

// Looking through a full table for each of a flood would cost more than the flood.
func TestAFullTableIsLookedThroughTenTimesAWindow(t *testing.T) {
	c := newThrottle(2, 10, 10*time.Second)
	looked := map[time.Time]bool{}
	for i := range 2000 { // over two and a half windows
		c.fail(t, 1, throttleAttempt("", fmt.Sprintf("10.0.%d.%d", i>>8, i&0xff)))
		looked[c.unknown.swept] = true
		c.now = c.now.Add(12500 * time.Microsecond)
	}
	delete(looked, time.Time{})
	if n := len(looked); n < 20 || n > 25 {
		t.Errorf("the table was looked through %d times in two and a half windows, want about 25", n)
	}
}

func TestMemoryThrottleServesManyAtOnce(t *testing.T) {
	m := &MemoryThrottle{Limit: 400, Now: func() time.Time { return throttleStart }}
	attempts := []Attempt{throttleAttempt("c1", "192.0.2.1"), throttleAttempt("c2", "192.0.2.1"), throttleAttempt("", "192.0.2.1")}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 150 {
				m.Failed(t.Context(), attempts[i%3])
				m.Blocked(t.Context(), attempts[(i+1)%3])
			}
		})
	}
	all.Wait()
	for _, attempt := range attempts {
		c := m.table(attempt).count[attempt]
		if c.failures != 400 {
			t.Errorf("%+v: %d failures were counted, want 400", attempt, c.failures)
		}
		if wait, _ := m.Blocked(t.Context(), attempt); wait != time.Minute {
			t.Errorf("%+v: blocked for %v, want a minute", attempt, wait)
		}
	}
}
