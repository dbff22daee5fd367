package memory

import (
	"context"
	"slices"
	"sync"

	"github.com/grantor-go/grantor/store"
)

// Scopes is a [store.ScopeStore].
type Scopes struct {
	mu     sync.RWMutex
	byName map[string]store.Scope
}

var _ store.ScopeStore = (*Scopes)(nil)

// NewScopes returns a store that keeps scopes. Of several with the same Name
// the last is kept.
func NewScopes(scopes ...store.Scope) *Scopes {
	s := new(Scopes)
	for _, sc := range scopes {
		s.Put(sc)
	}
	return s
}

// Put keeps sc in place of any scope with the same Name. It copies the lists,
// so that changes the caller makes to them later are not seen.
func (s *Scopes) Put(sc store.Scope) {
	sc.Resources = own(sc.Resources)
	sc.Claims = own(sc.Claims)

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byName == nil {
		s.byName = make(map[string]store.Scope)
	}
	s.byName[sc.Name] = sc
}

// Delete forgets the scope with this name, if there is one.
func (s *Scopes) Delete(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byName, name)
}

// Scopes implements [store.ScopeStore]. The scopes come in the order in which
// names first names them. The only error is ctx.Err(), if ctx is done.
func (s *Scopes) Scopes(ctx context.Context, names []string) ([]store.Scope, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var found []store.Scope
	for i, name := range names {
		sc, ok := s.byName[name]
		if ok && !slices.Contains(names[:i], name) {
			found = append(found, sc)
		}
	}
	return found, nil
}
