package tokenendpoint_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/grantor-go/grantor/grants"
	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/tokenendpoint"
)

var errRecordsCanary = errors.New("records-canary-58")

// fail has the first n calls of a method return an error: before they are made, or
// after.
func (d *desk) fail(method string, n int, err error, afterwards bool) {
	d.records.around = func(ctx context.Context, called string, call func(context.Context) error) error {
		if called != method || n == 0 {
			return call(ctx)
		}
		n--
		if afterwards {
			if err := call(ctx); err != nil {
				d.t.Errorf("%s failed of itself: %v", called, err)
			}
		}
		return err
	}
}

// redemption is a way to spend something: it can be tried again as it is.
type redemption struct {
	name string
	make func(*desk) func() deskAnswer
}

var redemptions = []redemption{
	{"a code", func(d *desk) func() deskAnswer {
		code := d.code("web")
		return func() deskAnswer { return d.redeem("web", code) }
	}},
	{"a refresh token that is rotated", func(d *desk) func() deskAnswer {
		token := d.signIn("app").refresh()
		return func() deskAnswer { return d.refresh("app", token) }
	}},
	{"a refresh token that is kept", func(d *desk) func() deskAnswer {
		token := d.signIn("till").refresh()
		return func() deskAnswer { return d.refresh("till", token) }
	}},
}

func TestWhatTheStoreSaysOfARedemption(t *testing.T) {
	wrapped := func(err error) error { return fmt.Errorf("%w: %w", errRecordsCanary, err) }
	cases := []struct {
		method string
		err    error
		status int
		reason tokenendpoint.Reason
	}{
		{"Find", errRecordsCanary, 503, tokenendpoint.ReasonStoreUnavailable},
		{"Find", context.DeadlineExceeded, 503, tokenendpoint.ReasonStoreUnavailable},
		{"Find", wrapped(context.Canceled), 503, tokenendpoint.ReasonStoreUnavailable},
		{"Find", store.ErrNotFound, 400, tokenendpoint.ReasonUnknownHandle},
		{"Find", wrapped(store.ErrNotFound), 400, tokenendpoint.ReasonUnknownHandle},
		{"Find", store.ErrCorrupt, 500, tokenendpoint.ReasonCorrupt},
		{"Find", wrapped(store.ErrCorrupt), 500, tokenendpoint.ReasonCorrupt},
		{"Exchange", errRecordsCanary, 503, tokenendpoint.ReasonStoreUnavailable},
		{"Exchange", context.DeadlineExceeded, 503, tokenendpoint.ReasonStoreUnavailable},
		{"Exchange", wrapped(context.Canceled), 503, tokenendpoint.ReasonStoreUnavailable},
		{"Exchange", store.ErrNotFound, 400, tokenendpoint.ReasonUnknownHandle},
		{"Exchange", wrapped(store.ErrRevoked), 400, tokenendpoint.ReasonRevoked},
		{"Exchange", store.ErrRevoked, 400, tokenendpoint.ReasonRevoked},
		{"Exchange", wrapped(store.ErrCorrupt), 500, tokenendpoint.ReasonCorrupt},
	}
	for _, c := range cases {
		for _, r := range redemptions {
			t.Run(fmt.Sprintf("%v of %s for %s spends nothing", c.err, c.method, r.name), func(t *testing.T) {
				d := newDesk(t)
				redeem := r.make(d)
				d.fail(c.method, 1, c.err, false)
				answer := redeem()
				d.want(answer, c.status, c.reason)
				if strings.Contains(answer.body, "canary") {
					t.Errorf("the store's words are in the answer: %s", answer.body)
				}
				d.records.around = nil
				d.want(redeem(), 200, "")
			})
		}
	}
	t.Run("neither a record nor an error of Find is a fault", func(t *testing.T) {
		d := newDesk(t, func(c *tokenendpoint.Config) { c.Records = emptyHanded{} })
		d.want(d.refresh("web", "r"+strings.Repeat("A", 64)), 500, tokenendpoint.ReasonInternal)
	})
}

// emptyHanded is a store whose Find returns nothing at all.
type emptyHanded struct{ store.GrantStore }

func (emptyHanded) Find(context.Context, store.Key) (*store.Record, *store.Family, error) {
	return nil, nil, nil
}

func TestACommitThatIsLost(t *testing.T) {
	for _, r := range redemptions {
		t.Run(r.name+" in conflict once is looked at again and answered", func(t *testing.T) {
			d := newDesk(t)
			redeem := r.make(d)
			d.fail("Exchange", 1, fmt.Errorf("%w: %w", errRecordsCanary, store.ErrConflict), false)
			answer := redeem()
			d.want(answer, 200, "")
			d.equal("the calls of the store", answer.calls, 4)
		})
		t.Run(r.name+" in conflict twice is an outage that spends nothing", func(t *testing.T) {
			d := newDesk(t)
			redeem := r.make(d)
			d.fail("Exchange", 2, store.ErrConflict, false)
			d.want(redeem(), 503, tokenendpoint.ReasonConflict)
			d.want(redeem(), 200, "")
		})
		t.Run(r.name+" whose outcome cannot be found out is an outage", func(t *testing.T) {
			d := newDesk(t)
			redeem, exchanged := r.make(d), false
			d.records.around = func(ctx context.Context, method string, call func(context.Context) error) error {
				if exchanged = exchanged || method == "Exchange"; exchanged {
					return errRecordsCanary
				}
				return call(ctx)
			}
			d.want(redeem(), 503, tokenendpoint.ReasonStoreUnavailable)
			d.records.around = nil
			d.want(redeem(), 200, "")
		})
	}
	t.Run("a code whose commit was made and not answered is answered, once", func(t *testing.T) {
		d := newDesk(t)
		code := d.code("web")
		d.fail("Exchange", 1, errRecordsCanary, true)
		answer := d.redeem("web", code)
		d.want(answer, 200, "")
		d.equal("the calls of the store", answer.calls, 3)
		d.want(d.refresh("web", answer.refresh()), 200, "")
		d.want(d.redeem("web", code), 400, tokenendpoint.ReasonReused)
	})
	t.Run("a refresh token whose commit was made and not answered gives the successor that was made", func(t *testing.T) {
		d := newDesk(t)
		first := d.signIn("web").refresh()
		d.fail("Exchange", 1, errRecordsCanary, true)
		answer := d.refresh("web", first)
		d.want(answer, 200, "")
		d.equal("the successor that a retry gets", d.refresh("web", first).refresh(), answer.refresh())
		d.want(d.refresh("web", answer.refresh()), 200, "")
	})
	t.Run("a code that another request spent in the place of an unanswered commit is not taken for one's own", func(t *testing.T) {
		d := newDesk(t)
		code := d.code("web")
		var other deskAnswer
		d.records.around = func(ctx context.Context, method string, call func(context.Context) error) error {
			if method != "Exchange" {
				return call(ctx)
			}
			d.records.around = nil
			other = d.redeem("web", code)
			return errRecordsCanary
		}
		d.want(d.redeem("web", code), 503, tokenendpoint.ReasonStoreUnavailable)
		d.equal("the other's status", other.status, 200)
	})
	t.Run("a grant of a user that begins and is not answered is answered", func(t *testing.T) {
		for _, client := range []string{"web", "one-off"} { // with a refresh token, and without any record
			d := newDesk(t)
			c, _ := d.clients.Client(t.Context(), "web")
			oneOff := *c
			oneOff.ID, oneOff.RefreshTokens = "one-off", store.RefreshTokensOffline
			d.clients.Put(oneOff)
			d.validate = func(context.Context, *tokenendpoint.Request) (*tokenendpoint.Result, error) {
				return &tokenendpoint.Result{Grant: store.Grant{Subject: "alice"}}, nil
			}
			d.fail("Exchange", 1, errRecordsCanary, true)
			answer := d.ask(t.Context(), client, deskForm(redeemOwn, nil))
			d.want(answer, 200, "")
			d.equal("whether there is a refresh token", answer.refresh() != "", client == "web")
			d.fail("Exchange", 1, errRecordsCanary, false)
			d.want(d.ask(t.Context(), client, deskForm(redeemOwn, nil)), 503, tokenendpoint.ReasonStoreUnavailable)
		}
	})
	t.Run("a code that was kept and not answered is issued, and one that was not kept is not", func(t *testing.T) {
		d := newDesk(t)
		d.fail("Exchange", 1, errRecordsCanary, true)
		d.want(d.redeem("web", d.code("web")), 200, "")
		d.fail("Exchange", 1, errRecordsCanary, false)
		_, err := grants.AuthorizationCode{}.Issue(t.Context(), d.endpoint, grants.Code{
			Grant: store.Grant{ClientID: "web", Subject: "alice"}, CodeChallenge: redeemChallenge, CodeChallengeMethod: "S256",
		})
		if !errors.Is(err, tokenendpoint.TemporarilyUnavailable) || !errors.Is(err, errRecordsCanary) {
			t.Errorf("Issue: %v", err)
		}
	})
}

func TestACallerThatHangsUp(t *testing.T) {
	t.Run("while its code is redeemed has it redeemed", func(t *testing.T) {
		d := newDesk(t)
		code := d.code("web")
		ctx, hangUp := context.WithCancel(t.Context())
		d.records.around = func(ctx context.Context, method string, call func(context.Context) error) error {
			if method == "Exchange" {
				hangUp()
			}
			return call(ctx)
		}
		d.want(d.ask(ctx, "web", deskForm("authorization_code", []string{"code", code, "code_verifier", redeemVerifier})), 200, "")
		d.want(d.redeem("web", code), 400, tokenendpoint.ReasonReused)
	})
	t.Run("before its code is redeemed has it still", func(t *testing.T) {
		d := newDesk(t)
		code := d.code("web")
		ctx, hangUp := context.WithCancel(t.Context())
		d.records.around = func(ctx context.Context, method string, call func(context.Context) error) error {
			hangUp()
			return call(ctx)
		}
		d.want(d.ask(ctx, "web", deskForm("authorization_code", []string{"code", code, "code_verifier", redeemVerifier})), 503, tokenendpoint.ReasonCallerGone)
		d.records.around = nil
		d.want(d.redeem("web", code), 200, "")
	})
	t.Run("while it uses a code again has the grant revoked", func(t *testing.T) {
		d := newDesk(t)
		code := d.code("web")
		token := d.redeem("web", code).refresh()
		ctx, hangUp := context.WithCancel(t.Context())
		d.records.around = func(ctx context.Context, method string, call func(context.Context) error) error {
			err := call(ctx)
			hangUp()
			return err
		}
		d.want(d.ask(ctx, "web", deskForm("authorization_code", []string{"code", code, "code_verifier", redeemVerifier})), 400, tokenendpoint.ReasonReused)
		d.records.around = nil
		d.want(d.refresh("web", token), 400, tokenendpoint.ReasonRevoked)
	})
	t.Run("a replay whose revocation fails is an outage, so that it is sent again", func(t *testing.T) {
		d := newDesk(t)
		code := d.code("web")
		token := d.redeem("web", code).refresh()
		d.fail("Revoke", 1, errRecordsCanary, false)
		d.want(d.redeem("web", code), 503, tokenendpoint.ReasonStoreUnavailable)
		d.want(d.redeem("web", code), 400, tokenendpoint.ReasonReused)
		d.want(d.refresh("web", token), 400, tokenendpoint.ReasonRevoked)
	})
	t.Run("a store that panics is a server_error, and the next request is served", func(t *testing.T) {
		for _, method := range []string{"Find", "Exchange"} {
			d := newDesk(t)
			code := d.code("web")
			d.records.around = func(ctx context.Context, called string, call func(context.Context) error) error {
				if called == method {
					panic("records-canary-59")
				}
				return call(ctx)
			}
			answer := d.redeem("web", code)
			d.want(answer, 500, tokenendpoint.ReasonPanic)
			if !strings.Contains(d.log.String(), "records-canary-59") || strings.Contains(d.log.String(), code) {
				t.Errorf("the log is %s", d.log)
			}
			d.records.around = nil
			d.want(d.redeem("web", code), 200, "")
		}
	})
}
