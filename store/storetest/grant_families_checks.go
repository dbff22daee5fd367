package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/grantor-go/grantor/store"
)

const whyList = "by it users see where they are signed in, and end what they do not know: what is missing goes on unseen"

// lists compares what Families returns with what there is, newest first.
func lists(ctx context.Context, s store.GrantStore, subject string, want ...store.Family) error {
	got, err := s.Families(ctx, subject)
	if err != nil {
		return fmt.Errorf("Families(%+q) returned the error %q", subject, err)
	}
	if len(got) != len(want) {
		return fmt.Errorf("Families(%+q) returned %d families, want %d", subject, len(got), len(want))
	}
	return where(fmt.Sprintf("Families(%+q)", subject), same(want, got))
}

var grantFamiliesChecks = []grantCheck{
	{
		name: "the families of a subject are listed whole, newest first",
		why:  whyList + "; a client or a time that is wrong makes them end the wrong one",
		run: func(ctx context.Context, open openGrants) error {
			p := open()
			var families []store.Family
			for i, micros := range []time.Duration{-7, 3_600_000_001, 0, 1, -3_600_000_000, 2} {
				f := newFamily()
				f.ClientID, f.Session = fmt.Sprint("client ", i), fmt.Sprint("session ", i)
				f.CreatedAt, f.KeepUntil = hour(0).Add(micros*time.Microsecond), hour(3+i).Add(time.Microsecond)
				if i == 4 {
					f.Session = ""
				}
				if err := begin(ctx, []store.GrantStore{p.a, p.b}[i%2], f, newRecords(f, i%3)...); err != nil {
					return err
				}
				families = append(families, f)
			}
			slices.SortFunc(families, func(a, b store.Family) int { return b.CreatedAt.Compare(a.CreatedAt) })
			if err := errors.Join(lists(ctx, p.a, "alice", families...), lists(ctx, p.b, "alice", families...)); err != nil {
				return err
			}
			change := of(families[2])
			change.Family.KeepUntil = hour(20)
			families[2].KeepUntil = hour(20)
			return where("after the end of one was raised", errors.Join(
				verdict(p.a.Exchange(ctx, change), nil, "Exchange"), lists(ctx, p.b, "alice", families...)))
		},
	},
	{
		name: "what is not the subject's own is not listed",
		why:  "users see what others do, and end it: subjects are told apart byte by byte, and a subject may have the name of a client or a session",
		run: func(ctx context.Context, open openGrants) error {
			p := open()
			var of [][3]string
			for _, name := range oddTexts {
				of = append(of, [3]string{"c", name, "s"}, [3]string{name, "", name}, [3]string{name, "somebody else", name})
			}
			families, _, err := kin(ctx, p, of...)
			if err != nil {
				return err
			}
			for i, name := range oddTexts {
				if err := lists(ctx, p.b, name, families[3*i]); err != nil {
					return err
				}
			}
			return nil
		},
	},
	{
		name: "revoked families are not listed",
		why:  "users who threw somebody out see them as if they were still there, or no more than they did before of what is left",
		run: func(ctx context.Context, open openGrants) error {
			p, families := open(), make([]store.Family, 4)
			for i := range families {
				families[i] = newFamily()
				families[i].CreatedAt = hour(-i)
			}
			families[3].Subject = "bob"
			for _, f := range families {
				if err := begin(ctx, p.a, f); err != nil {
					return err
				}
			}
			return errors.Join(
				revokes(ctx, p.a, store.Match{Family: families[1].ID}, hour(0), 1), lists(ctx, p.b, "alice", families[0], families[2]),
				revokes(ctx, p.b, store.Match{Subject: "alice"}, hour(0), 2), lists(ctx, p.a, "alice"), lists(ctx, p.a, "bob", families[3]))
		},
	},
	{
		name: "a family is listed from when it got its user",
		why:  whyList + ": it is by this list that they notice an approval that was talked out of them",
		run: func(ctx context.Context, open openGrants) error {
			p, f, before := open(), newUndecided(), newFamily()
			before.CreatedAt = hour(-1)
			if err := errors.Join(begin(ctx, p.a, before), begin(ctx, p.a, f), lists(ctx, p.b, "alice", before)); err != nil {
				return err
			}
			f = bound(f, "alice", "of the browser")
			return errors.Join(binds(ctx, p.a, f), lists(ctx, p.b, "alice", f, before), lists(ctx, p.a, "alice", f, before),
				binds(ctx, p.b, bound(f, "mallory", "another")), lists(ctx, p.a, "mallory"))
		},
	},
	{
		name: "all of many families are listed, each once, whatever is done to them meanwhile",
		why:  whyList + "; what is there twice they end twice, and wonder who it was",
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
			var over atomic.Bool
			return atOnce(2, func(i int) error {
				if i == 0 {
					defer over.Store(true)
					for _, f := range families {
						change := of(f)
						change.Family.KeepUntil = hour(9)
						if err := verdict(p.a.Exchange(ctx, change), nil, "Exchange"); err != nil {
							return err
						}
					}
					return nil
				}
				for last := false; !last; {
					last = over.Load()
					if err := listsAll(ctx, p.b, families); err != nil {
						return err
					}
				}
				return nil
			})
		},
	},
	{
		name: "a subject without families is no error",
		why:  "users who are signed in nowhere are shown an outage",
		run: func(ctx context.Context, open openGrants) error {
			if err := lists(ctx, open().a, "alice"); err != nil {
				return where("in an empty store", err)
			}
			p, f, _, err := begun(ctx, open, 1)
			if err != nil {
				return err
			}
			return errors.Join(lists(ctx, p.b, "bob"), lists(ctx, p.b, f.ClientID), lists(ctx, p.b, f.Session), lists(ctx, p.b, f.ID))
		},
	},
	{
		name: "an empty subject is an error",
		why:  "a variable that was not set lists what is nobody's: every client that acts for itself, and every code that waits for its user",
		run: func(ctx context.Context, open openGrants) error {
			p := open()
			for range 2 { // in an empty store, and in one with a family that has none
				for _, s := range []store.GrantStore{p.a, p.b} {
					if families, err := s.Families(ctx, ""); err == nil {
						return fmt.Errorf("a Families of an empty subject returned %d families and no error", len(families))
					}
				}
				if err := begin(ctx, p.a, newUndecided()); err != nil {
					return err
				}
			}
			return nil
		},
	},
}

// listsAll compares only which families are listed, and how often.
func listsAll(ctx context.Context, s store.GrantStore, families []store.Family) error {
	got, err := s.Families(ctx, families[0].Subject)
	if err != nil {
		return fmt.Errorf("a Families returned the error %q", err)
	}
	times := make(map[string]int)
	for _, f := range got {
		times[f.ID]++
	}
	for _, f := range families {
		if times[f.ID] != 1 {
			return fmt.Errorf("of %d families one is listed %d times, and %d are listed in all", len(families), times[f.ID], len(got))
		}
	}
	return nil
}
