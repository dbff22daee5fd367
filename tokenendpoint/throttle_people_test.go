package tokenendpoint

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

// Names are a stranger's to choose: they take no counter from anybody else, and the
// network that they come from has one for all that are too many.
func TestMadeUpNamesFillNoTable(t *testing.T) {
	now := throttleStart
	m := &MemoryThrottle{Now: func() time.Time { return now }}
	here, there := Network(netip.MustParseAddr("192.0.2.1")), Network(netip.MustParseAddr("192.0.2.2"))
	fail := func(a Attempt) {
		if err := m.Failed(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	blocked := func(a Attempt) bool {
		wait, err := m.Blocked(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		return wait > 0
	}
	alice := Attempt{Secret: SecretPassword, User: "alice", Network: here}
	fail(alice)
	for i := range 100_000 {
		fail(Attempt{Secret: SecretPassword, User: fmt.Sprint("made up ", i), Network: here})
	}
	if n := len(m.passwords.count); n > mostOfOne+1 {
		t.Errorf("there are %d counters, want at most %d", n, mostOfOne+1)
	}
	if !blocked(Attempt{Secret: SecretPassword, User: "another", Network: here}) {
		t.Error("a name too many from there is not blocked")
	}
	if blocked(alice) {
		t.Error("alice is blocked by what others did")
	}
	for range 9 {
		fail(alice)
	}
	if !blocked(alice) {
		t.Error("alice has no counter of her own any more")
	}
	elsewhere, code := alice, Attempt{Secret: SecretUserCode, User: "alice"}
	elsewhere.Network = there
	for range 10 {
		fail(elsewhere)
		fail(code)
	}
	if !blocked(elsewhere) || !blocked(code) {
		t.Error("a flood of names from one network has switched off the throttle for others")
	}
	now = now.Add(20 * time.Minute)
	fail(Attempt{Secret: SecretPassword, User: "later", Network: here})
	if n := len(m.passwords.count); n != 1 || len(m.passwords.of) != 1 || m.passwords.of[here] != 1 {
		t.Errorf("when all windows are over there are %d counters, %v", n, m.passwords.of)
	}
}
