package tokenendpoint

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/grantor-go/grantor/internal/jose"
	"github.com/grantor-go/grantor/internal/keysets"
	"github.com/grantor-go/grantor/store"
)

// mostInline is how many JWK Sets that clients registered are kept as they were read.
const mostInline = 1000

// inlineKeys are the JWK Sets of clients that registered them by value, by their text.
type inlineKeys struct {
	mu   sync.Mutex
	sets map[string][]jose.JWK
}

// tryKeys calls try with the keys of a client and, if it returns false and the client
// may have changed them at its jwks_uri since, with what is there now.
func (e *Endpoint) tryKeys(ctx context.Context, client *store.Client, try func([]jose.JWK) bool) (bool, error) {
	if client.JWKSURI != "" && !hasJWKS(client) {
		ok, err := e.remoteKeys.Try(ctx, client.JWKSURI, try)
		return ok, keysFailed(client, err)
	}
	keys, err := e.inline(client)
	return err == nil && try(keys), err
}

// keysFailed tells a registration that is of no use from an outage.
func keysFailed(client *store.Client, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, keysets.ErrUnusable):
		refusal := reject(InvalidClient, ReasonClientKeys, authenticationFailed)
		refusal.Cause = fmt.Errorf("client %q: %w", client.ID, err)
		return refusal
	}
	return outage(ReasonClientKeysUnavailable, fmt.Errorf("client %q: %w", client.ID, err))
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
