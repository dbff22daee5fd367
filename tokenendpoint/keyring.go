package tokenendpoint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/grantor-go/grantor/internal/jose"
)

// keyring prepares the keys of a source once for each set that the source
// returns.
type keyring struct {
	source  KeySource
	current atomic.Pointer[keySet]
}

type keySet struct {
	keys     []Key // as the source returned them
	prepared []preparedKey
}

type preparedKey struct {
	*Key
	signer   *jose.Signer // of access tokens
	idSigner *jose.Signer // of ID tokens
	public   json.RawMessage
	verifies jose.JWK // as it was when the key was prepared: a remote signer may be slow
}

func (k *keyring) load(ctx context.Context) (*keySet, error) {
	keys, err := k.source.Keys(ctx)
	if err != nil {
		return nil, outage(ReasonKeysUnavailable, fmt.Errorf("KeySource: %w", err))
	}
	if len(keys) == 0 {
		return nil, fault(ReasonNoSigningKey, errors.New("the KeySource returned no key"))
	}
	if set := k.current.Load(); set != nil && len(set.keys) == len(keys) && &set.keys[0] == &keys[0] {
		return set, nil
	}
	set, err := prepare(keys)
	if err != nil {
		return nil, fault(ReasonNoSigningKey, err)
	}
	k.current.Store(set)
	return set, nil
}

// prepare checks keys: its errors name the key and the remedy.
func prepare(keys []Key) (*keySet, error) {
	set := &keySet{keys: keys}
	seen := make(map[string]bool, len(keys))
	for i := range keys {
		key := &keys[i]
		switch {
		case key.ID == "" || len(key.ID) > 256 || !isVSCHAR(key.ID):
			return nil, fmt.Errorf("key %d: ID %q is not 1 to 256 printable ASCII characters", i, key.ID)
		case seen[key.ID]:
			return nil, fmt.Errorf("key %q: two keys have this ID; give each its own", key.ID)
		case key.Signer == nil:
			return nil, fmt.Errorf("key %q: Signer is nil", key.ID)
		}
		seen[key.ID] = true
		signer, err := jose.NewSigner(string(key.Alg), key.ID, "at+jwt", key.Signer) // RFC 9068 section 2.1
		if err != nil {
			return nil, fmt.Errorf("key %q: %w", key.ID, err)
		}
		idSigner, err := jose.NewSigner(string(key.Alg), key.ID, "JWT", key.Signer)
		if err != nil {
			return nil, fmt.Errorf("key %q: %w", key.ID, err)
		}
		public, err := jose.PublicJWK(string(key.Alg), key.ID, key.Signer.Public())
		if err != nil {
			return nil, fmt.Errorf("key %q: %w", key.ID, err)
		}
		verifies, err := jose.NewJWK(string(key.Alg), key.ID, key.Signer.Public())
		if err != nil {
			return nil, fmt.Errorf("key %q: %w", key.ID, err)
		}
		set.prepared = append(set.prepared, preparedKey{key, signer, idSigner, public, verifies})
	}
	return set, nil
}

// signing returns the key that signs now, by an algorithm or, if that is empty,
// by that of the first key.
func (k *keyring) signing(ctx context.Context, now time.Time, alg Alg) (*preparedKey, error) {
	set, err := k.load(ctx)
	if err != nil {
		return nil, err
	}
	var chosen *preparedKey
	for i := range set.prepared {
		key := &set.prepared[i]
		if !key.signs(now) || alg != "" && key.Alg != alg || chosen != nil && (key.Alg != chosen.Alg || !key.SignFrom.After(chosen.SignFrom)) {
			continue
		}
		chosen = key
	}
	if chosen == nil && alg != "" {
		return nil, fault(ReasonNoSigningKey, fmt.Errorf("no key of Config.Keys may sign by %s now, which a client registered", alg))
	}
	if chosen == nil {
		return nil, fault(ReasonNoSigningKey, errors.New("no key of Config.Keys may sign now; check SignFrom, SignUntil and PublishUntil"))
	}
	return chosen, nil
}

// algs returns the algorithms of the keys that were loaded last, each once.
func (k *keyring) algs() []Alg {
	var algs []Alg
	for _, key := range k.current.Load().keys {
		if !slices.Contains(algs, key.Alg) {
			algs = append(algs, key.Alg)
		}
	}
	return algs
}

// published returns the JWK Set (RFC 7517 section 5) at a time.
func (s *keySet) published(now time.Time) []byte {
	body := []byte(`{"keys":[`)
	for i := range s.prepared {
		key := &s.prepared[i]
		if !key.published(now) {
			continue
		}
		if body[len(body)-1] != '[' {
			body = append(body, ',')
		}
		body = append(body, key.public...)
	}
	return append(body, "]}"...)
}
