package grants_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/internal/granttest"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// letters spells a number as a user code: no two alike.
func letters(n int) string {
	const alphabet = "BCDFGHJKLMNPQRSTVWXZ"
	code := make([]byte, 8)
	for i := range code {
		code[i] = alphabet[n%20]
		n /= 20
	}
	return string(code)
}

// entered is what a visitor who approves, denies or only looks is told.
var entries = map[string]func(ctx context.Context, s *granttest.Service, v grants.Visitor, code string) error{
	"looks": func(ctx context.Context, s *granttest.Service, v grants.Visitor, code string) error {
		pending, err := s.Device.Find(ctx, s.Endpoint, v, code)
		if (pending == nil) != (err != nil) {
			return errors.New("both or neither of a result and an error")
		}
		return err
	},
	"approves": func(ctx context.Context, s *granttest.Service, v grants.Visitor, code string) error {
		return s.Device.Approve(ctx, s.Endpoint, v, code, store.Grant{Subject: v.Subject})
	},
	"denies": func(ctx context.Context, s *granttest.Service, v grants.Visitor, code string) error {
		return s.Device.Deny(ctx, s.Endpoint, v, code)
	},
}

const tooMany = "throttled"

// why is the reason of an error.
func why(err error) string {
	var refusal *tokenendpoint.Error
	if errors.As(err, &refusal) {
		return string(refusal.Reason)
	}
	return fmt.Sprint(err)
}

// 8628-5.1-01.
func TestGuessesOfUserCodes(t *testing.T) {
	var (
		here, there = netip.MustParseAddr("198.51.100.7"), netip.MustParseAddr("203.0.113.9")
		inNet       = func(i int) netip.Addr { // addresses that one caller holds
			return netip.MustParseAddr(fmt.Sprintf("2001:db8:1:2:%x::%x", i%7, i))
		}
		anywhere = func(i int) netip.Addr { return netip.AddrFrom4([4]byte{192, 0, byte(i >> 8), byte(i)}) }
	)
	for _, c := range []struct {
		name      string
		visitor   func(i int) grants.Visitor
		elsewhere grants.Visitor
	}{
		{"by one user", func(i int) grants.Visitor { return grants.Visitor{Subject: "mallory", RemoteAddr: anywhere(i)} }, grants.Visitor{Subject: "alice", RemoteAddr: there}},
		{"by one user whose address is not known", func(int) grants.Visitor { return grants.Visitor{Subject: "mallory"} }, grants.Visitor{Subject: "alice"}},
		{"by many users from one address", func(i int) grants.Visitor { return grants.Visitor{Subject: fmt.Sprint("sock-", i), RemoteAddr: here} }, grants.Visitor{Subject: "alice", RemoteAddr: there}},
		{"by many users from one IPv6 network", func(i int) grants.Visitor {
			return grants.Visitor{Subject: fmt.Sprint("sock-", i), RemoteAddr: inNet(i)}
		}, grants.Visitor{Subject: "alice", RemoteAddr: netip.MustParseAddr("2001:db8:1:3::1")}},
		{"by many users from one IPv4 address written two ways", func(i int) grants.Visitor {
			address := here
			if i%2 == 0 {
				address = netip.AddrFrom16(here.As16())
			}
			return grants.Visitor{Subject: fmt.Sprint("sock-", i), RemoteAddr: address}
		}, grants.Visitor{Subject: "alice", RemoteAddr: there}},
	} {
		for way, enter := range entries {
			t.Run("a thousand "+c.name+" who "+way+" are ten, and the right one is then of no use from there", func(t *testing.T) {
				ctx, records := t.Context(), new(memory.Grants)
				s := granttest.New(t, records)
				answer := s.Post(ctx, "/connect/deviceauthorization", "app", nil)
				right := answer.Text("user_code")
				for i := range 1000 {
					guess, want := letters(i), "unknown_handle"
					if guess == strings.ReplaceAll(right, "-", "") {
						continue
					}
					if i >= 10 {
						want = tooMany
					}
					if got := why(enter(ctx, s, c.visitor(i), guess)); got != want {
						t.Fatalf("guess %d was answered %q, want %q", i+1, got, want)
					}
				}
				for way, enter := range entries {
					if got := why(enter(ctx, s, c.visitor(1000), right)); got != tooMany {
						t.Errorf("the right code of one who %s was answered %q from there", way, got)
					}
				}
				if live, err := s.Endpoint.Families(ctx, c.visitor(1000).Subject); len(live) != 0 || err != nil {
					t.Errorf("granted to the guesser: %v, %v", live, err)
				}
				if err := enter(ctx, s, c.elsewhere, right); err != nil {
					t.Errorf("the right code from elsewhere: %v", err)
				}
				s.Clock.Add(15*time.Minute - time.Second)
				if got := why(enter(ctx, s, c.visitor(1000), letters(2000))); got != tooMany {
					t.Errorf("just before the quarter of an hour is over: %q", got)
				}
				s.Clock.Add(time.Second)
				if got := why(enter(ctx, s, c.visitor(1000), letters(2000))); got != "unknown_handle" {
					t.Errorf("after a quarter of an hour: %q", got)
				}
			})
		}
	}
}

// slowStore answers after a while, so that guesses at once are under way at once.
type slowStore struct{ memory.Grants }

func (s *slowStore) Find(ctx context.Context, key store.Key) (*store.Record, *store.Family, error) {
	time.Sleep(time.Millisecond)
	return s.Grants.Find(ctx, key)
}

// 8628-5.1-01.
func TestGuessesAtOnceAreCounted(t *testing.T) {
	for name, visitor := range map[string]func(i int) grants.Visitor{
		"by one user": func(i int) grants.Visitor { return grants.Visitor{Subject: "mallory"} },
		"by many users from one address": func(i int) grants.Visitor {
			return grants.Visitor{Subject: fmt.Sprint("sock-", i), RemoteAddr: netip.MustParseAddr("198.51.100.7")}
		},
	} {
		most := 10
		if name == "by many users from one address" { // eight at a time
			most += 7
		}
		t.Run("a thousand at once "+name+" are hardly more than ten", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, answers := granttest.New(t, new(slowStore)), make(chan string, 1000)
				for i := range cap(answers) {
					go func() { answers <- why(entries["looks"](t.Context(), s, visitor(i), letters(i))) }()
				}
				count := make(map[string]int)
				for range cap(answers) {
					count[<-answers]++
				}
				if n := count["unknown_handle"]; n < 10 || n > most || count[tooMany] != cap(answers)-n {
					t.Errorf("answered %v, want 10 to %d guesses", count, most)
				}
			})
		})
	}
}

// 8628-3.3-01, 8628-6.1-01.
func TestWhatIsNoGuess(t *testing.T) {
	s := granttest.New(t, new(memory.Grants))
	visitor, ctx := grants.Visitor{Subject: "alice"}, t.Context()
	right := s.Post(ctx, "/connect/deviceauthorization", "app", nil).Text("user_code")
	t.Run("what cannot be a code is refused and not counted", func(t *testing.T) {
		for range 20 {
			for _, typed := range []string{"", "WDJB", right + right, right[:8], "12345678", strings.Repeat("-", 1000) + right} {
				if got := why(entries["looks"](ctx, s, visitor, typed)); got != "unknown_handle" {
					t.Errorf("%q: %s", typed, got)
				}
			}
		}
	})
	t.Run("nobody is let in who is not signed in, nor for somebody else", func(t *testing.T) {
		for _, v := range []grants.Visitor{{}, {RemoteAddr: netip.MustParseAddr("198.51.100.7")}} {
			for way, enter := range entries {
				if err := enter(ctx, s, v, right); err == nil {
					t.Errorf("a visitor without a subject who %s", way)
				}
			}
		}
		if err := s.Device.Approve(ctx, s.Endpoint, visitor, right, store.Grant{Subject: "bob"}); err == nil {
			t.Error("alice approved for bob")
		}
	})
	t.Run("the right code is found as often as it is looked for, and one that was decided on is no guess", func(t *testing.T) {
		for range 50 {
			if err := entries["looks"](ctx, s, visitor, strings.ToLower(right)+" "); err != nil {
				t.Fatal(err)
			}
		}
		if err := entries["approves"](ctx, s, visitor, right); err != nil {
			t.Fatal(err)
		}
		for range 50 {
			if got := why(entries["looks"](ctx, s, visitor, right)); got != "decided" {
				t.Fatalf("answered %q", got)
			}
		}
	})
}
