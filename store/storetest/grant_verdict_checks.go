package storetest

import (
	"context"
	"errors"
	"fmt"

	"github.com/grantor-go/grantor/store"
)

// refusal is an exchange that must fail.
type refusal struct {
	how    string
	want   error
	change *store.Change
}

// refusals returns every way in which an exchange can fail, alone and together
// with those that come after it. Each would change all that there is to change.
// live has the records r, dead is revoked and has the records d.
func refusals(live store.Family, r []store.Record, dead store.Family, d []store.Record) []refusal {
	full := func(f store.Family, r []store.Record) *store.Change {
		f.KeepUntil = hour(9)
		return &store.Change{
			Family: f, Spend: spent(r[0], "an exchange that fails"),
			Extend: &store.Extension{Key: r[1].Key, ExpiresAt: hour(8), KeepUntil: hour(8)},
			Issue:  newRecords(f, 3),
		}
	}
	begins := func(c *store.Change) { c.Begin = true }
	spendsNone := func(c *store.Change) { c.Spend.Key.Hash = random(32) }
	extendsNone := func(c *store.Change) { c.Extend.Key.Hash = random(32) }
	stale := func(c *store.Change) { c.Spend.Version++ }
	issues := func(at int, key store.Key) func(*store.Change) {
		return func(c *store.Change) { c.Issue[at].Key = key }
	}
	var all []refusal
	add := func(how string, want error, c *store.Change, alter ...func(*store.Change)) {
		for _, a := range alter {
			a(c)
		}
		all = append(all, refusal{how, want, c})
	}
	add("the family is revoked", store.ErrRevoked, full(dead, d))
	add("the family is revoked, and Begin is set", store.ErrRevoked, full(dead, d), begins)
	add("the family is revoked, and what is to be spent does not exist", store.ErrRevoked, full(dead, d), spendsNone)
	add("the family is revoked, and what is to be extended does not exist", store.ErrRevoked, full(dead, d), extendsNone)
	add("the family is revoked, and another version is kept", store.ErrRevoked, full(dead, d), stale)
	add("the family is revoked, and what is to be issued exists", store.ErrRevoked, full(dead, d), issues(1, d[2].Key))

	add("Begin is set and the family exists", store.ErrConflict, full(live, r), begins)
	add("Begin is set and the family exists, and what is to be spent does not", store.ErrConflict, full(live, r), begins, spendsNone)

	stray := newFamily()
	add("the family does not exist", store.ErrNotFound, full(stray, newRecords(stray, 3)))
	fresh := newFamily()
	add("the family is begun, and what is to be spent does not exist", store.ErrNotFound, full(fresh, newRecords(fresh, 3)), begins)

	add("what is to be spent does not exist", store.ErrNotFound, full(live, r), spendsNone)
	add("what is to be spent does not exist, and what is to be issued does", store.ErrNotFound, full(live, r), spendsNone, issues(0, r[2].Key))
	add("what is to be extended does not exist", store.ErrNotFound, full(live, r), extendsNone)
	add("what is to be extended does not exist, and another version is kept", store.ErrNotFound, full(live, r), extendsNone, stale)
	add("what is to be extended does not exist, and what is to be issued does", store.ErrNotFound, full(live, r), extendsNone, issues(2, r[2].Key))
	add("another version is kept", store.ErrConflict, full(live, r), stale)
	add("another version is kept, and what is to be issued exists", store.ErrConflict, full(live, r), stale, issues(0, r[2].Key))
	for at := range 3 {
		add(fmt.Sprintf("record %d of 3 that are to be issued exists", at+1), store.ErrConflict, full(live, r), issues(at, r[2].Key))
	}
	add("what is to be issued is what is spent", store.ErrConflict, full(live, r), issues(1, r[0].Key))
	return all
}

// refused opens a store, makes every exchange that must fail, and lets judge
// look at each.
func refused(judge func(ctx context.Context, p handles, c refusal, all []store.Key) error) func(context.Context, openGrants) error {
	return func(ctx context.Context, open openGrants) error {
		p, live, dead := open(), newFamily(), newFamily()
		r, d := newRecords(live, 3), newRecords(dead, 3)
		dead.Subject = "bob"
		if err := errors.Join(begin(ctx, p.a, live, r...), begin(ctx, p.a, dead, d...)); err != nil {
			return err
		}
		if err := revokes(ctx, p.a, store.Match{Family: dead.ID}, hour(0), 1); err != nil {
			return err
		}
		for _, c := range refusals(live, r, dead, d) {
			keys := append(keysOf(r...), keysOf(d...)...)
			keys = append(append(keys, c.change.Spend.Key, c.change.Extend.Key), keysOf(c.change.Issue...)...)
			if err := judge(ctx, p, c, keys); err != nil {
				return where("where "+c.how, err)
			}
		}
		return nil
	}
}

// sight is what Find shows at a key.
type sight struct {
	Found  bool
	Record store.Record
	Family store.Family
}

func look(ctx context.Context, s store.GrantStore, keys ...store.Key) ([]sight, error) {
	sights := make([]sight, len(keys))
	for i, key := range keys {
		r, f, err := s.Find(ctx, key)
		switch {
		case errors.Is(err, store.ErrNotFound):
		case err != nil:
			return nil, fmt.Errorf("a Find returned the error %q", err)
		case r == nil || f == nil:
			return nil, errors.New("a Find returned no record or no family, and no error")
		default:
			sights[i] = sight{true, *r, *f}
		}
	}
	return sights, nil
}

// unaltered looks again at what was seen.
func unaltered(ctx context.Context, s store.GrantStore, before []sight, keys []store.Key) error {
	after, err := look(ctx, s, keys...)
	if err != nil {
		return err
	}
	return same(before, after)
}

var grantVerdictChecks = []grantCheck{
	{
		name: "an exchange that fails returns the first verdict that applies",
		why: "the endpoint looks again after a conflict, warns of a theft, or refuses, by the verdict alone: by " +
			"the wrong one it tries in vain, or takes an honest client for a thief and logs its user out",
		run: refused(func(ctx context.Context, p handles, c refusal, _ []store.Key) error {
			return verdict(p.a.Exchange(ctx, c.change), c.want, "Exchange")
		}),
	},
	{
		name: "an exchange that fails leaves nothing",
		why: "half of a change is a token that was spent and has no successor, which logs the user out, or a " +
			"successor of a token that was not spent, which makes two of one",
		run: refused(func(ctx context.Context, p handles, c refusal, keys []store.Key) error {
			live, err := p.b.FamilyLive(ctx, c.change.Family.ID)
			if err != nil {
				return fmt.Errorf("a FamilyLive returned the error %q", err)
			}
			before, err := look(ctx, p.b, keys...)
			if err != nil {
				return err
			}
			if p.a.Exchange(ctx, c.change) == nil {
				return errors.New("an Exchange returned no error")
			}
			if err := errors.Join(unaltered(ctx, p.a, before, keys), unaltered(ctx, p.b, before, keys)); err != nil {
				return err
			}
			return where("the family", lives(ctx, p.b, c.change.Family.ID, live))
		}),
	},
	{
		name: "what failed to begin can be begun",
		why:  "a family of which something is left refuses the sign-in that is tried again",
		run: func(ctx context.Context, open openGrants) error {
			p, f := open(), newFamily()
			issued := newRecords(f, 2)
			stray := newRecord(f)
			err := p.a.Exchange(ctx, &store.Change{Family: f, Begin: true, Issue: issued, Spend: &stray})
			if err := verdict(err, store.ErrNotFound, "Exchange that begins a family and spends what it cannot have"); err != nil {
				return err
			}
			if err := begin(ctx, p.b, f, issued...); err != nil {
				return where("tried again without", err)
			}
			return keeps(ctx, p.a, f, issued...)
		},
	},
}
