package tokenendpoint

import (
	"context"
	"fmt"
	"sync"

	"github.com/grantor-go/grantor/internal/jose"
	"github.com/grantor-go/grantor/store"
)

// mostInline is how many JWK Sets that clients registered are kept as they were read.
const mostInline = 1000

// inlineKeys are the JWK Sets of clients that registered them by value, by their text.
type inlineKeys struct {
	mu   sync.Mutex
	sets map[string][]jose.JWK
}

// clientKeys returns the keys of a client that its assertion may be signed by: those
// that have the kid, if the assertion names one, and fit its algorithm.
func (e *Endpoint) clientKeys(ctx context.Context, client *store.Client, alg, kid string) ([]jose.JWK, error) {
	if client.JWKSURI != "" && !hasJWKS(client) {
		keys, err := e.remoteKeys.Find(ctx, client.JWKSURI, kid, alg)
		return keys, keysFailed(client, err)
	}
	all, err := e.inline(client)
	if err != nil {
		return nil, err
	}
	var keys []jose.JWK
	for _, key := range all {
		if (kid == "" || key.Kid == kid) && key.Fits(alg) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// hasJWKS: null is how JSON says that there is none.
func hasJWKS(client *store.Client) bool {
	return len(client.JWKS) > 0 && string(client.JWKS) != "null"
}

// inline returns the keys that a client registered by value.
func (e *Endpoint) inline(client *store.Client) ([]jose.JWK, error) {
	if !hasJWKS(client) {
		return nil, nil
	}
	if client.JWKSURI != "" {
		return nil, fault(ReasonClientKeys, fmt.Errorf("client %q has both jwks and jwks_uri; remove one", client.ID))
	}
	keys, err := e.inlineKeys.parse(client.JWKS)
	if err != nil {
		return nil, fault(ReasonClientKeys, fmt.Errorf("client %q: %w", client.ID, err))
	}
	return keys, nil
}

// parse reads a JWK Set once.
func (k *inlineKeys) parse(jwks []byte) ([]jose.JWK, error) {
	k.mu.Lock()
	keys, ok := k.sets[string(jwks)]
	k.mu.Unlock()
	if ok {
		return keys, nil
	}
	keys, err := jose.ParseJWKS(jwks)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.sets == nil || len(k.sets) >= mostInline {
		k.sets = make(map[string][]jose.JWK)
	}
	k.sets[string(jwks)] = keys
	return keys, nil
}
