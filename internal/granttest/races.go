package granttest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// Races lets what happens to either grant happen at once, in rounds: no decision is
// lost, one of several counts, tokens are issued once, and a revocation is final. a and b
// are two handles on one store, as two processes have them.
func Races(t *testing.T, a, b store.GrantStore, rounds int) {
	t.Helper()
	for _, flow := range Flows {
		for n, race := range races {
			t.Run(race.name+", "+flow.Name, func(t *testing.T) {
				first := New(t, a)
				s := twins{first, New(t, b, func(c *tokenendpoint.Config) { c.Now = first.Clock.Now })}
				for round := range rounds {
					race.run(t, s, flow, fmt.Sprintf("%s-%d-%d", flow.Name, n, round))
					if t.Failed() {
						return
					}
				}
			})
		}
	}
}

// twins are two processes of one service.
type twins [2]*Service

var races = []struct {
	name string
	run  func(t *testing.T, s twins, flow Flow, subject string)
}{
	{"an approval that was answered is seen by the next poll, however many polls race it", approvalAgainstPolls},
	{"of many decisions at once one counts, and the others are told", decisions},
	{"of twenty polls at once after an approval one gets tokens", pollsAtOnce},
	{"a revocation beside an approval is final if it found the user, and nothing if not", revocationAgainstApproval},
	{"a revocation beside a redemption leaves nothing that works", revocationAgainstRedemption},
}

func approvalAgainstPolls(t *testing.T, s twins, flow Flow, subject string) {
	a := flow.Must(t, s[0], subject)
	var (
		got        answers
		polls, all sync.WaitGroup
	)
	for i := range 4 {
		polls.Go(func() {
			for range 5 {
				s[0].Clock.Add(6 * time.Second) // so that each poll in turn writes
				got.add(a.At(s[i%2]).Poll(t.Context(), "app").String())
			}
		})
	}
	all.Go(func() {
		err := a.At(s[1]).Approve(t.Context(), subject)
		if reason(err) == "conflict" { // polls were first each time
			polls.Wait()
			err = a.At(s[1]).Approve(t.Context(), subject)
		}
		if err != nil {
			t.Errorf("the approval: %v", err)
			return
		}
		next := a.Poll(t.Context(), "app").String()
		if next != "tokens" && next != invalid { // another poll had them
			t.Errorf("the poll after the approval was answered %s", next)
		}
		got.add(next)
	})
	all.Wait()
	polls.Wait()
	got.want(t, "the polls", map[string]int{"tokens": 1, pending: some, slow: some, invalid: some})
}

func decisions(t *testing.T, s twins, flow Flow, subject string) {
	a := flow.Must(t, s[0], subject)
	var (
		got    answers
		winner string
		mu     sync.Mutex
	)
	user := func(i int) string {
		if flow.Name == "CIBA" { // one user is asked
			return subject
		}
		return fmt.Sprintf("%s-%d", subject, i)
	}
	atOnce(12, func(i int) {
		at, allow := a.At(s[i%3%2]), i%2 == 0
		err := at.decide(t.Context(), at.service, user(i), allow)
		if err == nil {
			mu.Lock()
			defer mu.Unlock()
			if winner = "nobody"; allow {
				winner = user(i)
			}
		}
		got.add(reason(err))
	})
	got.want(t, "the decisions", map[string]int{"": 1, decided: 11})
	want := "tokens"
	if winner == "nobody" {
		want = refused
	}
	answer := a.Poll(t.Context(), "app")
	if answer.String() != want {
		t.Errorf("the poll was answered %v after %q won, want %s", answer, winner, want)
	}
	for i := range 12 {
		families, err := s[1].Endpoint.Families(t.Context(), user(i))
		if err != nil || (len(families) == 1) != (user(i) == winner) {
			t.Errorf("%s has %d grants (%v), and %s won", user(i), len(families), err, winner)
		}
	}
}

func pollsAtOnce(t *testing.T, s twins, flow Flow, subject string) {
	a := flow.Must(t, s[0], subject)
	if err := a.Approve(t.Context(), subject); err != nil {
		t.Fatal(err)
	}
	var got answers
	atOnce(20, func(i int) { got.add(a.At(s[i%2]).Poll(t.Context(), "app").String()) })
	got.want(t, "the polls", map[string]int{"tokens": 1, invalid: 19})
}

func revocationAgainstApproval(t *testing.T, s twins, flow Flow, subject string) {
	a := flow.Must(t, s[0], subject)
	var revoked int
	var errs [2]error
	atOnce(2, func(i int) {
		if i == 0 {
			errs[0] = a.Approve(t.Context(), subject)
			return
		}
		revoked, errs[1] = s[1].Endpoint.Revoke(t.Context(), store.Match{Subject: subject})
	})
	if errs[0] != nil || errs[1] != nil {
		t.Fatalf("the approval: %v, the revocation: %v", errs[0], errs[1])
	}
	want := map[int]string{0: "tokens", 1: invalid}[revoked]
	if got := a.Poll(t.Context(), "app").String(); got != want {
		t.Errorf("%d grants were revoked, and the poll was answered %s, want %s", revoked, got, want)
	}
	if revoked == 0 {
		letOutAt(t, s[1], subject)
	}
	b := flow.Must(t, s[0], subject)
	if err := b.Approve(t.Context(), subject); err != nil {
		t.Fatal(err)
	}
	letOutAt(t, s[1], subject)
	if got := b.Poll(t.Context(), "app").String(); got != invalid {
		t.Errorf("the poll after an approval that was revoked was answered %s", got)
	}
}

func revocationAgainstRedemption(t *testing.T, s twins, flow Flow, subject string) {
	a := flow.Must(t, s[0], subject)
	if err := a.Approve(t.Context(), subject); err != nil {
		t.Fatal(err)
	}
	var answer Answer
	atOnce(2, func(i int) {
		if i == 0 {
			answer = a.Poll(t.Context(), "app")
			return
		}
		letOutAt(t, s[1], subject)
	})
	switch got := answer.String(); got {
	case "tokens":
		if got := s[0].Refresh(t.Context(), answer).String(); got != invalid {
			t.Errorf("the refresh token was answered %s after the revocation", got)
		}
	case invalid:
	default:
		t.Errorf("the poll beside the revocation was answered %s", got)
	}
	if got := a.Poll(t.Context(), "app").String(); got != invalid {
		t.Errorf("the poll after the revocation was answered %s", got)
	}
}

// letOutAt revokes the one grant of a subject.
func letOutAt(t *testing.T, s *Service, subject string) {
	if n, err := s.Endpoint.Revoke(t.Context(), store.Match{Subject: subject}); n != 1 || err != nil {
		t.Errorf("revoking by subject revoked %d grants (%v), want 1", n, err)
	}
}

func atOnce(n int, do func(i int)) {
	var all sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		all.Go(func() { <-begin; do(i) })
	}
	close(begin)
	all.Wait()
}

// answers counts answers that came at once.
type answers struct {
	mu    sync.Mutex
	count map[string]int
}

const some = -1 // any number of them

func (a *answers) add(answer string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.count == nil {
		a.count = make(map[string]int)
	}
	a.count[answer]++
}

func (a *answers) want(t *testing.T, what string, want map[string]int) {
	t.Helper()
	for answer, n := range a.count {
		if want[answer] == 0 {
			t.Errorf("%d of %s were answered %q, want none", n, what, answer)
		}
	}
	for answer, n := range want {
		if n != some && a.count[answer] != n {
			t.Errorf("%d of %s were answered %q, want %d: %v", a.count[answer], what, answer, n, a.count)
		}
	}
}
