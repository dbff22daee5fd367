package main

import (
	"slices"
	"sync"
)

// consents remembers what users agreed to, until the shop restarts.
type consents struct {
	mu  sync.Mutex
	all map[consent][]string // scopes
}

type consent struct{ sub, clientID string }

func (c *consents) given(sub string, req *authorizationRequest) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	agreed := c.all[consent{sub, req.client.ID}]
	return !slices.ContainsFunc(req.scopes, func(scope string) bool { return !slices.Contains(agreed, scope) })
}

func (c *consents) give(sub string, req *authorizationRequest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = make(map[consent][]string)
	}
	key := consent{sub, req.client.ID}
	for _, scope := range req.scopes {
		if !slices.Contains(c.all[key], scope) {
			c.all[key] = append(c.all[key], scope)
		}
	}
}

func (c *consents) forget(sub, clientID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.all, consent{sub, clientID})
}
