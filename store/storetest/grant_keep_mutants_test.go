package storetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/grantor-go/grantor/store"
)

func grantFieldMutants() []grantMutant {
	const whole = "a record and its family come back whole"
	return slices.Concat(
		forgetting(whole, reflect.TypeFor[store.Record](), func(r *store.Record, _ *store.Family) any { return r }),
		forgetting(whole, reflect.TypeFor[store.Family](), func(_ *store.Record, f *store.Family) any { return f }),
		forgetting(whole, reflect.TypeFor[store.Grant](), func(r *store.Record, _ *store.Family) any {
			if r.Grant != nil {
				g := *r.Grant // the kit holds the other
				r.Grant = &g
			}
			return r.Grant
		}))
}

// texts alters the names of a family.
func texts(alter func(string) string) func(...store.Record) handles {
	return showing(func(_ *store.Record, f *store.Family) {
		f.ClientID, f.Subject, f.Session = alter(f.ClientID), alter(f.Subject), alter(f.Session)
	})
}

// keyed finds a record by another key.
func keyed(alter func(store.Key) store.Key) func(...store.Record) handles {
	return breaking(func(b *broken) {
		b.find = func(ctx context.Context, key store.Key) (*store.Record, *store.Family, error) {
			for _, r := range b.records() {
				if alter(r.Key) == alter(key) {
					return b.Grants.Find(ctx, r.Key)
				}
			}
			return b.Grants.Find(ctx, key)
		}
	})
}

var grantKeepMutants = []grantMutant{
	{"a record and its family come back whole", "keeps times to the second", showing(func(r *store.Record, _ *store.Family) {
		r.CreatedAt = r.CreatedAt.Truncate(time.Second)
	})},
	{"a record and its family come back whole", "takes the local hour for that of UTC", changing(func(_ *broken, c *store.Change) {
		f := &c.Family.KeepUntil
		*f = time.Date(f.Year(), f.Month(), f.Day(), f.Hour(), f.Minute(), f.Second(), f.Nanosecond(), time.UTC)
	})},
	{"a record and its family come back whole", "keeps bytes as text", showing(func(r *store.Record, _ *store.Family) {
		r.Data = []byte(strings.ToValidUTF8(string(r.Data), "\ufffd"))
	})},
	{"a record and its family come back whole", "cuts bytes at NUL", showing(func(r *store.Record, _ *store.Family) {
		r.Sealed, _, _ = bytes.Cut(r.Sealed, []byte{0})
	})},
	{"what a record and its family leave out stays left out", "keeps no time as 1970", showing(func(r *store.Record, _ *store.Family) {
		if r.SpentAt.IsZero() {
			r.SpentAt = time.Unix(0, 0)
		}
	})},
	{"what a record and its family leave out stays left out", "forgets who wrote what is not spent", showing(func(r *store.Record, _ *store.Family) {
		if r.SpentAt.IsZero() {
			r.SpentBy = ""
		}
	})},
	{"what a record and its family leave out stays left out", "fills in KeepUntil", showing(func(r *store.Record, f *store.Family) {
		if r.KeepUntil.IsZero() {
			r.KeepUntil = f.KeepUntil
		}
	})},
	{"what a record and its family leave out stays left out", "makes a grant where there is none", showing(func(r *store.Record, _ *store.Family) {
		if r.Grant == nil {
			r.Grant = new(store.Grant)
		}
	})},
	{"what a record and its family leave out stays left out", "returns no list as one empty string", showing(func(r *store.Record, _ *store.Family) {
		if r.Grant != nil && len(r.Grant.Scopes) == 0 {
			g := *r.Grant
			g.Scopes = []string{""}
			r.Grant = &g
		}
	})},
	{"what a record and its family leave out stays left out", "drops an empty grant", showing(func(r *store.Record, _ *store.Family) {
		if r.Grant != nil && r.Grant.Subject == "" && r.Grant.Claims == nil {
			r.Grant = nil
		}
	})},
	{"odd characters come back as they were", "trims", texts(strings.TrimSpace)},
	{"odd characters come back as they were", "folds case", texts(strings.ToLower)},
	{"odd characters come back as they were", "has columns of 255 characters", texts(func(s string) string { return s[:min(len(s), 255)] })},
	{"odd characters come back as they were", "reads backslashes", texts(func(s string) string { return strings.ReplaceAll(s, `\`, "") })},
	{"odd characters come back as they were", "keeps three bytes of UTF-8", texts(func(s string) string { return strings.ReplaceAll(s, "\U0001f642", "?") })},
	{"odd characters come back as they were", "composes characters", texts(func(s string) string { return strings.ReplaceAll(s, "e\u0301", "\u00e9") })},
	{"a large record comes back whole", "cuts Data at 32 KiB", showing(func(r *store.Record, _ *store.Family) { r.Data = r.Data[:min(len(r.Data), 1<<15)] })},
	{"a large record comes back whole", "refuses large claims", breaking(func(b *broken) {
		b.exchange = func(ctx context.Context, c *store.Change) error {
			for i := range c.Issue {
				if data, _ := store.EncodeRecord(&c.Issue[i]); len(data) > 1<<16 {
					return errors.New("value too long")
				}
			}
			return b.Grants.Exchange(ctx, c)
		}
	})},
	{"a large integer in a claim keeps all its digits", "reads numbers as float64", showing(func(r *store.Record, _ *store.Family) {
		if r.Grant != nil {
			g := *r.Grant
			data, _ := json.Marshal(g.UserClaims)
			g.UserClaims = nil
			_ = json.Unmarshal(data, &g.UserClaims)
			r.Grant = &g
		}
	})},
	{"an instant is kept to the microsecond", "keeps times to the millisecond", showing(func(r *store.Record, _ *store.Family) {
		r.ExpiresAt = r.ExpiresAt.Truncate(time.Millisecond)
	})},
	{"a kind that the store has not heard of is kept", "has a list of kinds", breaking(func(b *broken) {
		b.exchange = func(ctx context.Context, c *store.Change) error {
			for _, r := range c.Issue {
				if !slices.Contains([]store.Kind{store.KindCode, store.KindRefresh, store.KindDevice, store.KindBackchannel, store.KindDecision}, r.Kind) {
					return errors.New("CHECK constraint failed: kind")
				}
			}
			return b.Grants.Exchange(ctx, c)
		}
	})},
	{"expired and spent records are found", "hides what has expired", breaking(func(b *broken) {
		b.find = func(ctx context.Context, key store.Key) (*store.Record, *store.Family, error) {
			r, f, err := b.Grants.Find(ctx, key)
			if err == nil && r.ExpiresAt.Before(time.Now()) {
				return nil, nil, store.ErrNotFound
			}
			return r, f, err
		}
	})},
	{"expired and spent records are found", "deletes what was spent", changing(func(b *broken, c *store.Change) {
		if c.Spend != nil {
			b.vanish(c.Spend.Key)
		}
	})},
	{"expired and spent records are found", "purges what has expired", breaking(func(b *broken) {
		b.purge = func(_ context.Context, now time.Time, _ int) (int, error) {
			for _, r := range b.records() {
				if r.ExpiresAt.Before(now) {
					b.vanish(r.Key)
				}
			}
			return 0, nil
		}
	})},
	{"a record past its KeepUntil is found whole or not at all", "returns ErrCorrupt for what is half gone", breaking(func(b *broken) {
		b.find = func(ctx context.Context, key store.Key) (*store.Record, *store.Family, error) {
			r, f, err := b.Grants.Find(ctx, key)
			if err == nil && !r.KeepUntil.IsZero() && r.KeepUntil.Before(time.Now()) {
				return nil, nil, store.ErrCorrupt
			}
			return r, f, err
		}
	})},
	{"a record past its KeepUntil is found whole or not at all", "keeps a part of it", showing(func(r *store.Record, _ *store.Family) {
		if !r.KeepUntil.IsZero() && r.KeepUntil.Before(time.Now()) {
			r.Grant = nil
		}
	})},
	{"a key that is not kept is ErrNotFound", "returns the driver's error", instead(store.ErrNotFound, errors.New("no rows in result set"))},
	{"a key that is not kept is ErrNotFound", "returns neither a record nor an error", instead(store.ErrNotFound, nil)},
	{"a key that is not kept is ErrNotFound", "returns two verdicts in one", instead(store.ErrNotFound, errors.Join(store.ErrNotFound, store.ErrRevoked))},
	{"a key that is not kept is ErrNotFound", "looks at the hash alone", keyed(func(k store.Key) store.Key { return store.Key{Hash: k.Hash} })},
	{"keys that look alike are different records", "folds case", keyed(func(k store.Key) store.Key {
		return store.Key{Family: strings.ToLower(k.Family), Hash: strings.ToLower(k.Hash)}
	})},
	{"keys that look alike are different records", "folds the case of hashes", keyed(func(k store.Key) store.Key {
		return store.Key{Family: k.Family, Hash: strings.ToUpper(k.Hash)}
	})},
	{"keys that look alike are different records", "compares families by LIKE", breaking(func(b *broken) {
		b.live = func(ctx context.Context, id string) (bool, error) {
			return slices.ContainsFunc(b.families(), func(f store.Family) bool { return like(f.ID, id) }), ctx.Err()
		}
	})},
	{"keys that look alike are different records", "reads base64 of either alphabet", keyed(func(k store.Key) store.Key {
		return store.Key{Family: k.Family, Hash: strings.ReplaceAll(k.Hash, "-", "_")}
	})},
}
