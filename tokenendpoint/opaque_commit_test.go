package tokenendpoint_test

import (
	"context"
	"errors"
	"net/url"
	"testing"

	"github.com/grantor-go/grantor/internal/secret"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

// opaqueIssued returns how many opaque tokens the changes issue, and those of them that the
// store has.
func (s *opaqueChanges) opaqueIssued(t *testing.T, records store.GrantStore) (tried, kept int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, change := range s.made {
		for _, record := range change.Issue {
			if record.Kind != store.KindAccess {
				continue
			}
			tried++
			if _, _, err := records.Find(t.Context(), record.Key); err == nil {
				kept++
			}
		}
	}
	return tried, kept
}

// newOpaqueDesk notes the changes beneath whatever the test has the store do.
func newOpaqueDesk(t *testing.T) (*introspectionDesk, *opaqueChanges) {
	noted := new(opaqueChanges)
	d := newIntrospectionDesk(t, func(c *tokenendpoint.Config) { noted.GrantStore = c.Records; c.Records = noted })
	return d, noted
}

// A token is good if and only if it was answered: whatever became of the commit, and
// whether the caller can be told.
func TestAnOpaqueTokenIsGoodIfItWasAnswered(t *testing.T) {
	lost := errors.New("the connection was cut")
	for _, flow := range opaqueFlows() {
		// fail has the next commit fail, after it was made or instead of it; blind has
		// nobody able to find out.
		fail := func(d *introspectionDesk, isMade, blind bool, err error) {
			around := d.records.around
			d.records.around = func(ctx context.Context, method string, call func(context.Context) error) error {
				if method != "Exchange" {
					return around(ctx, method, call)
				}
				d.records.around = around
				if blind {
					d.parts.fails("Find", lost)
					d.parts.fails("FamilyLive", lost)
				}
				if isMade {
					if made := around(ctx, method, call); made != nil {
						d.t.Errorf("the change was not made: %v", made)
					}
				}
				return err
			}
		}
		t.Run(flow.name+" is answered if the commit was made and its answer lost", func(t *testing.T) {
			d, _ := newOpaqueDesk(t)
			form := d.begin(flow)
			fail(d, true, false, lost)
			answer := d.send(flow.client, form)
			d.want(answer.deskAnswer, 200, "")
			d.active("orders", answer.access())
		})
		t.Run(flow.name+" is 503 if the commit was not made, and can be asked for again", func(t *testing.T) {
			d, noted := newOpaqueDesk(t)
			form := d.begin(flow)
			noted.made = nil
			fail(d, false, false, lost)
			d.want(d.send(flow.client, form).deskAnswer, 503, "store_unavailable")
			if _, kept := noted.opaqueIssued(t, &d.records.Grants); kept != 0 {
				t.Errorf("%d tokens are kept", kept)
			}
			answer := d.send(flow.client, form)
			d.want(answer.deskAnswer, 200, "")
			d.active("orders", answer.access())
		})
		t.Run(flow.name+" is 503 if nobody knows whether the commit was made", func(t *testing.T) {
			d, _ := newOpaqueDesk(t)
			form := d.begin(flow)
			fail(d, true, true, lost)
			answer := d.send(flow.client, form)
			d.want(answer.deskAnswer, 503, "store_unavailable")
			if answer.access() != "" {
				t.Errorf("answered %s", answer.body)
			}
		})
	}
}

// Of many that redeem one thing at once those that lost have nothing, and nothing of theirs
// is kept beyond what was answered.
func TestALostRaceLeavesNoOpaqueToken(t *testing.T) {
	for _, flow := range opaqueFlows() {
		if flow.name == "client_credentials" || flow.client == "till" {
			continue // nothing is spent
		}
		t.Run(flow.name, func(t *testing.T) {
			d, noted := newOpaqueDesk(t)
			form := d.begin(flow)
			noted.made = nil
			answers := parallel(8, func() deskAnswer {
				sent := url.Values{}
				for name, values := range form {
					sent[name] = values
				}
				return d.send(flow.client, sent).deskAnswer
			})
			answered := 0
			for _, answer := range answers {
				token, _ := answer.members["access_token"].(string)
				if answer.status != 200 {
					continue
				}
				answered++
				said := d.introspect("orders", token) // a code that is used again ends them all
				if family, hash, ok := secret.KeyOf("a", token); !ok {
					t.Errorf("answered %s", answer.body)
				} else if _, owner, err := d.records.Grants.Find(t.Context(), store.Key{Family: family, Hash: hash}); err != nil || owner.RevokedAt.IsZero() != (said.members["active"] == true) {
					t.Errorf("answered a token of which introspection says %s: %v", said.body, err)
				}
			}
			if tried, kept := noted.opaqueIssued(t, &d.records.Grants); answered == 0 || kept != answered || tried < answered {
				t.Errorf("%d answers, and %d tokens are kept of %d that were made", answered, kept, tried)
			}
		})
	}
}

// What ends while a token is made ends the token with it.
func TestAFamilyThatEndsMeanwhileGivesNoOpaqueToken(t *testing.T) {
	for _, client := range []string{"web", "till"} {
		t.Run("of "+client, func(t *testing.T) {
			d, noted := newOpaqueDesk(t)
			d.opaque(client)
			answer := d.byCode(client)
			noted.made = nil
			around := d.records.around
			d.records.around = func(ctx context.Context, method string, call func(context.Context) error) error {
				if method == "Exchange" {
					d.records.around = around
					d.takeBack(store.Match{Subject: "alice"})
				}
				return around(ctx, method, call)
			}
			d.want(d.send(client, d.refreshing(answer)).deskAnswer, 400, "revoked")
			if _, kept := noted.opaqueIssued(t, &d.records.Grants); kept != 0 {
				t.Errorf("%d tokens are kept", kept)
			}
			d.inactive("orders", answer.access(), "revoked")
		})
	}
}
