package storetest

import (
	"strings"
	"sync"
)

// meeting holds the first who joins until the second has: so a mutant goes
// wrong at every run, not only when the scheduler happens to interleave two
// goroutines.
type meeting struct {
	mu     sync.Mutex
	joined int
	key    string
	both   chan struct{}
}

func newMeeting() *meeting { return &meeting{both: make(chan struct{})} }

// join returns the key of the second to the first, and key to all others. late
// is true for the second alone.
func (m *meeting) join(key string) (_ string, late bool) {
	m.mu.Lock()
	m.joined++
	place := m.joined
	if place == 2 {
		m.key = key
		close(m.both)
	}
	m.mu.Unlock()
	if place == 1 {
		<-m.both
		return m.key, false
	}
	return key, place == 2
}

// like is SQL's LIKE: % stands for any text, _ for one character.
func like(pattern, s string) bool {
	if pattern == "" {
		return s == ""
	}
	switch pattern[0] {
	case '%':
		for i := range len(s) + 1 {
			if like(strings.TrimLeft(pattern, "%"), s[i:]) {
				return true
			}
		}
		return false
	case '_':
		return s != "" && like(pattern[1:], s[1:])
	}
	return s != "" && s[0] == pattern[0] && like(pattern[1:], s[1:])
}
