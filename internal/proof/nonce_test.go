package proof

import (
	"bytes"
	"regexp"
	"testing"
	"time"
)

func noncesAt(t *testing.T, key byte, at *time.Time) *Nonces {
	t.Helper()
	nonces, err := NewNonces(bytes.Repeat([]byte{key}, 32), NoncePeriod, func() time.Time { return *at })
	if err != nil {
		t.Fatal(err)
	}
	return nonces
}

// 9449-8-02: another node with the same key accepts what this one made, in the period
// and the next.
func TestANonceIsValidForItsPeriodAndTheNext(t *testing.T) {
	made := time.Unix(1_800_000_000, 0).Truncate(NoncePeriod)
	for _, c := range []struct {
		name    string
		later   time.Duration
		ok, old bool
	}{
		{"at once", 0, true, false},
		{"at the end of its period", NoncePeriod - 1, true, false},
		{"in the next period", NoncePeriod, true, true},
		{"at the end of the next", 2*NoncePeriod - 1, true, true},
		{"after the next", 2 * NoncePeriod, false, false},
		{"in the period before, by a clock that is behind", -1, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			later := made.Add(c.later)
			nonce := noncesAt(t, 1, &made).New()
			if ok, old := noncesAt(t, 1, &later).Valid(nonce); ok != c.ok || old != c.old {
				t.Errorf("got %v, %v, want %v, %v", ok, old, c.ok, c.old)
			}
			if ok, _ := noncesAt(t, 2, &later).Valid(nonce); ok {
				t.Error("it is valid under another key")
			}
		})
	}
}

func TestWhatIsNoNonceIsNotValid(t *testing.T) {
	at := now
	nonces := noncesAt(t, 1, &at)
	good := nonces.New()
	for _, nonce := range []string{"", "a", good[1:], good + "A", good + "=", good + "\n", " " + good} {
		if ok, old := nonces.Valid(nonce); ok || old {
			t.Errorf("%q is valid", nonce)
		}
	}
}

// 9449-8.1-01: NQCHAR, and different from period to period.
func TestNewNonces(t *testing.T) {
	at := now
	nonces := noncesAt(t, 1, &at)
	seen := make(map[string]bool)
	for range 10 {
		nonce := nonces.New()
		if !regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`).MatchString(nonce) || seen[nonce] || nonce != nonces.New() {
			t.Errorf("%q, after %v", nonce, seen)
		}
		seen[nonce] = true
		at = at.Add(NoncePeriod)
	}
}

func TestTheKeyOfNoncesIsNotWeak(t *testing.T) {
	for _, size := range []int{0, 16, 31, 33} {
		if n, err := NewNonces(make([]byte, size), NoncePeriod, time.Now); err == nil || n != nil {
			t.Errorf("a key of %d bytes is taken", size)
		}
	}
	for _, period := range []time.Duration{-time.Hour, 0, time.Second - 1} {
		if n, err := NewNonces(make([]byte, 32), period, time.Now); err == nil || n != nil {
			t.Errorf("a period of %v is taken", period)
		}
	}
	key := make([]byte, 32)
	nonces, err := NewNonces(key, NoncePeriod, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	before := nonces.New()
	if key[0] = 1; nonces.New() != before {
		t.Error("the caller's slice is still the key")
	}
}
