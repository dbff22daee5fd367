package grants_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/grantor-go/grantor/internal/granttest"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/tokenendpoint"
)

var errCanary = errors.New("canary-of-the-store")

// faultyStore is a store that a test can stand in the way of.
type faultyStore struct {
	memory.Grants
	around func(method string, call func() error) error // nil: nobody is in the way
}

func (s *faultyStore) do(method string, call func() error) error {
	if s.around == nil {
		return call()
	}
	return s.around(method, call)
}

func (s *faultyStore) Find(ctx context.Context, key store.Key) (record *store.Record, family *store.Family, err error) {
	err = s.do("Find", func() error {
		record, family, err = s.Grants.Find(ctx, key)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return record, family, nil
}

func (s *faultyStore) Update(ctx context.Context, record *store.Record) error {
	return s.do("Update", func() error { return s.Grants.Update(ctx, record) })
}

func (s *faultyStore) Exchange(ctx context.Context, change *store.Change) error {
	return s.do("Exchange", func() error { return s.Grants.Exchange(ctx, change) })
}

// fault is how a call of a step fails: before it is made or after, alone or with all
// that follow in the step.
type fault struct {
	call       int
	after, all bool
	err        error
}

func (f fault) String() string {
	return fmt.Sprintf("call %d, after it was made: %t, with those that follow: %t, %v", f.call, f.after, f.all, f.err)
}

// journey is somebody who asks and is let in or not, step by step.
type journey struct {
	service *granttest.Service
	records *faultyStore
	flow    granttest.Flow
	asked   *granttest.Asked
}

func newJourney(t *testing.T, flow granttest.Flow) *journey {
	records := new(faultyStore)
	return &journey{granttest.New(t, records), records, flow, nil}
}

// step is what is answered the first time, and what when it was made already.
type step struct {
	name        string
	do          func(ctx context.Context, j *journey) string
	first, then string
}

var (
	begin = step{"begin", func(ctx context.Context, j *journey) string {
		asked, answer := j.flow.Begin(ctx, j.service, "alice")
		if asked == nil {
			return answer.String()
		}
		j.asked = asked
		return "begun"
	}, "begun", "begun"}
	poll    = step{"poll", func(ctx context.Context, j *journey) string { return j.asked.Poll(ctx, "app").String() }, "authorization_pending", "slow_down"}
	approve = step{"approve", func(ctx context.Context, j *journey) string { return said(j.asked.Approve(ctx, "alice")) }, "", "decided"}
	deny    = step{"deny", func(ctx context.Context, j *journey) string { return said(j.asked.Deny(ctx, "alice")) }, "", "decided"}
	redeem  = step{"redeem", poll.do, "tokens", "invalid_grant"}
	learn   = step{"learn of the denial", poll.do, "access_denied", "access_denied"}
)

const outage = "503 temporarily_unavailable"

// said is an outage, or the reason of a verdict.
func said(err error) string {
	var refusal *tokenendpoint.Error
	switch {
	case errors.Is(err, tokenendpoint.TemporarilyUnavailable):
		return outage
	case errors.As(err, &refusal):
		return string(refusal.Reason)
	case err != nil:
		return err.Error()
	}
	return ""
}

// 8628-3.5-05, CIBA-10.1.1-01.
func TestAStoreThatFails(t *testing.T) {
	for _, flow := range granttest.Flows {
		for _, steps := range [][]step{{begin, poll, approve, redeem}, {begin, approve, redeem}, {begin, poll, deny, learn}} {
			for n, step := range steps {
				t.Run(fmt.Sprintf("in the midst of step %d, %s, of %d on %s is an outage and no verdict", n+1, step.name, len(steps), flow.Name), func(t *testing.T) {
					for _, f := range faults(t, flow, steps[:n], step) {
						j := newJourney(t, flow)
						j.take(t, steps[:n])
						made, method := j.fail(f)
						got := step.do(t.Context(), j)
						j.records.around = nil
						want, then := outage, step.first
						if *made {
							then = step.then
							if *method == "Exchange" && !f.all { // it is looked at again
								want = step.first
							}
						}
						if got != want {
							t.Errorf("%v: answered %q, want %q", f, got, want)
						}
						if families, _ := j.service.Endpoint.Families(t.Context(), "alice"); step.name == "approve" && (len(families) == 1) != *made {
							t.Errorf("%v: alice has %d grants, and it was made: %t", f, len(families), *made)
						}
						if step.name == "begin" {
							continue // anew
						}
						if got := step.do(t.Context(), j); got != then {
							t.Errorf("%v: tried again it was answered %q, want %q", f, got, then)
						}
						if n+1 < len(steps) && steps[n+1].name != "poll" {
							j.take(t, steps[n+1:])
						}
					}
				})
			}
		}
	}
}

func (j *journey) take(t *testing.T, steps []step) {
	t.Helper()
	for _, step := range steps {
		if got := step.do(t.Context(), j); got != step.first {
			t.Fatalf("%s was answered %q, want %q", step.name, got, step.first)
		}
	}
}

// fail has a fault happen. made tells afterwards whether something was written all the
// same, and method what failed first.
func (j *journey) fail(f fault) (made *bool, method *string) {
	made, method = new(bool), new(string)
	n := 0
	j.records.around = func(called string, call func() error) error {
		n++
		if n != f.call && !(f.all && n > f.call) {
			return call()
		}
		if n == f.call {
			*method = called
		}
		if f.after && call() == nil {
			*made = *made || called != "Find"
		}
		return f.err
	}
	return made, method
}

// faults are all those that a step can have.
func faults(t *testing.T, flow granttest.Flow, before []step, of step) (all []fault) {
	j, calls := newJourney(t, flow), 0
	j.take(t, before)
	j.records.around = func(_ string, call func() error) error { calls++; return call() }
	of.do(t.Context(), j)
	if calls == 0 {
		t.Fatal("the step does not call the store")
	}
	for call := range calls {
		for _, err := range []error{errCanary, context.DeadlineExceeded, fmt.Errorf("%w: %w", errCanary, context.Canceled)} {
			all = append(all, fault{call + 1, false, false, err}, fault{call + 1, false, true, err}, fault{call + 1, true, false, err}, fault{call + 1, true, true, err})
		}
	}
	return all
}

func TestACallerThatIsGone(t *testing.T) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	steps := []step{begin, poll, approve, redeem}
	for _, flow := range granttest.Flows {
		for n, step := range steps {
			t.Run("before "+step.name+" is no verdict and can come back, "+flow.Name, func(t *testing.T) {
				j := newJourney(t, flow)
				j.take(t, steps[:n])
				if got := step.do(gone, j); got != outage && got != step.first {
					t.Errorf("answered %q", got)
				} else if got == step.first { // it was done all the same
					j.take(t, steps[n+1:])
					return
				}
				j.take(t, steps[n:])
			})
		}
	}
}
