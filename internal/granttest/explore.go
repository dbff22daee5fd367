package granttest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// Explore runs every sequence of length actions, and so every shorter one, for both
// grants against the model. Whoever was let in can be found and let out again by their
// subject. The store keeps what others do with it apart.
func Explore(t *testing.T, records store.GrantStore, length int) {
	t.Helper()
	for _, flow := range Flows {
		t.Run(fmt.Sprintf("every sequence of %d actions on %s goes as the model says", length, flow.Name), func(t *testing.T) {
			var (
				run, failed atomic.Int64
				all         sync.WaitGroup
			)
			for _, first := range actions { // each with a clock of its own
				s := New(t, records, func(c *tokenendpoint.Config) {
					c.Observe, c.Logger = func(context.Context, tokenendpoint.Event) {}, slog.New(slog.DiscardHandler) // nobody reads so much
				})
				all.Go(func() {
					eachSequence(length-1, []action{first}, func(sequence []action) bool {
						n := run.Add(1)
						if err := follow(t.Context(), s, flow, fmt.Sprintf("user-%s-%d", flow.Name, n), sequence); err != nil {
							failed.Add(1)
							t.Errorf("%s, %s:\n%v", flow.Name, strings.Join(asStrings(sequence), ", "), err)
						}
						return failed.Load() < 5 // the others would say the same
					})
				})
			}
			all.Wait()
			t.Logf("%d sequences", run.Load())
		})
	}
}

// eachSequence calls visit with each sequence that goes on after begun with n more
// actions, until it returns false.
func eachSequence(n int, begun []action, visit func([]action) bool) bool {
	if n == 0 {
		return visit(begun)
	}
	for _, next := range actions {
		if !eachSequence(n-1, append(begun[:len(begun):len(begun)], next), visit) {
			return false
		}
	}
	return true
}

func asStrings(sequence []action) []string {
	names := make([]string, len(sequence))
	for i := range sequence {
		names[i] = string(sequence[i])
	}
	return names
}

// follow makes a sequence happen to something new, and compares.
func follow(ctx context.Context, s *Service, flow Flow, subject string, sequence []action) error {
	start := time.Now().Truncate(time.Microsecond)
	s.Clock.Set(start)
	a, answer := flow.Begin(ctx, s, subject)
	if a == nil {
		return fmt.Errorf("the request was answered %v", answer)
	}
	var (
		at       = asked
		interval = a.interval
		counted  time.Time // the last poll that was not early
		tokens   Answer
	)
	for i, step := range sequence {
		want := model[at][step]
		inTime := counted.Add(interval - jitter(interval))
		got := ""
		switch step {
		case early:
			s.Clock.until(inTime.Add(-time.Microsecond))
		case late:
			s.Clock.until(inTime)
		case expire:
			s.Clock.until(start.Add(a.Expires))
		case approve:
			got = reason(a.Approve(ctx, subject))
		case deny:
			got = reason(a.Deny(ctx, subject))
		}
		switch step {
		case early, late:
			answer := a.Poll(ctx, "app")
			if got = answer.String(); got == "tokens" {
				tokens = answer
			}
		case other:
			got = a.Poll(ctx, "other").String()
		}
		if got != want.answer {
			return fmt.Errorf("action %d, %s, while %s at an interval of %v: answered %q, and the model says %q", i+1, step, at, interval, got, want.answer)
		}
		if want.answer == pending {
			counted = s.Clock.Now()
		}
		if at == polled && want.next == hurried {
			interval += slowDown
		}
		at = want.next
	}
	return letOut(ctx, s, subject, tokens, at)
}

// letOut holds that the family has the subject once it is approved and not before, and
// that it can be revoked by it.
func letOut(ctx context.Context, s *Service, subject string, tokens Answer, at state) error {
	families, err := s.Endpoint.Families(ctx, subject)
	if err != nil {
		return err
	}
	if redeemed := tokens.Status == 200; !redeemed {
		if at != approved && at != missed && len(families) > 0 {
			return fmt.Errorf("%s, and the user has the grant of family %s", at, families[0].ID)
		}
		return nil
	}
	if len(families) != 1 || families[0].Subject != subject || families[0].ClientID != "app" {
		return fmt.Errorf("redeemed, and the grants of the user are %v, want one to app", families)
	}
	if got := s.Refresh(ctx, tokens).String(); got != "tokens" {
		return fmt.Errorf("the refresh token was answered %s before anything was revoked", got)
	}
	if n, err := s.Endpoint.Revoke(ctx, store.Match{Subject: subject}); err != nil || n != 1 {
		return fmt.Errorf("revoking by subject revoked %d grants (%v), want 1", n, err)
	}
	if got := s.Refresh(ctx, tokens).String(); got != invalid {
		return fmt.Errorf("the refresh token was answered %s after its user was let out, want %s", got, invalid)
	}
	return nil
}

// until moves the clock forwards to an instant, and never back.
func (c *Clock) until(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at.After(c.now) {
		c.now = at
	}
}

// reason says what counts of a user's error in a comparison.
func reason(err error) string {
	var refusal *tokenendpoint.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &refusal):
		return string(refusal.Reason)
	}
	return err.Error()
}
