package tokenendpoint

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/grantor-go/grantor/internal/jose"
)

// RollingKeys is a [KeySource] that makes its own keys and replaces them while
// it serves: the next key is published PublishAhead before it signs, and one that
// no longer signs stays published for PublishAfter. Its zero value keeps ES256
// keys in memory, for one process and until it ends. With a Dir the keys outlive
// the process and may be shared by several. Do not copy or change it once used.
type RollingKeys struct {
	// Dir is a folder of this RollingKeys alone, made if need be, on a file system
	// with hard links. In it each key is a file that only its owner may read.
	// Several processes may start and roll at once: they agree on each key. Empty
	// means memory.
	Dir string

	Alg          Alg           // of new keys; empty means ES256
	SignFor      time.Duration // how long a key signs; zero means 30 days
	PublishAhead time.Duration // zero means a day; ten minutes or more, and less than SignFor
	PublishAfter time.Duration // zero means a day; at least the longest lifetime of a token, see Key.PublishUntil

	Logger *slog.Logger     // told of a roll that failed while there was a key to go on with; nil means slog.Default()
	Now    func() time.Time // nil means time.Now

	mu      sync.Mutex
	current atomic.Pointer[rolled]
}

// rolled is what Keys returns until the next change.
type rolled struct {
	keys []Key
	next time.Time
}

const retryRoll = time.Minute

// Keys implements [KeySource].
func (r *RollingKeys) Keys(context.Context) ([]Key, error) {
	now := time.Now()
	if r.Now != nil {
		now = r.Now()
	}
	current := r.current.Load()
	if current != nil && now.Before(current.next) {
		return current.keys, nil
	}
	usable := current != nil && anySigns(current.keys, now)
	if usable {
		if !r.mu.TryLock() { // somebody rolls already, and there is a key to sign with
			return current.keys, nil
		}
	} else {
		r.mu.Lock()
	}
	defer r.mu.Unlock()
	if current = r.current.Load(); current != nil && now.Before(current.next) {
		return current.keys, nil
	}
	next, err := r.roll(now)
	if err != nil {
		if !usable {
			return nil, err
		}
		next = &rolled{keys: current.keys, next: retryAt(current.keys, now)}
		r.logger().Error("rolling the signing keys failed; the current key goes on signing for now", "error", err.Error(), "retry", next.next)
	}
	r.current.Store(next)
	return next.keys, nil
}

// retryAt is when to try again after a failure: soon, and at the latest when the
// keys no longer sign.
func retryAt(keys []Key, now time.Time) time.Time {
	var end time.Time
	for i := range keys {
		if keys[i].signs(now) && keys[i].SignUntil.After(end) {
			end = keys[i].SignUntil
		}
	}
	if retry := now.Add(retryRoll); retry.Before(end) {
		return retry
	}
	return end
}

func anySigns(keys []Key, now time.Time) bool {
	for i := range keys {
		if keys[i].signs(now) {
			return true
		}
	}
	return false
}

// roll makes the next key if its time has come and drops those whose time is
// over. Keys follow one another without a gap: each signs from the end of the one
// before it, even if that was while no process ran. If all the same none signs
// now, a clock was wrong: there is then a key that signs at once, until one with
// a later SignFrom takes over.
func (r *RollingKeys) roll(now time.Time) (*rolled, error) {
	signFor, ahead, after := r.signFor(), cmp.Or(r.PublishAhead, 24*time.Hour), cmp.Or(r.PublishAfter, 24*time.Hour)
	if err := checkPeriods(signFor, ahead, after); err != nil {
		return nil, err
	}
	keys, newest, err := r.load(now)
	if err != nil {
		return nil, err
	}
	for !anySigns(keys, now) || !now.Before(keys[len(keys)-1].SignUntil.Add(-ahead)) {
		var from time.Time
		if len(keys) > 0 && !now.Before(keys[len(keys)-1].SignFrom) {
			from = keys[len(keys)-1].SignUntil
		}
		key, err := r.generate()
		if err != nil {
			return nil, err
		}
		key.SignFrom = from
		key.SignUntil = now.Add(signFor)
		if from.After(now) {
			key.SignUntil = from.Add(signFor)
		}
		key.PublishUntil = key.SignUntil.Add(after)
		r.logger().Info("made a signing key", "kid", key.ID, "sign_until", key.SignUntil)
		if keys, newest, err = r.add(keys, newest+1, key, now); err != nil {
			return nil, err
		}
	}
	next := keys[len(keys)-1].SignUntil.Add(-ahead)
	for i := range keys {
		if keys[i].PublishUntil.Before(next) {
			next = keys[i].PublishUntil
		}
	}
	return &rolled{keys: keys, next: next}, nil
}

func checkPeriods(signFor, ahead, after time.Duration) error {
	switch {
	case ahead < 2*jwksMaxAge: // APIs keep the key set for a while
		return fmt.Errorf("RollingKeys: PublishAhead %v is less than %v; lengthen it, or leave it zero for a day", ahead, 2*jwksMaxAge)
	case ahead >= signFor:
		return fmt.Errorf("RollingKeys: PublishAhead %v is not less than SignFor %v; shorten it", ahead, signFor)
	case after < time.Minute:
		return fmt.Errorf("RollingKeys: PublishAfter %v is less than a minute; lengthen it to the longest lifetime of a token", after)
	}
	return nil
}

// load returns the keys that are not past their time, the newest last, and the
// newest one's number.
func (r *RollingKeys) load(now time.Time) ([]Key, int, error) {
	if r.Dir != "" {
		return loadKeys(r.Dir, now, 3*r.signFor())
	}
	var keys []Key
	if current := r.current.Load(); current != nil {
		for _, key := range current.keys {
			if now.Before(key.PublishUntil) {
				keys = append(keys, key)
			}
		}
	}
	return keys, 0, nil
}

// add keeps a new key, or takes the one that another process was first to keep.
func (r *RollingKeys) add(keys []Key, number int, key Key, now time.Time) ([]Key, int, error) {
	if r.Dir == "" {
		return append(keys, key), 0, nil
	}
	if err := saveKey(r.Dir, number, key); err != nil {
		return nil, 0, err
	}
	return loadKeys(r.Dir, now, 3*r.signFor())
}

func (r *RollingKeys) signFor() time.Duration { return cmp.Or(r.SignFor, 30*24*time.Hour) }

func (r *RollingKeys) generate() (Key, error) {
	key := Key{Alg: r.Alg}
	if key.Alg == "" {
		key.Alg = ES256
	}
	var err error
	switch key.Alg {
	case ES256:
		key.Signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case ES384:
		key.Signer, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case PS256, RS256:
		key.Signer, err = rsa.GenerateKey(rand.Reader, 3072)
	case EdDSA:
		_, key.Signer, err = ed25519.GenerateKey(rand.Reader)
	default:
		return Key{}, fmt.Errorf("RollingKeys: Alg %q is not one of ES256, ES384, PS256, RS256, EdDSA", key.Alg)
	}
	if err != nil {
		return Key{}, err
	}
	key.ID, err = jose.Thumbprint(key.Signer.Public())
	return key, err
}

func (r *RollingKeys) logger() *slog.Logger {
	if r.Logger != nil {
		return r.Logger
	}
	return slog.Default()
}
