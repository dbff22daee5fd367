package storetest

import (
	"context"
	"errors"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/grantor-go/grantor/store"
)

// revoking is a store that revokes every family that looks right.
func revoking(match func(m store.Match, f store.Family) bool) func(...store.Record) handles {
	return breaking(func(b *broken) {
		b.revoke = func(ctx context.Context, m store.Match, at time.Time) (int, error) {
			if m == (store.Match{}) {
				return 0, errors.New("empty")
			}
			total := 0
			for _, f := range b.families() {
				if match(m, f) {
					n, err := b.Grants.Revoke(ctx, store.Match{Family: f.ID}, at)
					if err != nil {
						return total, err
					}
					total += n
				}
			}
			return total, nil
		}
	})
}

// comparing is a store that compares names in a way of its own.
func comparing(equal func(wanted, name string) bool) func(...store.Record) handles {
	fits := func(wanted, name string) bool { return wanted == "" || equal(wanted, name) }
	return revoking(func(m store.Match, f store.Family) bool {
		return fits(m.Family, f.ID) && fits(m.ClientID, f.ClientID) && fits(m.Subject, f.Subject) && fits(m.Session, f.Session)
	})
}

// narrowing alters the Match before it is looked for.
func narrowing(alter func(*store.Match)) func(...store.Record) handles {
	return breaking(func(b *broken) {
		b.revoke = func(ctx context.Context, m store.Match, at time.Time) (int, error) {
			alter(&m)
			return b.Grants.Revoke(ctx, m, at)
		}
	})
}

// counted alters the answer of Revoke.
func counted(alter func(m store.Match, n int, err error) (int, error)) func(...store.Record) handles {
	return breaking(func(b *broken) {
		b.revoke = func(ctx context.Context, m store.Match, at time.Time) (int, error) {
			n, err := b.Grants.Revoke(ctx, m, at)
			return alter(m, n, err)
		}
	})
}

// living alters the answer of FamilyLive.
func living(alter func(ctx context.Context, b *broken, id string, live bool) (bool, error)) func(...store.Record) handles {
	return breaking(func(b *broken) {
		b.live = func(ctx context.Context, id string) (bool, error) {
			live, err := b.Grants.FamilyLive(ctx, id)
			if err != nil {
				return false, err
			}
			return alter(ctx, b, id, live)
		}
	})
}

func anyOf(m store.Match, f store.Family) bool {
	fits := func(wanted, name string) bool { return wanted != "" && wanted == name }
	return fits(m.Family, f.ID) || fits(m.ClientID, f.ClientID) || fits(m.Subject, f.Subject) || fits(m.Session, f.Session)
}

var grantRevokeMutants = []grantMutant{
	{"a revoked family is shown as revoked, with all its records as they were", "does not show that it was revoked", showing(func(_ *store.Record, f *store.Family) { f.RevokedAt = time.Time{} })},
	{"a revoked family is shown as revoked, with all its records as they were", "shows the time of the call", showing(func(_ *store.Record, f *store.Family) {
		if !f.RevokedAt.IsZero() {
			f.RevokedAt = time.Now()
		}
	})},
	{"a revoked family is shown as revoked, with all its records as they were", "deletes the records", breaking(func(b *broken) {
		b.revoke = func(ctx context.Context, m store.Match, at time.Time) (int, error) {
			b.vanish(keysOf(b.records()...)...)
			return b.Grants.Revoke(ctx, m, at)
		}
	})},
	{"a revoked family is shown as revoked, with all its records as they were", "lets a revoked family live", living(func(context.Context, *broken, string, bool) (bool, error) { return true, nil })},
	{"an id that is not kept does not live, and is no error", "returns ErrNotFound", living(func(_ context.Context, _ *broken, _ string, live bool) (bool, error) {
		if !live {
			return false, store.ErrNotFound
		}
		return true, nil
	})},
	{"an id that is not kept does not live, and is no error", "keeps a list of the revoked alone", living(func(_ context.Context, b *broken, id string, live bool) (bool, error) {
		return live || !slices.ContainsFunc(b.families(), func(f store.Family) bool { return f.ID == id }), nil
	})},
	{"an id that is not kept does not live, and is no error", "compares beginnings", living(func(_ context.Context, b *broken, id string, _ bool) (bool, error) {
		return slices.ContainsFunc(b.families(), func(f store.Family) bool { return strings.HasPrefix(f.ID, id) }), nil
	})},
	{"a match of one field revokes all that have it and no others", "does not know sessions", narrowing(func(m *store.Match) { m.Session = "" })},
	{"a match of one field revokes all that have it and no others", "does not know ids", narrowing(func(m *store.Match) { m.Family = "" })},
	{"a match of one field revokes all that have it and no others", "revokes one", breaking(func(b *broken) {
		b.revoke = func(ctx context.Context, m store.Match, at time.Time) (int, error) {
			for _, f := range b.families() {
				if anyOf(m, f) {
					return b.Grants.Revoke(ctx, store.Match{Family: f.ID}, at)
				}
			}
			return 0, nil
		}
	})},
	{"a match of one field revokes all that have it and no others", "revokes machines along", revoking(func(m store.Match, f store.Family) bool {
		return anyOf(m, f) || f.Subject == ""
	})},
	{"a match of several fields revokes only what has them all", "revokes what has one of them", revoking(anyOf)},
	{"a match of several fields revokes only what has them all", "looks at the id alone", narrowing(func(m *store.Match) {
		if m.Family != "" {
			*m = store.Match{Family: m.Family}
		}
	})},
	{"a match of several fields revokes only what has them all", "does not look at the client of a subject", narrowing(func(m *store.Match) {
		if m.Subject != "" {
			m.ClientID = ""
		}
	})},
	{"an empty Match and a revocation without a time are errors and revoke nothing", "takes no time for now", breaking(func(b *broken) {
		b.revoke = func(ctx context.Context, m store.Match, at time.Time) (int, error) {
			if at.IsZero() {
				at = hour(0)
			}
			return b.Grants.Revoke(ctx, m, at)
		}
	})},
	{"an empty Match and a revocation without a time are errors and revoke nothing", "revokes everything", breaking(func(b *broken) {
		b.revoke = func(ctx context.Context, m store.Match, at time.Time) (int, error) {
			for _, f := range b.families() {
				_, _ = b.Grants.Revoke(ctx, store.Match{Family: f.ID}, at)
			}
			return 0, errors.New("empty")
		}
	})},
	{"an empty Match and a revocation without a time are errors and revoke nothing", "takes it for one that fits nothing", counted(func(_ store.Match, n int, _ error) (int, error) { return n, nil })},
	{"an empty Match and a revocation without a time are errors and revoke nothing", "looks for empty names", breaking(func(b *broken) {
		b.revoke = func(ctx context.Context, m store.Match, at time.Time) (int, error) {
			for _, f := range b.families() {
				if f.Subject == m.Subject {
					_, _ = b.Grants.Revoke(ctx, store.Match{Family: f.ID}, at)
				}
			}
			return b.Grants.Revoke(ctx, m, at)
		}
	})},
	{"names are matched byte by byte", "folds case", comparing(strings.EqualFold)},
	{"names are matched byte by byte", "ignores spaces at the end", comparing(func(a, b string) bool { return strings.TrimRight(a, " ") == strings.TrimRight(b, " ") })},
	{"names are matched byte by byte", "compares beginnings", comparing(func(wanted, name string) bool { return strings.HasPrefix(name, wanted) })},
	{"names are matched byte by byte", "compares by LIKE", comparing(like)},
	{"names are matched byte by byte", "compares by GLOB", comparing(func(wanted, name string) bool {
		ok, _ := path.Match(wanted, name)
		return ok
	})},
	{"names are matched byte by byte", "compares numbers", comparing(func(wanted, name string) bool {
		a, errA := strconv.ParseFloat(wanted, 64)
		b, errB := strconv.ParseFloat(name, 64)
		return wanted == name || errA == nil && errB == nil && a == b
	})},
	{"names are matched byte by byte", "composes characters", comparing(func(wanted, name string) bool {
		nfc := strings.NewReplacer("e\u0301", "\u00e9")
		return nfc.Replace(wanted) == nfc.Replace(name)
	})},
	{"names are matched byte by byte", "has an index on 255 bytes", comparing(func(wanted, name string) bool { return wanted[:min(255, len(wanted))] == name[:min(255, len(name))] })},
	{"names are matched byte by byte", "quotes badly", comparing(func(wanted, name string) bool {
		return strings.ReplaceAll(wanted, "'", "") == strings.ReplaceAll(name, "'", "")
	})},
	{"names are matched byte by byte", "keeps the members of a set between bars", comparing(func(wanted, name string) bool {
		return slices.Contains(strings.Split(name, "|"), wanted) || wanted == name
	})},
	{"a name matches in its own field alone", "has one index for all names", revoking(func(m store.Match, f store.Family) bool {
		for _, wanted := range []string{m.ClientID, m.Subject, m.Session} {
			if wanted != "" && wanted != f.ClientID && wanted != f.Subject && wanted != f.Session {
				return false
			}
		}
		return m.Family == "" || m.Family == f.ID
	})},
	{"a name matches in its own field alone", "joins names with colons", revoking(func(m store.Match, f store.Family) bool {
		if m.ClientID != "" && m.Session != "" {
			return m.ClientID+":"+m.Session == f.ClientID+":"+f.Session
		}
		return anyOf(m, f) && (m.Subject == "" || m.Subject == f.Subject)
	})},
	{"a match that fits nothing revokes nothing and is no error", "returns ErrNotFound", counted(func(_ store.Match, n int, err error) (int, error) {
		if n == 0 && err == nil {
			err = store.ErrNotFound
		}
		return n, err
	})},
	{"a match that fits nothing revokes nothing and is no error", "counts at least one", counted(func(_ store.Match, n int, err error) (int, error) { return max(n, 1), err })},
	{"a family keeps the RevokedAt of the first time and is counted once", "counts all that match", breaking(func(b *broken) {
		b.revoke = func(ctx context.Context, m store.Match, at time.Time) (int, error) {
			n := 0
			for _, f := range b.families() {
				if anyOf(m, f) {
					n++
				}
			}
			_, err := b.Grants.Revoke(ctx, m, at)
			return n, err
		}
	})},
	{"a family keeps the RevokedAt of the first time and is counted once", "shows the last time", breaking(func(b *broken) {
		var last time.Time
		b.revoke = func(ctx context.Context, m store.Match, at time.Time) (int, error) {
			last = at
			return b.Grants.Revoke(ctx, m, at)
		}
		b.find = func(ctx context.Context, key store.Key) (*store.Record, *store.Family, error) {
			r, f, err := b.Grants.Find(ctx, key)
			if err == nil && !f.RevokedAt.IsZero() {
				f.RevokedAt = last
			}
			return r, f, err
		}
	})},
	{"a family keeps the RevokedAt of the first time and is counted once", "has revoked a subject for its later families too", breaking(func(b *broken) {
		subjects := make(map[string]bool)
		b.revoke = func(ctx context.Context, m store.Match, at time.Time) (int, error) {
			if subjects[m.Subject] {
				return 0, nil
			}
			subjects[m.Subject] = m.Subject != ""
			return b.Grants.Revoke(ctx, m, at)
		}
	})},
	{"all of many families are revoked at once", "revokes a page", breaking(func(b *broken) {
		b.revoke = func(ctx context.Context, m store.Match, at time.Time) (int, error) {
			families := b.families()
			for _, f := range families[:min(100, len(families))] {
				_, _ = b.Grants.Revoke(ctx, store.Match{Family: f.ID}, at)
			}
			return len(families), nil
		}
	})},
	{"all of many families are revoked at once", "counts a page", counted(func(_ store.Match, n int, err error) (int, error) { return min(n, 100), err })},
}
