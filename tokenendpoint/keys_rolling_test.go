package tokenendpoint_test

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/grantor-go/grantor/tokenendpoint"
)

// keysQuick rolls ten hours after the one before: published two hours ahead and
// three hours afterwards.
func keysQuick(dir string, clock *keysClock) *tokenendpoint.RollingKeys {
	return &tokenendpoint.RollingKeys{
		Dir: dir, Now: clock.Now, Logger: new(keysLog).Logger(),
		SignFor: 10 * time.Hour, PublishAhead: 2 * time.Hour, PublishAfter: 3 * time.Hour,
	}
}

// keysLife is what an API sees of a key.
type keysLife struct{ published, signed, lastSigned, lastPublished time.Time }

// JWKS-1-02, JWKS-1-04, OIDC-10.1-01: a new key is published before it is used,
// one that is no longer used stays until its tokens have expired and then goes,
// every token names exactly one published key, and no kid comes back.
func TestKeysRollWithoutAGap(t *testing.T) {
	for name, dir := range map[string]string{"in memory": "", "in a folder": t.TempDir()} {
		t.Run("Over five periods every token verifies as long as it lives with keys "+name, func(t *testing.T) {
			keysWalk(t, dir)
		})
	}
}

func keysWalk(t *testing.T, dir string) {
	clock := newKeysClock(keysStart)
	endpoint := keysEndpoint(t, keysQuick(dir, clock), clock)
	var tokens, order []string
	lives := map[string]*keysLife{}
	const step = 15 * time.Minute
	for end := keysStart.Add(50 * time.Hour); clock.Now().Before(end); clock.Advance(step) {
		now := clock.Now()
		set := keysPublished(t, endpoint)
		for _, kid := range set.kids() {
			if lives[kid] == nil {
				lives[kid] = &keysLife{published: now}
				order = append(order, kid)
			} else if lives[kid].lastPublished.Before(now.Add(-step)) {
				t.Fatalf("%v: key %q came back", now.Sub(keysStart), kid)
			}
			lives[kid].lastPublished = now
		}
		token, _ := keysToken(t, endpoint)
		tokens = append(tokens, token)
		tokens = slices.DeleteFunc(tokens, func(token string) bool { return keysRead(t, token).Expires <= now.Unix() })
		for _, token := range tokens {
			keysVerify(t, set, token)
		}
		life := lives[keysRead(t, token).Kid]
		if life.signed.IsZero() {
			life.signed = now
		} else if life.lastSigned != now.Add(-step) {
			t.Fatalf("%v: a key signs again that another had followed", now.Sub(keysStart))
		}
		life.lastSigned = now
	}
	if len(order) != 6 {
		t.Fatalf("%d keys in fifty hours, want five that signed and the next", len(order))
	}
	for i, kid := range order[:5] {
		life := lives[kid]
		if got := life.lastSigned.Sub(life.signed) + step; got != 10*time.Hour {
			t.Errorf("key %d signed for %v, want ten hours", i, got)
		}
		if got := life.signed.Sub(life.published); got != 2*time.Hour && i > 0 {
			t.Errorf("key %d was published %v before it signed, want two hours", i, got)
		}
		if got := life.lastPublished.Sub(life.lastSigned); got != 3*time.Hour && i < 4 {
			t.Errorf("key %d was published for %v after its last signature, want three hours", i, got)
		}
	}
}

// Whatever happened to the clock, or how long nobody asked: there is a key that
// signs, and it is published.
func TestKeysSignAfterAnyJump(t *testing.T) {
	for name, dir := range map[string]string{"in memory": "", "in a folder": t.TempDir()} {
		t.Run("There is a key to sign with after jumps of any length with keys "+name, func(t *testing.T) {
			clock := newKeysClock(keysStart)
			endpoint := keysEndpoint(t, keysQuick(dir, clock), clock)
			seen := map[string]bool{}
			for _, jump := range []time.Duration{
				0, 1, 8 * time.Hour, 2*time.Hour - 2, 1, 1, 3 * time.Hour, 10 * time.Hour, 12 * time.Hour, 13 * time.Hour, 14 * time.Hour,
				20 * time.Hour, 23 * time.Hour, 24 * time.Hour, 1000 * time.Hour, time.Nanosecond, 10 * 365 * 24 * time.Hour, 9 * time.Hour,
			} {
				clock.Advance(jump)
				token, _ := keysToken(t, endpoint)
				set := keysPublished(t, endpoint)
				seen[keysVerify(t, set, token).Kid] = true
				kids := set.kids()
				slices.Sort(kids)
				if unique := slices.Compact(slices.Clone(kids)); len(unique) != len(kids) {
					t.Errorf("two published keys have one kid: %q", kids)
				}
			}
			if len(seen) < 8 {
				t.Errorf("%d keys signed, want more: the jumps test nothing", len(seen))
			}
		})
	}
}

// The slice is how the endpoint knows that nothing changed.
func TestKeysAreTheSameSliceWhileNothingChanges(t *testing.T) {
	for name, dir := range map[string]string{"in memory": "", "in a folder": t.TempDir()} {
		t.Run("A new slice comes with a new set of keys and only then with keys "+name, func(t *testing.T) {
			clock := newKeysClock(keysStart)
			source := keysQuick(dir, clock)
			var before []tokenendpoint.Key
			var kept string
			changes := 0
			for range 200 {
				keys, err := source.Keys(t.Context())
				if err != nil || len(keys) == 0 {
					t.Fatalf("%d keys, %v", len(keys), err)
				}
				text := ""
				for _, key := range keys {
					text += fmt.Sprintln(key.ID, key.SignFrom, key.SignUntil, key.PublishUntil)
				}
				if before != nil {
					same := len(keys) == len(before) && &keys[0] == &before[0]
					if same != (text == kept) {
						t.Fatalf("the same slice: %v; from\n%sto\n%s", same, kept, text)
					}
					if !same {
						changes++
					}
				}
				before, kept = keys, text
				clock.Advance(15 * time.Minute)
			}
			if changes != 9 { // five keys come and four go
				t.Errorf("%d changes in fifty hours, want 9", changes)
			}
		})
	}
}

func TestTheZeroRollingKeysSignForAMonth(t *testing.T) {
	clock := newKeysClock(keysStart)
	source := &tokenendpoint.RollingKeys{Now: clock.Now}
	keys, err := source.Keys(t.Context())
	if err != nil || len(keys) != 1 {
		t.Fatalf("%d keys, %v", len(keys), err)
	}
	const day = 24 * time.Hour
	key := keys[0]
	if key.Alg != tokenendpoint.ES256 || !key.SignFrom.IsZero() || key.SignUntil != keysStart.Add(30*day) || key.PublishUntil != keysStart.Add(31*day) {
		t.Errorf("got %+v, want an ES256 key that signs for thirty days and is published for another", key)
	}
	clock.Advance(29*day - 1)
	if keys, err = source.Keys(t.Context()); err != nil || len(keys) != 1 {
		t.Fatalf("just before the last day: %d keys, %v", len(keys), err)
	}
	clock.Advance(1)
	if keys, err = source.Keys(t.Context()); err != nil || len(keys) != 2 {
		t.Fatalf("on the last day: %d keys, %v", len(keys), err)
	}
	if next := keys[1]; next.SignFrom != key.SignUntil || next.SignUntil != key.SignUntil.Add(30*day) {
		t.Errorf("the next key is %+v, want one that signs for the thirty days after the first", next)
	}
}

// The kid is the thumbprint of RFC 7638, so that it cannot be that of another key.
func TestTheKidOfARollingKeyIsItsThumbprint(t *testing.T) {
	keys, err := new(tokenendpoint.RollingKeys).Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	point, err := keys[0].Signer.Public().(*ecdsa.PublicKey).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	sum := sha256.Sum256(fmt.Appendf(nil, `{"crv":"P-256","kty":"EC","x":"%s","y":"%s"}`, encode(point[1:33]), encode(point[33:])))
	if want := encode(sum[:]); keys[0].ID != want {
		t.Errorf("got %q, want %q", keys[0].ID, want)
	}
}
