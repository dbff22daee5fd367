package storetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/grantor-go/grantor/store"
)

const (
	whyRevokeAll   = "who logs out everywhere, or throws a thief out, is told that it is done, and a token goes on working"
	whyRevokeOther = "users who did nothing are logged out, all of them if it goes badly"
)

// revoked returns a family as Revoke leaves it.
func revoked(f store.Family, at time.Time) store.Family {
	f.RevokedAt = at
	return f
}

// kin begins one family, with a record, for each client, subject and session.
func kin(ctx context.Context, p handles, of ...[3]string) ([]store.Family, []store.Record, error) {
	families, records := make([]store.Family, len(of)), make([]store.Record, len(of))
	for i, names := range of {
		f := newFamily()
		f.ClientID, f.Subject, f.Session = names[0], names[1], names[2]
		families[i], records[i] = f, newRecord(f)
		if err := begin(ctx, []store.GrantStore{p.a, p.b}[i%2], f, records[i]); err != nil {
			return nil, nil, err
		}
	}
	return families, records, nil
}

// matchers are Matches of one name, by each field that is not the id.
var matchers = map[string]func(name string) ([3]string, store.Match){
	"by client": func(name string) ([3]string, store.Match) {
		return [3]string{name, "u", "s"}, store.Match{ClientID: name}
	},
	"by subject": func(name string) ([3]string, store.Match) {
		return [3]string{"c", name, "s"}, store.Match{Subject: name}
	},
	"by session": func(name string) ([3]string, store.Match) {
		return [3]string{"c", "u", name}, store.Match{Session: name}
	},
}

var grantRevokeChecks = []grantCheck{
	{
		name: "a revoked family is shown as revoked, with all its records as they were",
		why:  "the endpoint refuses a record by its family: what does not show that it was revoked is redeemed",
		run: func(ctx context.Context, open openGrants) error {
			p, f, records, err := begun(ctx, open, 3)
			if err != nil {
				return err
			}
			at := hour(1).Add(123_457 * time.Microsecond).In(time.FixedZone("", 2*60*60))
			if err := revokes(ctx, p.a, store.Match{Family: f.ID}, at, 1); err != nil {
				return err
			}
			return errors.Join(keeps(ctx, p.b, revoked(f, at), records...), lives(ctx, p.b, f.ID, false), lives(ctx, p.a, f.ID, false))
		},
	},
	{
		name: "an id that is not kept does not live, and is no error",
		why:  "introspection asks about whatever a token says: an error is answered with 503, and a stranger's family must not count as living",
		run: func(ctx context.Context, open openGrants) error {
			p, f, records, err := begun(ctx, open, 1)
			if err != nil {
				return err
			}
			return errors.Join(lives(ctx, p.b, f.ID, true), lives(ctx, p.b, random(16), false),
				lives(ctx, p.b, f.ID[:21], false), lives(ctx, p.b, records[0].Key.Hash, false))
		},
	},
	{
		name: "a match of one field revokes all that have it and no others",
		why:  whyRevokeAll + "; or " + whyRevokeOther,
		run: func(ctx context.Context, open openGrants) error {
			for name, match := range map[string]store.Match{
				"by client": {ClientID: "c1"}, "by subject": {Subject: "u1"}, "by session": {Session: "s1"}, "by family": {},
			} {
				if err := revokesOnly(ctx, open(), match, name == "by family"); err != nil {
					return where(name, err)
				}
			}
			return nil
		},
	},
	{
		name: "a match of several fields revokes only what has them all",
		why:  whyRevokeOther,
		run: func(ctx context.Context, open openGrants) error {
			for n := range 8 {
				var match store.Match
				for i, field := range []*string{&match.ClientID, &match.Subject, &match.Session} {
					if n>>i&1 == 1 {
						*field = []string{"c1", "u1", "s1"}[i]
					}
				}
				for _, byID := range []bool{true, false} {
					if match == (store.Match{}) && !byID {
						continue
					}
					if err := revokesOnly(ctx, open(), match, byID); err != nil {
						return fmt.Errorf("client %q, subject %q, session %q, family id %t: %w", match.ClientID, match.Subject, match.Session, byID, err)
					}
				}
			}
			return nil
		},
	},
	{
		name: "an empty Match and a revocation without a time are errors and revoke nothing",
		why:  "a form that was sent empty, or a variable that was not set, logs out every user there is",
		run: func(ctx context.Context, open openGrants) error {
			p, f, records, err := begun(ctx, open, 1)
			if err != nil {
				return err
			}
			machine := store.Family{ID: random(16), ClientID: "c", KeepUntil: hour(3)} // empty where the Match is
			if err := begin(ctx, p.a, machine); err != nil {
				return err
			}
			if n, err := p.a.Revoke(ctx, store.Match{}, hour(0)); err == nil {
				return fmt.Errorf("Revoke(store.Match{}) returned %d and no error", n)
			}
			if n, err := p.a.Revoke(ctx, store.Match{Family: f.ID}, time.Time{}); err == nil {
				return fmt.Errorf("a Revoke at the zero time returned %d and no error", n)
			}
			return errors.Join(keeps(ctx, p.b, f, records...), lives(ctx, p.b, f.ID, true), lives(ctx, p.b, machine.ID, true))
		},
	},
	{
		name: "names are matched byte by byte",
		why:  whyRevokeOther + "; or a user whose name is odd cannot be logged out",
		run: func(ctx context.Context, open openGrants) error {
			for which, matcher := range matchers {
				p := open()
				var of [][3]string
				for _, name := range oddTexts {
					names, _ := matcher(name)
					of = append(of, names)
				}
				families, records, err := kin(ctx, p, of...)
				if err != nil {
					return where(which, err)
				}
				for i, name := range oddTexts {
					_, match := matcher(name)
					err := errors.Join(keeps(ctx, p.b, families[i], records[i]), revokes(ctx, p.a, match, hour(0), 1),
						keeps(ctx, p.b, revoked(families[i], hour(0)), records[i]))
					if err != nil {
						return where(fmt.Sprintf("%s, %+q", which, name), err)
					}
				}
			}
			return nil
		},
	},
	{
		name: "a name matches in its own field alone",
		why:  whyRevokeOther + ": a subject may have the name of a client or of a session",
		run: func(ctx context.Context, open openGrants) error {
			p := open()
			families, _, err := kin(ctx, p, [3]string{"x", "y", "z"}, [3]string{"y", "z", "x"}, [3]string{"z", "x", "y"},
				[3]string{"c:x", "y", "z"}, [3]string{"subject:x", "session:x", "client:x"}, [3]string{"y:z", "", "x:y"})
			if err != nil {
				return err
			}
			for i, match := range []store.Match{{ClientID: "x"}, {Session: "x"}, {Subject: "x"}, {ClientID: "c:x", Subject: "y"}} {
				if err := errors.Join(lives(ctx, p.b, families[i].ID, true), revokes(ctx, p.a, match, hour(0), 1), lives(ctx, p.b, families[i].ID, false)); err != nil {
					return fmt.Errorf("%+v: %w", match, err)
				}
			}
			return errors.Join(revokes(ctx, p.a, store.Match{Family: "x"}, hour(0), 0), revokes(ctx, p.a, store.Match{ClientID: "y", Session: "z:x:y"}, hour(0), 0),
				lives(ctx, p.b, families[4].ID, true), lives(ctx, p.b, families[5].ID, true))
		},
	},
	{
		name: "a match that fits nothing revokes nothing and is no error",
		why:  "a user who logs out twice, or was never signed in, is shown an outage",
		run: func(ctx context.Context, open openGrants) error {
			if err := revokes(ctx, open().a, store.Match{Subject: "alice"}, hour(0), 0); err != nil {
				return where("in an empty store", err)
			}
			p, f, records, err := begun(ctx, open, 1)
			if err != nil {
				return err
			}
			for _, match := range []store.Match{
				{Family: random(16)}, {Subject: "bob"}, {Session: f.Subject}, {Family: f.ID, Subject: "bob"}, {ClientID: f.ClientID, Session: "another"},
			} {
				if err := revokes(ctx, p.a, match, hour(0), 0); err != nil {
					return err
				}
			}
			return keeps(ctx, p.b, f, records...)
		},
	},
	{
		name: "a family keeps the RevokedAt of the first time and is counted once",
		why:  "what was revoked when is evidence of a theft; a count that is wrong tells the operator that sessions lived that did not",
		run: func(ctx context.Context, open openGrants) error {
			p, f, records, err := begun(ctx, open, 1)
			if err != nil {
				return err
			}
			second := newFamily()
			if err := revokes(ctx, p.a, store.Match{Subject: f.Subject}, hour(1), 1); err != nil {
				return err
			}
			if err := begin(ctx, p.a, second); err != nil {
				return err
			}
			for _, step := range []struct {
				match store.Match
				want  int
			}{{store.Match{Family: f.ID}, 0}, {store.Match{Subject: f.Subject}, 1}, {store.Match{ClientID: f.ClientID}, 0}} {
				if err := revokes(ctx, p.b, step.match, hour(2), step.want); err != nil {
					return err
				}
				if err := keeps(ctx, p.a, revoked(f, hour(1)), records...); err != nil {
					return where("after it was revoked again", err)
				}
			}
			return nil
		},
	},
	{
		name: "all of many families are revoked at once",
		why:  whyRevokeAll + ": that of the device the user forgot about",
		run: func(ctx context.Context, open openGrants) error {
			const n = 150
			p, families := open(), make([]store.Family, n)
			for i := range families {
				families[i] = newFamily()
			}
			if err := atOnce(10, func(i int) error {
				for _, f := range families[i*n/10 : (i+1)*n/10] {
					if err := begin(ctx, p.a, f); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				return err
			}
			if err := revokes(ctx, p.b, store.Match{Subject: "alice"}, hour(0), n); err != nil {
				return err
			}
			for _, f := range families {
				if err := lives(ctx, p.a, f.ID, false); err != nil {
					return err
				}
			}
			return revokes(ctx, p.a, store.Match{ClientID: "reports"}, hour(0), 0)
		},
	},
}

// revokesOnly begins a family for each combination of two clients, subjects and
// sessions, revokes those that match, and looks at them all. With byID the id of
// the family of c2, u1 and s1 is in the Match too.
func revokesOnly(ctx context.Context, p handles, match store.Match, byID bool) error {
	var of [][3]string
	for n := range 8 {
		of = append(of, [3]string{fmt.Sprint("c", n&1+1), fmt.Sprint("u", n>>1&1+1), fmt.Sprint("s", n>>2&1+1)})
	}
	of = append(of, [3]string{"c3", "", ""})
	families, records, err := kin(ctx, p, of...)
	if err != nil {
		return err
	}
	if byID {
		match.Family = families[1].ID
	}
	fits := func(wanted, value string) bool { return wanted == "" || wanted == value }
	want := 0
	for i, f := range families {
		if fits(match.Family, f.ID) && fits(match.ClientID, f.ClientID) && fits(match.Subject, f.Subject) && fits(match.Session, f.Session) {
			families[i] = revoked(f, hour(1))
			want++
		}
	}
	if err := revokes(ctx, p.a, match, hour(1), want); err != nil {
		return err
	}
	for i, f := range families {
		err := errors.Join(keeps(ctx, p.b, f, records[i]), lives(ctx, p.b, f.ID, f.RevokedAt.IsZero()))
		if err != nil {
			return fmt.Errorf("the family of client %q, subject %q and session %q: %w", f.ClientID, f.Subject, f.Session, err)
		}
	}
	return nil
}
