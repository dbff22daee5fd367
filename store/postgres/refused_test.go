package postgres

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
)

func TestWhatIsRefusedIsNoVerdict(t *testing.T) {
	s := open(t, newSchema(t))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	f, r := begun(t, s, "alice")
	bad, long := aFamily("a\x00b"), aFamily(random(3000))
	if most := aFamily(random(2600 * 3 / 4)); len(most.Subject) != 2600 || s.Exchange(t.Context(), &store.Change{Family: most, Begin: true}) != nil {
		t.Error("a subject of 2600 bytes is not kept")
	}
	for name, call := range map[string]func() error{
		"a revocation of everything":  func() error { _, err := s.Revoke(t.Context(), store.Match{}, now); return err },
		"a revocation without a time": func() error { _, err := s.Revoke(t.Context(), store.Match{Subject: "alice"}, time.Time{}); return err },
		"a subject with a NUL":        func() error { return s.Exchange(t.Context(), &store.Change{Family: bad, Begin: true}) },
		"a subject that is too long":  func() error { return s.Exchange(t.Context(), &store.Change{Family: long, Begin: true}) },
		"a claim that JSON cannot hold": func() error {
			r := r
			r.Grant = &store.Grant{Claims: map[string]any{"f": func() {}}}
			return s.Update(t.Context(), &r)
		},
		"a list of the families of nobody":       func() error { _, err := s.Families(t.Context(), ""); return err },
		"a list of families whose context ended": func() error { _, err := s.Families(ended, "alice"); return err },
		"a Find whose context ended":             func() error { _, _, err := s.Find(ended, r.Key); return err },
		"a FamilyLive whose context ended":       func() error { _, err := s.FamilyLive(ended, f.ID); return err },
		"an Exchange whose context ended":        func() error { return s.Exchange(ended, &store.Change{Family: f}) },
		"a revocation whose context ended":       func() error { _, err := s.Revoke(ended, store.Match{Subject: "alice"}, now); return err },
		"a purge whose context ended":            func() error { _, err := s.Purge(ended, now, 1); return err },
		"a Use whose context ended":              func() error { _, err := s.Use(ended, "id", time.Hour); return err },
		"an id with a NUL":                       func() error { _, err := s.Use(t.Context(), "a\x00b", time.Hour); return err },
		"a client lookup whose context ended":    func() error { _, err := s.Client(ended, "x"); return err },
	} {
		t.Run(name, func(t *testing.T) {
			if err := call(); err == nil || isVerdict(err) {
				t.Errorf("the error is %v, want one that is no verdict", err)
			}
		})
	}
	if live, err := s.FamilyLive(t.Context(), f.ID); !live || err != nil {
		t.Errorf("the family: %t, %v; want it alive", live, err)
	}
	if live, err := s.FamilyLive(t.Context(), bad.ID); live || err != nil {
		t.Errorf("the family with the NUL: %t, %v; want it absent", live, err)
	}
}

func TestAnOutageKeepsTheReasonOfItsContext(t *testing.T) {
	s := open(t, newSchema(t))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.Find(ended, store.Key{}); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v, want context.Canceled", err)
	}
}
