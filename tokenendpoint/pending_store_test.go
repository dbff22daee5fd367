package tokenendpoint_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// What became of a decision whose store failed is found out: it counts if it was made.
func TestADecisionWhoseOutcomeIsUnknown(t *testing.T) {
	for _, lost := range []error{errRecordsCanary, context.DeadlineExceeded, fmt.Errorf("%w: %w", errRecordsCanary, context.Canceled)} {
		t.Run(fmt.Sprintf("counts if the store made it before it said %v", lost), func(t *testing.T) {
			p := newPendingDesk(t)
			handle := p.begin("web", "scope", "orders.read")
			p.fail("Exchange", 1, lost, true)
			if err := p.decide(p.find()); err != nil {
				t.Errorf("it was made: %v", err)
			}
			p.records.around = nil
			p.want(p.poll("web", handle), 200, "")
		})
		t.Run(fmt.Sprintf("is an outage if the store made nothing before it said %v", lost), func(t *testing.T) {
			p := newPendingDesk(t)
			handle := p.begin("web", "scope", "orders.read")
			p.fail("Exchange", 1, lost, false)
			p.refused(p.decide(p.find()), tokenendpoint.TemporarilyUnavailable, tokenendpoint.ReasonStoreUnavailable)
			p.records.around = nil
			p.undecided("web", handle)
		})
		t.Run(fmt.Sprintf("is an outage if nothing can be found out after %v", lost), func(t *testing.T) {
			p := newPendingDesk(t)
			p.begin("web", "scope", "orders.read")
			pending := p.find()
			p.records.around = func(context.Context, string, func(context.Context) error) error { return lost }
			p.refused(p.decide(pending), tokenendpoint.TemporarilyUnavailable, tokenendpoint.ReasonStoreUnavailable)
		})
	}
	t.Run("is made although the browser has hung up", func(t *testing.T) {
		p := newPendingDesk(t)
		handle := p.begin("web", "scope", "orders.read")
		pending := p.find()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := p.endpoint.Decide(ctx, pending, &store.Grant{Subject: "alice"}); err != nil {
			t.Errorf("Decide: %v", err)
		}
		p.want(p.poll("web", handle), 200, "")
	})
	t.Run("is a verdict only if the store says so", func(t *testing.T) {
		for _, verdict := range []struct {
			err    error
			code   tokenendpoint.ErrorCode
			reason tokenendpoint.Reason
		}{
			{store.ErrRevoked, tokenendpoint.InvalidGrant, tokenendpoint.ReasonRevoked},
			{store.ErrNotFound, tokenendpoint.InvalidGrant, tokenendpoint.ReasonUnknownHandle},
			{store.ErrCorrupt, tokenendpoint.ServerError, tokenendpoint.ReasonCorrupt},
		} {
			p := newPendingDesk(t)
			p.begin("web", "scope", "orders.read")
			p.fail("Exchange", 1, fmt.Errorf("%w: %w", errRecordsCanary, verdict.err), false)
			p.refused(p.decide(p.find()), verdict.code, verdict.reason)
		}
	})
}

func TestADecisionThatMeetsOthers(t *testing.T) {
	t.Run("is tried again when a poll was first", func(t *testing.T) {
		p := newPendingDesk(t)
		handle := p.begin("web", "scope", "orders.read")
		polls := 0
		p.records.around = func(ctx context.Context, method string, call func(context.Context) error) error {
			if method == "Exchange" && polls < 4 {
				polls++
				p.touch() // a poll writes the record meanwhile
			}
			return call(ctx)
		}
		if err := p.decide(p.find()); err != nil {
			t.Errorf("after %d polls: %v", polls, err)
		}
		p.records.around = nil
		p.want(p.poll("web", handle), 200, "")
	})
	t.Run("gives up after five conflicts, and nothing is decided", func(t *testing.T) {
		p := newPendingDesk(t)
		handle := p.begin("web", "scope", "orders.read")
		tries := 0
		p.records.around = func(ctx context.Context, method string, call func(context.Context) error) error {
			if method == "Exchange" {
				tries++
				return store.ErrConflict
			}
			return call(ctx)
		}
		p.refused(p.decide(p.find()), tokenendpoint.TemporarilyUnavailable, tokenendpoint.ReasonConflict)
		p.equal("the tries", tries, 5)
		p.records.around = nil
		p.undecided("web", handle)
	})
}

// touch changes a record as a poll does: in nothing that counts.
func (p *pendingDesk) touch() {
	p.t.Helper()
	around := p.records.around
	p.records.around = nil
	defer func() { p.records.around = around }()
	record := p.record()
	if err := p.records.Update(p.t.Context(), record); err != nil {
		p.t.Errorf("Update: %v", err)
	}
}

// record returns a copy of the record that is pending.
func (p *pendingDesk) record() *store.Record {
	p.t.Helper()
	var kept *store.Record
	p.records.found = func(record *store.Record, _ *store.Family) {
		if record.Kind != store.KindDecision {
			kept = record
		}
	}
	defer func() { p.records.found = nil }()
	p.find()
	if kept == nil {
		p.t.Fatal("there is no record")
	}
	changed := *kept
	return &changed
}

func TestFindPendingTellsOutagesFromVerdicts(t *testing.T) {
	for _, test := range []struct {
		err    error
		code   tokenendpoint.ErrorCode
		reason tokenendpoint.Reason
	}{
		{errRecordsCanary, tokenendpoint.TemporarilyUnavailable, tokenendpoint.ReasonStoreUnavailable},
		{context.DeadlineExceeded, tokenendpoint.TemporarilyUnavailable, tokenendpoint.ReasonStoreUnavailable},
		{context.Canceled, tokenendpoint.TemporarilyUnavailable, tokenendpoint.ReasonStoreUnavailable},
		{errors.Join(errRecordsCanary, store.ErrNotFound), tokenendpoint.InvalidGrant, tokenendpoint.ReasonUnknownHandle},
		{errors.Join(errRecordsCanary, store.ErrCorrupt), tokenendpoint.ServerError, tokenendpoint.ReasonCorrupt},
	} {
		for _, failing := range []int{1, 2} {
			t.Run(fmt.Sprintf("%q of its look no. %d", strings.ReplaceAll(test.err.Error(), "\n", ": "), failing), func(t *testing.T) {
				p := newPendingDesk(t)
				p.begin("web", "scope", "orders.read")
				looks := 0
				p.records.around = func(ctx context.Context, _ string, call func(context.Context) error) error {
					if looks++; looks == failing {
						return test.err
					}
					return call(ctx)
				}
				_, err := p.endpoint.FindPending(t.Context(), p.kind(), p.decision)
				p.refused(err, test.code, test.reason)
			})
		}
	}
	t.Run("a caller who has hung up is no verdict", func(t *testing.T) {
		p := newPendingDesk(t)
		p.begin("web", "scope", "orders.read")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := p.endpoint.FindPending(ctx, p.kind(), p.decision)
		p.refused(err, tokenendpoint.TemporarilyUnavailable, tokenendpoint.ReasonStoreUnavailable)
	})
	for name, test := range map[string]struct {
		alter  func(*store.Record, *store.Family)
		code   tokenendpoint.ErrorCode
		reason tokenendpoint.Reason
	}{
		"without its grant": {func(r *store.Record, _ *store.Family) { r.Grant = nil }, tokenendpoint.ServerError, tokenendpoint.ReasonCorrupt},
		"of another client than its family": {func(_ *store.Record, f *store.Family) { f.ClientID = "app" },
			tokenendpoint.ServerError, tokenendpoint.ReasonCorrupt},
		"that is pending in a family that has a user": {func(_ *store.Record, f *store.Family) { f.Subject = "mallory" },
			tokenendpoint.ServerError, tokenendpoint.ReasonCorrupt},
		"that is pending and has a user": {func(r *store.Record, _ *store.Family) { r.Grant.Subject = "mallory" },
			tokenendpoint.ServerError, tokenendpoint.ReasonCorrupt},
		"of another issuer": {func(r *store.Record, _ *store.Family) { r.Grant.Issuer = "https://other.example" },
			tokenendpoint.InvalidGrant, tokenendpoint.ReasonUnknownHandle},
	} {
		t.Run("a record "+name+" is not to be decided", func(t *testing.T) {
			p := newPendingDesk(t)
			p.begin("web", "scope", "orders.read")
			p.records.found = func(record *store.Record, family *store.Family) {
				if record.Kind != store.KindDecision {
					grant := *record.Grant
					record.Grant = &grant
					test.alter(record, family)
				}
			}
			_, err := p.endpoint.FindPending(t.Context(), p.kind(), p.decision)
			p.refused(err, test.code, test.reason)
		})
	}
	t.Run("a handle that was sealed for another decision is corrupt", func(t *testing.T) {
		p := newPendingDesk(t)
		p.begin("web", "scope", "orders.read")
		p.records.found = func(record *store.Record, _ *store.Family) {
			if record.Kind == store.KindDecision {
				record.Sealed = append([]byte(nil), record.Sealed...)
				record.Sealed[len(record.Sealed)-1] ^= 1
			}
		}
		_, err := p.endpoint.FindPending(t.Context(), p.kind(), p.decision)
		p.refused(err, tokenendpoint.ServerError, tokenendpoint.ReasonCorrupt)
	})
}
