package tokenendpoint_test

import (
	"strings"
	"testing"
	"time"

	"github.com/grantor-go/grantor/tokenendpoint"
)

// keysAt writes a time as hours from keysStart. Nil is no bound.
func keysAt(hours any) time.Time {
	switch h := hours.(type) {
	case int:
		return keysStart.Add(time.Duration(h) * time.Hour)
	case time.Duration:
		return keysStart.Add(h)
	}
	return time.Time{}
}

// keysOf returns a key that signs and is published between bounds, see keysAt.
func keysOf(id string, alg tokenendpoint.Alg, from, until, published any) tokenendpoint.Key {
	return tokenendpoint.Key{ID: id, Alg: alg, Signer: keysAtHand()[alg],
		SignFrom: keysAt(from), SignUntil: keysAt(until), PublishUntil: keysAt(published)}
}

// Which key signs follows from the keys and the clock alone. The clock is at
// keysStart.
func TestTheKeyThatSigns(t *testing.T) {
	const es, ed = tokenendpoint.ES256, tokenendpoint.EdDSA
	for name, c := range map[string]struct {
		keys []tokenendpoint.Key
		want string // empty: none
	}{
		"A key without bounds signs":                             {[]tokenendpoint.Key{keysOf("a", es, nil, nil, nil)}, "a"},
		"A key signs from the moment of SignFrom":                {[]tokenendpoint.Key{keysOf("a", es, 0, nil, nil)}, "a"},
		"A key does not sign before SignFrom":                    {[]tokenendpoint.Key{keysOf("a", es, time.Nanosecond, nil, nil)}, ""},
		"A key signs until just before SignUntil":                {[]tokenendpoint.Key{keysOf("a", es, nil, time.Nanosecond, nil)}, "a"},
		"A key does not sign at SignUntil":                       {[]tokenendpoint.Key{keysOf("a", es, nil, 0, nil)}, ""},
		"A key signs while it is published for another second":   {[]tokenendpoint.Key{keysOf("a", es, nil, nil, time.Second)}, "a"},
		"A key does not sign in the last second it is published": {[]tokenendpoint.Key{keysOf("a", es, nil, nil, time.Second-1)}, ""},
		"A key that is no longer published does not sign":        {[]tokenendpoint.Key{keysOf("a", es, nil, nil, -1)}, ""},
		"Of two keys the one whose time came last signs":         {[]tokenendpoint.Key{keysOf("a", es, -2, nil, nil), keysOf("b", es, -1, nil, nil)}, "b"},
		"The order does not matter then":                         {[]tokenendpoint.Key{keysOf("b", es, -1, nil, nil), keysOf("a", es, -2, nil, nil)}, "b"},
		"No SignFrom is earlier than any":                        {[]tokenendpoint.Key{keysOf("a", es, nil, nil, nil), keysOf("b", es, -9999, nil, nil)}, "b"},
		"A key whose time is to come is passed over":             {[]tokenendpoint.Key{keysOf("a", es, -1, nil, nil), keysOf("b", es, 1, nil, nil)}, "a"},
		"A key whose time is over is passed over":                {[]tokenendpoint.Key{keysOf("a", es, -2, nil, nil), keysOf("b", es, -1, 0, nil)}, "a"},
		"A key that is published no longer is passed over":       {[]tokenendpoint.Key{keysOf("a", es, -2, nil, nil), keysOf("b", es, -1, nil, 0)}, "a"},
		"Of keys whose time came at once the first signs":        {[]tokenendpoint.Key{keysOf("b", es, -1, nil, nil), keysOf("a", es, -1, nil, nil)}, "b"},
		"Of keys without a time the first signs":                 {[]tokenendpoint.Key{keysOf("b", es, nil, nil, nil), keysOf("a", es, nil, nil, nil)}, "b"},
		"The first key determines the algorithm":                 {[]tokenendpoint.Key{keysOf("a", es, -2, nil, nil), keysOf("b", ed, -1, nil, nil)}, "a"},
		"The first key determines the other algorithm":           {[]tokenendpoint.Key{keysOf("b", ed, -1, nil, nil), keysOf("a", es, -2, nil, nil)}, "b"},
		"A key to come does not determine it":                    {[]tokenendpoint.Key{keysOf("a", es, 1, nil, nil), keysOf("b", ed, -1, nil, nil)}, "b"},
		"A key that is over does not determine it":               {[]tokenendpoint.Key{keysOf("a", es, nil, 0, nil), keysOf("b", ed, -1, nil, nil)}, "b"},
		"A newer key of the algorithm signs wherever it stands":  {[]tokenendpoint.Key{keysOf("a", es, -3, nil, nil), keysOf("b", ed, -1, nil, nil), keysOf("c", es, -2, nil, nil)}, "c"},
		"Several keys that are to come are none":                 {[]tokenendpoint.Key{keysOf("a", es, 1, nil, nil), keysOf("b", ed, 2, nil, nil)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			clock := newKeysClock(keysStart)
			endpoint, err := tokenendpoint.New(keysConfig(tokenendpoint.StaticKeys(c.keys), clock))
			if c.want == "" {
				if err == nil || !strings.Contains(err.Error(), "SignFrom") {
					t.Errorf("got %v, want an error that says what to check", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			set := keysPublished(t, endpoint)
			for range 2 {
				token, _ := keysToken(t, endpoint)
				if got := keysVerify(t, set, token).Kid; got != c.want {
					t.Errorf("key %q signed, want %q", got, c.want)
				}
			}
		})
	}
}

func TestKeysArePublishedBeforeAndAfterTheySign(t *testing.T) {
	clock := newKeysClock(keysStart)
	endpoint := keysEndpoint(t, tokenendpoint.StaticKeys{
		keysOf("now", tokenendpoint.ES256, -1, nil, nil),
		keysOf("to come", tokenendpoint.EdDSA, 1, nil, nil),
		keysOf("over", tokenendpoint.ES256, -2, -1, time.Nanosecond),
		keysOf("gone", tokenendpoint.ES256, -2, -1, 0),
	}, clock)
	if got := strings.Join(keysPublished(t, endpoint).kids(), ","); got != "now,to come,over" {
		t.Errorf("published: %s", got)
	}
	clock.Advance(1)
	if got := strings.Join(keysPublished(t, endpoint).kids(), ","); got != "now,to come" {
		t.Errorf("published a moment later: %s", got)
	}
}

// A token that outlived the key it was signed with could not be verified.
func TestALifetimeIsCutWhereTheKeyLeaves(t *testing.T) {
	for name, c := range map[string]struct {
		published any
		want      int64
	}{
		"An hour is cut to what is left of it, in whole seconds":  {10*time.Minute + 30500*time.Millisecond, 630},
		"An hour is cut to the last second":                       {time.Second, 1},
		"An hour is left as it is where there is just enough":     {time.Hour, 3600},
		"An hour is cut by a second where a moment is missing":    {time.Hour - 1, 3599},
		"An hour is not lengthened where there is more":           {100, 3600},
		"An hour is left as it is where the key is never dropped": {nil, 3600},
	} {
		t.Run(name, func(t *testing.T) {
			key := keysOf("a", tokenendpoint.ES256, nil, nil, c.published)
			token, expiresIn := keysToken(t, keysEndpoint(t, tokenendpoint.StaticKeys{key}, newKeysClock(keysStart)))
			claims := keysRead(t, token)
			if expiresIn != c.want || claims.Expires-claims.IssuedAt != c.want {
				t.Errorf("expires_in is %d and exp %d after iat, want %d", expiresIn, claims.Expires-claims.IssuedAt, c.want)
			}
			if claims.IssuedAt != keysStart.Unix() {
				t.Errorf("iat: got %d, want %d", claims.IssuedAt, keysStart.Unix())
			}
			if !key.PublishUntil.IsZero() && time.Unix(claims.Expires, 0).After(key.PublishUntil) {
				t.Errorf("the token lives until %v, its key is published until %v", claims.Expires, key.PublishUntil)
			}
		})
	}
}

func TestKeysThatCannotBeUsedAreNamed(t *testing.T) {
	good := keysOf("good", tokenendpoint.ES256, nil, nil, nil)
	with := func(change func(*tokenendpoint.Key)) []tokenendpoint.Key {
		key := keysOf("bad", tokenendpoint.ES256, 99, nil, nil)
		change(&key)
		return []tokenendpoint.Key{good, key}
	}
	for name, c := range map[string]struct {
		keys []tokenendpoint.Key
		want string
	}{
		"No key":                        {nil, "no key"},
		"An ID that is empty":           {with(func(k *tokenendpoint.Key) { k.ID = "" }), "key 1"},
		"An ID that is too long":        {with(func(k *tokenendpoint.Key) { k.ID = strings.Repeat("k", 257) }), "key 1"},
		"An ID that is not ASCII":       {with(func(k *tokenendpoint.Key) { k.ID = "schlüssel" }), "key 1"},
		"An ID with a line break":       {with(func(k *tokenendpoint.Key) { k.ID = "a\nb" }), "key 1"},
		"An ID that is there twice":     {with(func(k *tokenendpoint.Key) { k.ID = "good" }), `"good"`},
		"No signer":                     {with(func(k *tokenendpoint.Key) { k.Signer = nil }), `"bad"`},
		"An algorithm that is unknown":  {with(func(k *tokenendpoint.Key) { k.Alg = "HS256" }), `"bad"`},
		"No algorithm":                  {with(func(k *tokenendpoint.Key) { k.Alg = "" }), `"bad"`},
		"An algorithm of other keys":    {with(func(k *tokenendpoint.Key) { k.Alg = tokenendpoint.RS256 }), `"bad"`},
		"An algorithm of another curve": {with(func(k *tokenendpoint.Key) { k.Alg = tokenendpoint.ES384 }), `"bad"`},
	} {
		t.Run(name+" is refused when the endpoint is made", func(t *testing.T) {
			_, err := tokenendpoint.New(keysConfig(tokenendpoint.StaticKeys(c.keys), newKeysClock(keysStart)))
			if err == nil || !strings.Contains(err.Error(), "Keys: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error of Keys that says %s", err, c.want)
			}
		})
	}
	longest := with(func(k *tokenendpoint.Key) { k.ID = strings.Repeat("k", 256) })
	keysEndpoint(t, tokenendpoint.StaticKeys(longest), newKeysClock(keysStart))
}
