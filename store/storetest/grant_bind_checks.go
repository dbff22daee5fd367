package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/grantor-go/grantor/store"
)

const whyBind = "a device code is for nobody until its user has said yes: tokens that come of it belong to that user, " +
	"who must be able to end them, and to nobody else"

// newUndecided returns a family whose user is not known yet.
func newUndecided() store.Family {
	f := newFamily()
	f.Subject, f.Session = "", ""
	return f
}

// bound returns a family as it is when it has got a user.
func bound(f store.Family, subject, session string) store.Family {
	f.Subject, f.Session = subject, session
	return f
}

// binding returns a change that names the user of f, and nothing else.
func binding(f store.Family) *store.Change {
	return &store.Change{Family: store.Family{ID: f.ID, Subject: f.Subject, Session: f.Session}}
}

// binds has a store make such a change.
func binds(ctx context.Context, s store.GrantStore, f store.Family) error {
	return verdict(s.Exchange(ctx, binding(f)), nil, "Exchange that names the user of a family")
}

var grantBindChecks = []grantCheck{
	{
		name: "a family without a user gets the one that an exchange names",
		why:  whyBind,
		run: func(ctx context.Context, open openGrants) error {
			p := open()
			for _, session := range []string{"", "of the browser"} {
				for _, earlier := range []string{"", "of the device"} {
					f := newUndecided()
					f.Session = earlier
					r := newRecord(f)
					if err := begin(ctx, p.a, f, r); err != nil {
						return err
					}
					f.Subject, f.Session = "alice", session
					if err := errors.Join(binds(ctx, p.a, f), keeps(ctx, p.a, f, r), keeps(ctx, p.b, f, r)); err != nil {
						return err
					}
				}
			}
			f := newUndecided()
			records := newRecords(f, 3)
			if err := begin(ctx, p.a, f, records...); err != nil {
				return err
			}
			change := &store.Change{
				Family: store.Family{
					ID: f.ID, ClientID: "other", Subject: "alice", Session: "s", CreatedAt: hour(1), RevokedAt: hour(1), KeepUntil: hour(5),
				},
				Spend:  spent(records[0], "the approval"),
				Extend: &store.Extension{Key: records[1].Key, ExpiresAt: hour(4), KeepUntil: hour(4)},
				Issue:  newRecords(f, 1),
			}
			if err := verdict(p.b.Exchange(ctx, change), nil, "Exchange that makes a whole change and names the user"); err != nil {
				return err
			}
			f.Subject, f.Session, f.KeepUntil = "alice", "s", hour(5)
			records[1].ExpiresAt, records[1].KeepUntil = hour(4), hour(4)
			return where("of a whole change", keeps(ctx, p.a, f, kept(change.Spend), records[1], records[2], change.Issue[0]))
		},
	},
	{
		name: "Revoke finds a family by the user that it got, and not by what it had before",
		why:  whyRevokeAll + "; or " + whyRevokeOther,
		run: func(ctx context.Context, open openGrants) error {
			p := open()
			for i, match := range []func(f store.Family) store.Match{
				func(f store.Family) store.Match { return store.Match{Subject: f.Subject} },
				func(f store.Family) store.Match { return store.Match{Session: f.Session} },
				func(f store.Family) store.Match { return store.Match{ClientID: f.ClientID} },
				func(f store.Family) store.Match {
					return store.Match{ClientID: f.ClientID, Subject: f.Subject, Session: f.Session}
				},
				func(f store.Family) store.Match { return store.Match{Family: f.ID, Subject: f.Subject} },
			} {
				f := newUndecided()
				f.ClientID, f.Session = fmt.Sprint("client ", i), fmt.Sprint("of device ", i)
				r, after := newRecord(f), bound(f, fmt.Sprint("user ", i), fmt.Sprint("of browser ", i))
				if err := begin(ctx, p.a, f, r); err != nil {
					return err
				}
				for _, early := range []store.Match{{Subject: after.Subject}, {Session: after.Session}} {
					if err := revokes(ctx, p.b, early, hour(0), 0); err != nil {
						return where("before it got its user", err)
					}
				}
				err := errors.Join(binds(ctx, p.a, after), revokes(ctx, p.b, store.Match{Session: f.Session}, hour(0), 0),
					lives(ctx, p.b, f.ID, true), revokes(ctx, p.b, match(after), hour(1), 1), lives(ctx, p.a, f.ID, false),
					keeps(ctx, p.a, revoked(after, hour(1)), r))
				if err != nil {
					return fmt.Errorf("%+v: %w", match(after), err)
				}
			}
			return nil
		},
	},
	{
		name: "a family that has a user keeps them, whoever is named later",
		why:  "a second user who types in the same code takes over what the first one authorised, or gives the first one's client their own",
		run: func(ctx context.Context, open openGrants) error {
			p := open()
			for _, session := range []string{"", "of the browser"} {
				f := newUndecided()
				r := newRecord(f)
				if err := begin(ctx, p.a, f, r); err != nil {
					return err
				}
				f = bound(f, "alice "+session, session)
				if err := binds(ctx, p.a, f); err != nil {
					return err
				}
				for _, later := range []store.Family{bound(f, "mallory", "another"), bound(f, "mallory", ""), bound(f, f.Subject, "another"), bound(f, f.Subject, "")} {
					if err := errors.Join(binds(ctx, p.b, later), keeps(ctx, p.a, f, r)); err != nil {
						return err
					}
				}
				err := errors.Join(revokes(ctx, p.b, store.Match{Subject: "mallory"}, hour(0), 0), revokes(ctx, p.b, store.Match{Session: "another"}, hour(0), 0),
					lists(ctx, p.b, "mallory"), lists(ctx, p.b, f.Subject, f), revokes(ctx, p.b, store.Match{Subject: f.Subject}, hour(0), 1))
				if err != nil {
					return err
				}
			}
			return nil
		},
	},
	{
		name: "an exchange that names no user leaves the one there is, or none",
		why:  "polls and refreshes name nobody: a family that loses its user by one lives on when that user logs out everywhere",
		run: func(ctx context.Context, open openGrants) error {
			p := open()
			for _, f := range []store.Family{newUndecided(), bound(newUndecided(), "", "of the device"), newFamily()} {
				r := newRecord(f)
				if err := begin(ctx, p.a, f, r); err != nil {
					return err
				}
				nobody := bound(f, "", "another")
				if err := errors.Join(binds(ctx, p.b, nobody), keeps(ctx, p.a, f, r), revokes(ctx, p.b, store.Match{Session: "another"}, hour(0), 0)); err != nil {
					return err
				}
				write := spent(r, "a poll")
				if err := errors.Join(verdict(p.b.Update(ctx, write), nil, "Update"), keeps(ctx, p.a, f, kept(write))); err != nil {
					return err
				}
			}
			return revokes(ctx, p.b, store.Match{Subject: "alice"}, hour(0), 1)
		},
	},
	{
		name: "an exchange that fails gives a family no user",
		why:  whyBind + ": an approval that came too late, or for a code that was denied, would give its user a family that they did not authorise",
		run: func(ctx context.Context, open openGrants) error {
			p, live, dead := open(), newUndecided(), newUndecided()
			r, d := newRecords(live, 3), newRecords(dead, 3)
			if err := errors.Join(begin(ctx, p.a, live, r...), begin(ctx, p.a, dead, d...),
				revokes(ctx, p.a, store.Match{Family: dead.ID}, hour(0), 1)); err != nil {
				return err
			}
			for _, c := range refusals(bound(live, "alice", "s"), r, bound(dead, "alice", "s"), d) {
				err := errors.Join(verdict(p.a.Exchange(ctx, c.change), c.want, "Exchange"), keeps(ctx, p.b, live, r...),
					keeps(ctx, p.b, revoked(dead, hour(0)), d...), lists(ctx, p.b, "alice"),
					revokes(ctx, p.b, store.Match{Subject: "alice"}, hour(0), 0), lives(ctx, p.b, live.ID, true))
				if err != nil {
					return where("where "+c.how, err)
				}
			}
			return nil
		},
	},
	{
		name: "of many who name the user of one family one is kept, and nobody is refused",
		why:  "a family with the subject of one user and the session of another is ended by the wrong one; and who came second must find out by Find, not by an error",
		run: func(ctx context.Context, open openGrants) error {
			p := open()
			for range raceRounds {
				f := newUndecided()
				r, named := newRecord(f), make([]store.Family, racers)
				for i := range named {
					named[i] = bound(f, fmt.Sprint("user ", i, " of ", f.ID), fmt.Sprint("session ", i, " of ", f.ID))
				}
				if err := begin(ctx, p.a, f, r); err != nil {
					return err
				}
				winners, err := race(p, func(i int, s store.GrantStore) error { return s.Exchange(ctx, binding(named[i])) })
				if err != nil || len(winners) != racers {
					return fmt.Errorf("of %d who named a user %d succeeded, want all (error: %v)", racers, len(winners), err)
				}
				_, shown, err := p.b.Find(ctx, r.Key)
				if err != nil || shown == nil {
					return fmt.Errorf("a Find returned no family (error: %v)", err)
				}
				first := slices.IndexFunc(named, func(n store.Family) bool { return n.Subject == shown.Subject })
				if first < 0 {
					return fmt.Errorf("the family has the subject %q, which nobody named", shown.Subject)
				}
				if err := keeps(ctx, p.a, named[first], r); err != nil {
					return err
				}
				for i, n := range named {
					want := 0
					if i == first {
						want = 1
					}
					by := []store.Match{{Subject: n.Subject}, {Session: n.Session}}[i%2]
					if err := revokes(ctx, p.b, by, hour(0), want); err != nil {
						return err
					}
				}
			}
			return nil
		},
	},
	{
		name: "naming a user and revoking that user at the same moment come one after the other",
		why:  whyRevokeAll + ", because neither this logout finds it nor the next",
		run: func(ctx context.Context, open openGrants) error {
			p := open()
			for range 4 * raceRounds {
				p.a, p.b = p.b, p.a
				if err := bindBesideRevoke(ctx, p); err != nil {
					return err
				}
			}
			return nil
		},
	},
}

// bindBesideRevoke names the user of a family, as an approval does, while that user is
// revoked again and again. Until it is named the family is not that user's, so the
// approval is never refused. One of the Revokes counts the family: at the latest the
// first that begins when the approval was answered.
func bindBesideRevoke(ctx context.Context, p handles) error {
	f := newUndecided()
	r, match := newRecord(f), store.Match{Subject: "user of " + f.ID}
	if err := begin(ctx, p.a, f, r); err != nil {
		return err
	}
	f = bound(f, match.Subject, "of the browser")
	change, counted := binding(f), 0
	change.Spend = spent(r, "the approval")
	var answered atomic.Bool
	err := atOnce(2, func(i int) error {
		if i == 0 {
			defer answered.Store(true)
			return verdict(p.a.Exchange(ctx, change), nil, "an Exchange that names a user, beside Revoke,")
		}
		for last := false; !last && counted == 0; {
			last = answered.Load()
			n, err := p.b.Revoke(ctx, match, hour(1))
			if err != nil {
				return fmt.Errorf("a Revoke returned the error %q", err)
			}
			counted += n
		}
		return nil
	})
	if err != nil {
		return err
	}
	if counted != 1 {
		return fmt.Errorf("the Revokes, of which one began after the Exchange was answered, counted %d families, and there is one", counted)
	}
	return errors.Join(lives(ctx, p.a, f.ID, false), keeps(ctx, p.a, revoked(f, hour(1)), kept(change.Spend)), revokes(ctx, p.a, match, hour(2), 0))
}
