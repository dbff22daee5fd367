package storetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/grantor-go/grantor/store"
)

const whyOutage = "the endpoint takes a verdict for the truth: a slow moment of the engine then refuses good tokens, " +
	"or takes honest clients for thieves, logs their users out, and nobody is told of an outage"

// outage returns an error if err is a verdict or a fault, which a store that
// could not look must not return.
func outage(err error, what string) error {
	for _, v := range []error{store.ErrNotFound, store.ErrConflict, store.ErrRevoked, store.ErrCorrupt} {
		if errors.Is(err, v) {
			return fmt.Errorf("with a context that was over %s returned the error %q; errors.Is(err, %q) is true", what, err, v)
		}
	}
	return nil
}

// wholeOrNothing looks whether a change, or none of it, is seen at keys.
func wholeOrNothing(ctx context.Context, p handles, before, after []sight, keys []store.Key, err error) error {
	for name, s := range map[string]store.GrantStore{"the handle that was used": p.a, "the other handle": p.b} {
		if unaltered(ctx, s, after, keys) == nil {
			continue
		}
		notBefore := unaltered(ctx, s, before, keys)
		if err != nil && notBefore == nil {
			continue
		}
		// An engine may make the change between two looks, when its caller has given up.
		if notAfter := unaltered(ctx, s, after, keys); err == nil || notAfter != nil {
			return fmt.Errorf("by %s: returned was the error %v; compared with the state before: %w; with that after: %w", name, err, notBefore, notAfter)
		}
	}
	return nil
}

// wideChange returns a change that alters all that there is, of a family without a
// user too, and what is seen of it before and after.
func wideChange(f store.Family, records []store.Record) (change *store.Change, keys []store.Key, before, after []sight) {
	change = of(f)
	change.Family.KeepUntil, change.Family.Subject, change.Family.Session = hour(5), "alice", "of the browser"
	change.Spend, change.Issue = spent(records[0], "first"), newRecords(f, 2)
	change.Extend = &store.Extension{Key: records[1].Key, ExpiresAt: hour(4), KeepUntil: hour(4)}
	extended, later := records[1], f
	extended.ExpiresAt, extended.KeepUntil, later.KeepUntil = hour(4), hour(4), hour(5)
	if f.Subject == "" {
		later.Subject, later.Session = change.Family.Subject, change.Family.Session
	}
	before = []sight{{true, records[0], f}, {true, records[1], f}, {}, {}}
	after = []sight{{true, kept(change.Spend), later}, {true, extended, later}, {true, change.Issue[0], later}, {true, change.Issue[1], later}}
	return change, keysOf(records[0], records[1], change.Issue[0], change.Issue[1]), before, after
}

var grantOutageChecks = []grantCheck{
	{
		name: "a context that is over is never a verdict",
		why:  whyOutage,
		run: func(ctx context.Context, open openGrants) error {
			p, f, records, err := begun(ctx, open, 2)
			if err != nil {
				return err
			}
			for _, over := range done(ctx) {
				r, family, err := p.a.Find(over, records[0].Key)
				if err := outage(err, "Find"); err != nil {
					return err
				}
				if err == nil && (r == nil || family == nil) {
					return errors.New("with a context that was over Find returned no record or no family, and no error")
				}
				live, err := p.a.FamilyLive(over, f.ID)
				if err := outage(err, "FamilyLive"); err != nil {
					return err
				}
				if err == nil && !live {
					return errors.New("with a context that was over FamilyLive is false of a family that lives, without an error")
				}
				families, err := p.a.Families(over, f.Subject)
				if err := outage(err, "Families"); err != nil {
					return err
				}
				if err == nil && len(families) != 1 {
					return fmt.Errorf("with a context that was over Families returned %d families of a subject that has one, and no error", len(families))
				}
				read, _, err := p.b.Find(ctx, records[0].Key)
				if err != nil || read == nil {
					return fmt.Errorf("a Find returned no record (error: %v)", err)
				}
				change, fresh := of(f), newFamily()
				change.Issue = newRecords(f, 1)
				if err := errors.Join(outage(p.a.Update(over, read), "Update"), outage(p.a.Exchange(over, change), "Exchange"),
					outage(p.a.Exchange(over, &store.Change{Family: fresh, Begin: true}), "Exchange that begins a family")); err != nil {
					return err
				}
				_, revoked := p.a.Revoke(over, store.Match{Subject: "nobody"}, hour(0))
				_, purged := p.a.Purge(over, hour(0), 10)
				if err := errors.Join(outage(revoked, "Revoke"), outage(purged, "Purge")); err != nil {
					return err
				}
			}
			return nil
		},
	},
	{
		name: "a context that is over leaves a change whole or not made",
		why: "half of a change is a token that was spent and has no successor: a client that hung up has logged its " +
			"user out; and a success that was answered and not made is worse",
		run: func(ctx context.Context, open openGrants) error {
			p := open()
			for _, over := range done(ctx) {
				f := newUndecided()
				records := newRecords(f, 2)
				if err := begin(ctx, p.b, f, records...); err != nil {
					return err
				}
				change, keys, before, after := wideChange(f, records)
				err := p.a.Exchange(over, change)
				if err := wholeOrNothing(ctx, p, before, after, keys, err); err != nil {
					return where("Exchange with a context that was over", err)
				}
				_, revoked := p.a.Revoke(over, store.Match{Family: f.ID}, hour(0))
				live, err := p.b.FamilyLive(ctx, f.ID)
				if err != nil || live && revoked == nil {
					return fmt.Errorf("a Revoke with a context that was over returned the error %v, and then FamilyLive is %t (error: %v)", revoked, live, err)
				}
			}
			return nil
		},
	},
	{
		name: "a context that ends on the way leaves a change whole or not made",
		why: "clients hang up at any moment: half of a change is a token that was spent and has no successor, a " +
			"transaction that is left open holds up everybody else",
		run: func(ctx context.Context, open openGrants) error {
			p := open()
			for round := range 2 * raceRounds {
				f := []store.Family{newFamily(), newUndecided()}[round%2]
				records := newRecords(f, 2)
				if err := begin(ctx, p.b, f, records...); err != nil {
					return err
				}
				change, keys, before, after := wideChange(f, records)
				ending, cancel := context.WithTimeout(ctx, time.Duration(round*round)*20*time.Microsecond)
				err := p.a.Exchange(ending, change)
				cancel()
				if err := errors.Join(outage(err, "Exchange"), wholeOrNothing(ctx, p, before, after, keys, err)); err != nil {
					return err
				}
			}
			return nil
		},
	},
	{
		name: "what was answered by one handle is seen by the other at once",
		why:  "the next request goes to another node: there a token that was just given is unknown, or one that was just revoked works",
		run: func(ctx context.Context, open openGrants) error {
			p := open()
			for range 2 * raceRounds {
				p.a, p.b = p.b, p.a
				f := newFamily()
				records := newRecords(f, 2)
				if err := errors.Join(begin(ctx, p.a, f, records...), keeps(ctx, p.b, f, records...), lives(ctx, p.b, f.ID, true)); err != nil {
					return where("after a family was begun", err)
				}
				write := spent(records[0], "first")
				if err := errors.Join(verdict(p.a.Update(ctx, write), nil, "Update"), keeps(ctx, p.b, f, kept(write)), keeps(ctx, p.b, f, records[1]),
					verdict(p.b.Update(ctx, write), store.ErrConflict, "Update of what the other handle spent")); err != nil {
					return where("after Update", err)
				}
				if err := errors.Join(revokes(ctx, p.a, store.Match{Session: f.Session}, hour(0), 1), lives(ctx, p.b, f.ID, false),
					keeps(ctx, p.b, revoked(f, hour(0)), records[1]), verdict(p.b.Exchange(ctx, of(f)), store.ErrRevoked, "Exchange")); err != nil {
					return where("after Revoke", err)
				}
			}
			return nil
		},
	},
	{
		name: "what the caller alters later is not seen",
		why:  "the caller goes on to use what it handed over: the store then keeps what nobody decided",
		run: func(ctx context.Context, open openGrants) error {
			p, f := open(), newFamily()
			records := newRecords(f, 3)
			want := append([]store.Record{}, records...)
			change := &store.Change{Family: f, Begin: true, Issue: records}
			if err := verdict(p.a.Exchange(ctx, change), nil, "Exchange"); err != nil {
				return err
			}
			change.Family.Subject, change.Family.KeepUntil, records[0].State, records[0].Version = "mallory", hour(9), "altered", 7
			records[1], records[2] = records[2], records[1]
			if err := keeps(ctx, p.a, f, want...); err != nil {
				return where("what Exchange had issued", err)
			}
			write := spent(want[0], "first")
			after := kept(write)
			if err := verdict(p.a.Update(ctx, write), nil, "Update"); err != nil {
				return err
			}
			write.State, write.SpentBy, write.Version = "altered", "mallory", 7
			if err := keeps(ctx, p.a, f, after); err != nil {
				return where("what Update had written", err)
			}
			r, family, err := p.a.Find(ctx, after.Key)
			if err != nil || r == nil || family == nil {
				return fmt.Errorf("a Find returned no record (error: %v)", err)
			}
			r.State, r.SpentBy, family.Subject, family.RevokedAt = "altered", "mallory", "mallory", hour(0)
			if err := errors.Join(keeps(ctx, p.a, f, after), lives(ctx, p.a, f.ID, true)); err != nil {
				return where("what Find had returned", err)
			}
			families, err := p.a.Families(ctx, f.Subject)
			if err != nil || len(families) != 1 {
				return fmt.Errorf("a Families returned %d families (error: %v)", len(families), err)
			}
			families[0].ClientID, families[0].KeepUntil = "altered", hour(9)
			return where("what Families had returned", errors.Join(lists(ctx, p.a, f.Subject, f), keeps(ctx, p.a, f, after)))
		},
	},
	{
		name: "the store alters nothing that it was given or has returned",
		why:  "the endpoint answers from what it handed over, and decides by what it read: altered under its hands, it decides by what is not so",
		run: func(ctx context.Context, open openGrants) error {
			p, f := open(), newFamily()
			records := newRecords(f, 2)
			if err := begin(ctx, p.a, f, records...); err != nil {
				return err
			}
			r, family, err := p.a.Find(ctx, records[0].Key)
			if err != nil || r == nil || family == nil {
				return fmt.Errorf("a Find returned no record (error: %v)", err)
			}
			change, _, _, _ := wideChange(f, records)
			given, spend, extend, issue := *change, *change.Spend, *change.Extend, append([]store.Record{}, change.Issue...)
			for range 2 { // succeeds, then fails
				_ = p.a.Exchange(ctx, change)
				err := errors.Join(where("Change.Family", same(given.Family, change.Family)), where("Change.Spend", same(spend, *change.Spend)),
					where("Change.Extend", same(extend, *change.Extend)), where("Change.Issue", same(issue, change.Issue)))
				if err != nil {
					return where("after Exchange", err)
				}
			}
			if err := revokes(ctx, p.a, store.Match{Family: f.ID}, hour(0), 1); err != nil {
				return err
			}
			return where("what Find returned before Exchange and Revoke", errors.Join(same(records[0], *r), same(f, *family)))
		},
	},
	{
		name: "what was extended is found after its first end, by the clock",
		why:  whyStay + ": where the engine collects by itself, its end has to be moved with every extension",
		run: func(ctx context.Context, open openGrants) error {
			for lead := time.Second; ; lead *= 2 {
				end := time.Now().UTC().Add(lead).Truncate(time.Microsecond)
				p, f, records := open(), newFamily(), []store.Record(nil)
				f.KeepUntil = end
				records = newRecords(f, 4)
				for i := range records {
					records[i].KeepUntil = end
				}
				records[1].KeepUntil = time.Time{}
				if err := begin(ctx, p.a, f, records...); err != nil {
					return err
				}
				f.KeepUntil = hour(4)
				change := &store.Change{Family: f, Extend: &store.Extension{Key: records[0].Key, KeepUntil: hour(3)}, Issue: newRecords(f, 1)}
				longer, always := spent(records[2], "first"), spent(records[3], "second")
				longer.KeepUntil, always.KeepUntil = hour(3), time.Time{}
				err := errors.Join(verdict(p.a.Exchange(ctx, change), nil, "Exchange that extends"),
					verdict(p.b.Update(ctx, longer), nil, "Update"), verdict(p.b.Update(ctx, always), nil, "Update"))
				if time.Now().After(end) && lead < time.Minute {
					continue // too slow for an end so near: the store may have collected it
				}
				if err != nil {
					return err
				}
				time.Sleep(time.Until(end) + 50*time.Millisecond)
				records[0].KeepUntil = hour(3)
				return errors.Join(
					where("one that Exchange extended", keeps(ctx, p.b, f, records[0])),
					where("one without KeepUntil, whose family was extended", keeps(ctx, p.b, f, records[1])),
					where("one that Update gave a later KeepUntil", keeps(ctx, p.b, f, kept(longer))),
					where("one that Update gave none", keeps(ctx, p.b, f, kept(always))),
					where("one that was issued then", keeps(ctx, p.b, f, change.Issue[0])),
					lives(ctx, p.b, f.ID, true))
			}
		},
	},
}
