package storetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/grantor-go/grantor/store"
)

const whyKeep = "a code or a token is worth what was kept of it: what is lost here is missing from every token " +
	"that comes of it, or locks the user out, and nothing is logged"

// wholeRecord returns a family and a record that use every field but the
// family's RevokedAt, with instants of microseconds and of several zones.
func wholeRecord() (store.Family, store.Record) {
	micros := func(n time.Duration) time.Time { return hour(2).Add(n * time.Microsecond) }
	f := store.Family{
		ID: random(16), ClientID: "reports", Subject: "alice", Session: "s",
		CreatedAt: micros(-3_000_000_001), KeepUntil: micros(3_600_000_001).In(time.FixedZone("", 3*60*60)),
	}
	return f, store.Record{
		Key: store.Key{Family: f.ID, Hash: random(32)}, Kind: store.KindCode, State: "approved",
		CreatedAt: micros(1), ExpiresAt: micros(999_999).In(time.FixedZone("", -7*60*60)), KeepUntil: micros(1_000_002),
		SpentAt: micros(123_456), SpentBy: random(16), Sealed: []byte{0, 1, 0xff, 0xfe, '"', 0}, Version: 0,
		Data: []byte("{\"redirect_uri\":\"https://a.example/cb\"}\x00\xc3\x28"),
		Grant: &store.Grant{
			Issuer: "https://issuer.example.com", ClientID: "reports", Subject: "alice",
			Scopes: []string{"write", "openid", "a,b", "{c}"}, Resources: []string{"https://b.example/?x=1,2", "urn:a"},
			AuthTime: micros(-5_000_000_003), ACR: "urn:example:gold", AMR: []string{"pwd", "otp"}, Session: "s", Nonce: "n-0S6",
			Claims:       map[string]any{"tenant": "acme, inc.", "limits": []any{1, "two", nil, map[string]any{"a": true}}},
			UserClaims:   map[string]any{"name": "Łukasz <& \u2028 Söhne>", "email_verified": false, "share": 0.25},
			Confirmation: store.Confirmation{JKT: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I", X5T: "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"},
		},
	}
}

// comesBack begins a family with a record and compares what is found.
func comesBack(ctx context.Context, open openGrants, f store.Family, r store.Record) error {
	p := open()
	if err := begin(ctx, p.a, f, r); err != nil {
		return err
	}
	return errors.Join(where("by the handle that wrote", keeps(ctx, p.a, f, r)), where("by the other handle", keeps(ctx, p.b, f, r)))
}

var grantKeepChecks = []grantCheck{
	{
		name: "a record and its family come back whole",
		why:  whyKeep,
		run: func(ctx context.Context, open openGrants) error {
			f, r := wholeRecord()
			return comesBack(ctx, open, f, r)
		},
	},
	{
		name: "what a record and its family leave out stays left out",
		why: "empty means something: no subject is a client that acts for itself, no SpentAt a token that was not used, " +
			"whoever wrote it last, no KeepUntil a life as long as the family's; 1970 or an empty string in its place locks users out",
		run: func(ctx context.Context, open openGrants) error {
			f := store.Family{ID: random(16), KeepUntil: hour(3)}
			r := store.Record{Key: store.Key{Family: f.ID, Hash: random(32)}, Kind: store.KindCode}
			if err := comesBack(ctx, open, f, r); err != nil {
				return where("a record without a grant", err)
			}
			r.SpentBy = "a poll"
			if err := comesBack(ctx, open, f, r); err != nil {
				return where("a record that was written, and not spent", err)
			}
			r.Grant = &store.Grant{}
			if err := comesBack(ctx, open, f, r); err != nil {
				return where("a record with an empty grant", err)
			}
			r.Grant = &store.Grant{AMR: []string{}, Claims: map[string]any{}, UserClaims: map[string]any{}}
			r.Sealed, r.Data = []byte{}, []byte{}
			return where("a record with empty lists", comesBack(ctx, open, f, r))
		},
	},
	{
		name: "odd characters come back as they were",
		why:  "subjects and sessions are the service's own: one that was altered is another user, or no user at all",
		run: func(ctx context.Context, open openGrants) error {
			for _, text := range oddTexts {
				f, r := wholeRecord()
				f.ClientID, f.Subject, f.Session = text, text, text
				r.State, r.Grant.ClientID, r.Grant.Subject, r.Grant.Session, r.Grant.Nonce = text, text, text, text, text
				r.Grant.Claims = map[string]any{text: text}
				if err := comesBack(ctx, open, f, r); err != nil {
					return err
				}
			}
			return nil
		},
	},
	{
		name: "a large record comes back whole",
		why:  "claims of groups and rights grow with the user's work: cut short, or refused, those who can do most cannot sign in",
		run: func(ctx context.Context, open openGrants) error {
			f, r := wholeRecord()
			groups := numbered("cn=group-%d,ou=groups,dc=example,dc=com", 2000)
			r.Grant.UserClaims["groups"] = groups
			r.Data = bytes.Repeat([]byte{0, 1, 2, 3, 0xff}, 10_000)
			p := open()
			if err := begin(ctx, p.a, f, r); err != nil {
				return err
			}
			got, _, err := p.b.Find(ctx, r.Key)
			if err != nil || got == nil || got.Grant == nil {
				return fmt.Errorf("a Find did not return the record with its grant (error: %v)", err)
			}
			if !bytes.Equal(r.Data, got.Data) {
				return fmt.Errorf("of %d bytes of Data %d came back, or others", len(r.Data), len(got.Data))
			}
			if text(groups) != text(got.Grant.UserClaims["groups"]) {
				return fmt.Errorf("a claim of %d bytes came back with %d, or others", len(text(groups)), len(text(got.Grant.UserClaims["groups"])))
			}
			return nil
		},
	},
	{
		name: "a large integer in a claim keeps all its digits",
		why:  "account numbers have more digits than a float64: rounded, a token names an account that is somebody else's",
		run: func(ctx context.Context, open openGrants) error {
			const number = 9007199254740993 // 2^53 + 1
			p, f := open(), newFamily()
			r := newRecord(f)
			r.Grant.Claims = map[string]any{"account": number}
			r.Grant.UserClaims = map[string]any{"accounts": []any{number}}
			if err := begin(ctx, p.a, f, r); err != nil {
				return err
			}
			got, _, err := p.b.Find(ctx, r.Key)
			if err != nil || got == nil || got.Grant == nil {
				return fmt.Errorf("a Find did not return the record with its grant (error: %v)", err)
			}
			claims, err := json.Marshal([]any{got.Grant.Claims, got.Grant.UserClaims})
			if err != nil || strings.Count(string(claims), fmt.Sprint(number)) != 2 {
				return fmt.Errorf("the number %d came back as %s (error: %v)", number, claims, err)
			}
			return nil
		},
	},
	{
		name: "an instant is kept to the microsecond",
		why:  "an end that moves is a token that ends before its time, or two that were told apart by it and no longer are",
		run: func(ctx context.Context, open openGrants) error {
			p, f := open(), newFamily()
			r := newRecord(f)
			r.ExpiresAt = hour(1).Add(7_654_321 * time.Nanosecond)
			if err := begin(ctx, p.a, f, r); err != nil {
				return err
			}
			got, _, err := p.b.Find(ctx, r.Key)
			if err != nil || got == nil {
				return fmt.Errorf("a Find did not return the record (error: %v)", err)
			}
			if off := got.ExpiresAt.Sub(r.ExpiresAt); off <= -time.Microsecond || off >= time.Microsecond {
				return fmt.Errorf("the ExpiresAt is off by %s", off)
			}
			return nil
		},
	},
	{
		name: "a kind that the store has not heard of is kept",
		why:  "a later release has more kinds: a store that knows a list of them refuses its sign-ins after the upgrade",
		run: func(ctx context.Context, open openGrants) error {
			f, r := wholeRecord()
			r.Kind = "x"
			return comesBack(ctx, open, f, r)
		},
	},
	{
		name: "expired and spent records are found",
		why: "the endpoint judges by its own clock, and tells a lost answer from a theft by the spent record: " +
			"without it a stolen token is a mere unknown one, and nobody is warned",
		run: func(ctx context.Context, open openGrants) error {
			p, f := open(), newFamily()
			expired, used := newRecord(f), newRecord(f)
			expired.ExpiresAt, used.ExpiresAt = hour(-1), hour(-1)
			if err := begin(ctx, p.a, f, expired, used); err != nil {
				return err
			}
			change := of(f)
			change.Spend = spent(used, "first")
			if err := verdict(p.a.Exchange(ctx, change), nil, "Exchange that spends"); err != nil {
				return err
			}
			if err := keeps(ctx, p.b, f, expired, kept(change.Spend)); err != nil {
				return err
			}
			if _, err := p.a.Purge(ctx, began, 100); err != nil {
				return fmt.Errorf("a Purge returned the error %q", err)
			}
			return where("after Purge", keeps(ctx, p.b, f, expired, kept(change.Spend)))
		},
	},
	{
		name: "a record past its KeepUntil is found whole or not at all",
		why:  "half a record is a fault that the endpoint answers with 500, for a request that was merely late",
		run: func(ctx context.Context, open openGrants) error {
			p, f := open(), newFamily()
			r := newRecord(f)
			r.KeepUntil = hour(-1)
			if err := begin(ctx, p.a, f, r, newRecord(f)); err != nil {
				return err
			}
			if _, _, err := p.b.Find(ctx, r.Key); err != nil {
				return verdict(err, store.ErrNotFound, "Find of a record that may have been collected")
			}
			return keeps(ctx, p.b, f, r)
		},
	},
	{
		name: "a key that is not kept is ErrNotFound",
		why: "any other error is an outage: a guessed or mistyped token is then answered with 503, the client tries " +
			"again for ever, and the operator is woken for a database that is well",
		run: func(ctx context.Context, open openGrants) error {
			if err := without(ctx, open().a, store.Key{Family: random(16), Hash: random(32)}); err != nil {
				return where("in an empty store", err)
			}
			p, f, records, err := begun(ctx, open, 2)
			if err != nil {
				return err
			}
			other := newFamily()
			if err := begin(ctx, p.a, other); err != nil {
				return err
			}
			return without(ctx, p.b, store.Key{Family: f.ID, Hash: random(32)}, store.Key{Family: random(16), Hash: records[0].Key.Hash},
				store.Key{Family: other.ID, Hash: records[0].Key.Hash})
		},
	},
	{
		name: "keys that look alike are different records",
		why:  "a key that is taken for another hands one user's tokens to somebody else",
		run: func(ctx context.Context, open openGrants) error {
			p := open()
			family, hash := strings.Repeat("aB-_", 5)+"aA", strings.Repeat("aB-_", 10)+"aBc"
			for _, key := range []store.Key{
				{Family: family, Hash: hash},
				{Family: strings.ToLower(family), Hash: hash},
				{Family: strings.Replace(family, "_", "x", 1), Hash: hash},
				{Family: family, Hash: strings.ToUpper(hash)},
				{Family: family, Hash: strings.Replace(hash, "_", "x", 1)},
				{Family: family, Hash: strings.Replace(hash, "-", "_", 1)},
			} {
				if err := without(ctx, p.b, key); err != nil {
					return where("Find of a key that looks like others", err)
				}
				f := newFamily()
				f.ID = key.Family
				live, err := p.b.FamilyLive(ctx, f.ID)
				if err != nil || live != (key.Family == family && key.Hash != hash) {
					return fmt.Errorf("a FamilyLive of an id that looks like others is %t (error: %v)", live, err)
				}
				r := newRecord(f)
				r.Key, r.Data = key, []byte(key.Family+key.Hash)
				if err := verdict(p.a.Exchange(ctx, &store.Change{Family: f, Begin: !live, Issue: []store.Record{r}}), nil, "Exchange"); err != nil {
					return err
				}
				if err := keeps(ctx, p.b, f, r); err != nil {
					return err
				}
			}
			return nil
		},
	},
}

// oddTexts are subjects, sessions and client ids that an engine may read
// something into. All are valid UTF-8 without NUL, and no two are the same.
var oddTexts = []string{
	"alice", "Alice", "ALICE", "alice ", " alice", "alice  ", "alice\t", "alice\n", "alic", "alice1", "alice\x01", "\x7falice",
	"%", "_", "a%", "alic_", "*", "a*", "alic?", "[a]lice", "{alice}", "alice:", ":alice", "alice|", "alice:alice", "|",
	"alice\\", "\\", "'", "''", "\"", "alice'--", "' OR '1'='1", "$1", "?", ":1", "NULL", "null", "0", "00", "0.0", "7", "07", "7e0",
	"caf\u00e9", "cafe\u0301", "CAF\u00c9", "stra\u00dfe", "strasse", "\uff41lice", "alice\u200b", "alice\u00a0", "\U0001f642", "\u2028", "<&>",
	strings.Repeat("x", 511) + "y", strings.Repeat("x", 511) + "z",
}
