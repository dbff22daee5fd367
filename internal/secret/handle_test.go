package secret

import (
	"strings"
	"testing"
)

// 6749-10.10-01: handles have 256 bits at random, and nothing in common but their
// kind and family.
func TestHandlesAreTheirOwn(t *testing.T) {
	family := NewID()
	seen := make(map[string]bool)
	for range 1000 {
		handle, err := NewHandle("c", family)
		if err != nil {
			t.Fatal(err)
		}
		if len(handle) != 65 || seen[handle] || seen[handle[22:]] {
			t.Fatalf("a handle of %d characters, or one that was there before", len(handle))
		}
		seen[handle], seen[handle[22:]] = true, true
		got, hash, ok := KeyOf("c", handle)
		if !ok || got != family || len(hash) != 43 || strings.Contains(handle, hash) {
			t.Fatalf("KeyOf: family %q instead of %q, a hash of %d characters", got, family, len(hash))
		}
	}
	if a, b := NewID(), NewID(); a == b || len(a) != 22 {
		t.Error("families are not at random")
	}
}

func TestWhatIsNoHandleIsRefused(t *testing.T) {
	handle, err := NewHandle("c", NewID())
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]string{
		"nothing":                  "",
		"one that is too short":    handle[:64],
		"one that is too long":     handle + "A",
		"one of another kind":      "r" + handle[1:],
		"padding":                  handle[:64] + "=",
		"another alphabet":         handle[:64] + "+",
		"a line break":             handle[:30] + "\n" + handle[31:],
		"characters of two octets": "c" + strings.Repeat("é", 32),
	} {
		if _, _, ok := KeyOf("c", s); ok {
			t.Errorf("%s is taken for a handle", name)
		}
	}
	for _, family := range []string{"", "short", NewID() + "AA", strings.Repeat("!", 22)} {
		if _, err := NewHandle("c", family); err == nil {
			t.Errorf("a handle in the family %q", family)
		}
	}
	if _, err := NewHandle("", NewID()); err == nil {
		t.Error("a handle without a kind")
	}
}

// What a store keeps, the hash and the sealed successor, opens nothing.
func TestOnlyTheHolderOpensWhatFollows(t *testing.T) {
	family := NewID()
	handle, _ := NewHandle("r", family)
	successor, _ := NewHandle("r", family)
	sealed, err := Seal(handle, successor)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Open(handle, sealed); err != nil || got != successor {
		t.Errorf("the holder cannot open it: %v", err)
	}
	_, hash, _ := KeyOf("r", handle)
	other, _ := NewHandle("r", family)
	for _, key := range []string{other, hash, family, ""} {
		if _, err := Open(key, sealed); err == nil {
			t.Error("somebody else opens it")
		}
	}
	for i := range sealed {
		altered := append([]byte(nil), sealed...)
		altered[i] ^= 1
		if _, err := Open(handle, altered); err == nil {
			t.Fatalf("octet %d can be altered", i)
		}
	}
	for _, short := range [][]byte{nil, sealed[:5], sealed[:12]} {
		if _, err := Open(handle, short); err == nil {
			t.Error("a part of it opens")
		}
	}
	again, _ := Seal(handle, successor)
	if string(again) == string(sealed) {
		t.Error("the same twice")
	}
}
