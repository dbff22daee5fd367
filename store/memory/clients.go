package memory

import (
	"context"
	"maps"
	"sync"

	"github.com/grantor-go/grantor/store"
)

// Clients is a [store.ClientStore].
type Clients struct {
	mu   sync.RWMutex
	byID map[string]*store.Client // the clients are never altered, only replaced
}

var _ store.ClientStore = (*Clients)(nil)

// NewClients returns a store that keeps clients. Of several with the same ID
// the last is kept.
func NewClients(clients ...store.Client) *Clients {
	s := new(Clients)
	for _, c := range clients {
		s.Put(c)
	}
	return s
}

// Put keeps c in place of any client with the same ID. It copies the lists and
// the Claims map, so that changes the caller makes to them later are not seen.
// The values inside Claims are shared: do not alter them.
func (s *Clients) Put(c store.Client) {
	c.RedirectURIs = own(c.RedirectURIs)
	c.GrantTypes = own(c.GrantTypes)
	c.Secrets = own(c.Secrets)
	c.AuthMethods = own(c.AuthMethods)
	c.IdentityProviders, c.ProtectedResources = own(c.IdentityProviders), own(c.ProtectedResources)
	c.JWKS = own(c.JWKS)
	c.Claims = maps.Clone(c.Claims)

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byID == nil {
		s.byID = make(map[string]*store.Client)
	}
	s.byID[c.ID] = &c
}

// Delete forgets the client with this ID, if there is one.
func (s *Clients) Delete(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byID, id)
}

// Client implements [store.ClientStore]. The error is [store.ErrNotFound] or,
// if ctx is done, ctx.Err().
func (s *Clients) Client(ctx context.Context, id string) (*store.Client, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	c := s.byID[id]
	s.mu.RUnlock()
	if c == nil {
		return nil, store.ErrNotFound
	}
	return c, nil
}
