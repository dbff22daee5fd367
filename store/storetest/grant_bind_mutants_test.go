package storetest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/grantor-go/grantor/store"
)

// naming is a store that shows the user whom name gives a family by each exchange
// that does not fail.
func naming(name func(shown *store.Family, given store.Family)) func(...store.Record) handles {
	return breaking(func(b *broken) {
		var mu sync.Mutex
		shown := make(map[string]store.Family)
		b.exchange = func(ctx context.Context, c *store.Change) error {
			mu.Lock()
			defer mu.Unlock()
			err := b.Grants.Exchange(ctx, c)
			f := shown[c.Family.ID]
			if c.Begin {
				f = c.Family
			} else {
				name(&f, c.Family)
			}
			if err == nil {
				shown[c.Family.ID] = f
			}
			return err
		}
		b.find = func(ctx context.Context, key store.Key) (*store.Record, *store.Family, error) {
			mu.Lock()
			defer mu.Unlock()
			r, f, err := b.Grants.Find(ctx, key)
			if err == nil {
				f.Subject, f.Session = shown[f.ID].Subject, shown[f.ID].Session
			}
			return r, f, err
		}
	})
}

// rightly names the user as a store should.
func rightly(shown *store.Family, given store.Family) {
	if shown.Subject == "" && given.Subject != "" {
		shown.Subject, shown.Session = given.Subject, given.Session
	}
}

// narrowingTo is a store that revokes nothing where a Match is not found.
func narrowingTo(found func(b *broken, m *store.Match) bool) func(...store.Record) handles {
	return breaking(func(b *broken) {
		b.revoke = func(ctx context.Context, m store.Match, at time.Time) (int, error) {
			if !found(b, &m) {
				return 0, ctx.Err()
			}
			return b.Grants.Revoke(ctx, m, at)
		}
	})
}

// beginning tells whether a family began with what is looked for.
func beginning(b *broken, fits func(f store.Family) bool) bool {
	return slices.ContainsFunc(b.families(), fits)
}

// bindingChange tells whether a change names the user of a family that exists.
func bindingChange(c *store.Change) bool { return !c.Begin && c.Family.Subject != "" }

var grantBindMutants = []grantMutant{
	{"a family without a user gets the one that an exchange names", "names nobody later", naming(func(*store.Family, store.Family) {})},
	{"a family without a user gets the one that an exchange names", "keeps the session that the family began with", naming(func(shown *store.Family, given store.Family) {
		session := shown.Session
		if rightly(shown, given); session != "" {
			shown.Session = session
		}
	})},
	{"a family without a user gets the one that an exchange names", "forgets the session", naming(func(shown *store.Family, given store.Family) {
		given.Session = ""
		rightly(shown, given)
	})},
	{"a family without a user gets the one that an exchange names", "names nobody without a session", naming(func(shown *store.Family, given store.Family) {
		if given.Session != "" {
			rightly(shown, given)
		}
	})},
	{"a family without a user gets the one that an exchange names", "names nobody where it spends", changing(func(_ *broken, c *store.Change) {
		if c.Spend != nil && !c.Begin {
			c.Family.Subject = ""
		}
	})},
	{"a family without a user gets the one that an exchange names", "does not raise the end then", changing(func(_ *broken, c *store.Change) {
		if bindingChange(c) {
			c.Family.KeepUntil = time.Time{}
		}
	})},
	{"Revoke finds a family by the user that it got, and not by what it had before", "does not enter the subject", narrowingTo(func(b *broken, m *store.Match) bool {
		return m.Subject == "" || beginning(b, func(f store.Family) bool { return f.Subject == m.Subject })
	})},
	{"Revoke finds a family by the user that it got, and not by what it had before", "does not enter the session", narrowingTo(func(b *broken, m *store.Match) bool {
		return m.Session == "" || beginning(b, func(f store.Family) bool { return f.Session == m.Session })
	})},
	{"Revoke finds a family by the user that it got, and not by what it had before", "finds it by the session before, too", narrowingTo(func(b *broken, m *store.Match) bool {
		for _, f := range b.families() {
			if m.Session != "" && m.Session == f.Session {
				*m = store.Match{Family: f.ID}
			}
		}
		return true
	})},
	{"Revoke finds a family by the user that it got, and not by what it had before", "has revoked a user for what comes later", func(...store.Record) handles {
		revoked := make(map[string]bool)
		return breaking(func(b *broken) {
			b.revoke = func(ctx context.Context, m store.Match, at time.Time) (int, error) {
				revoked[m.Subject] = m.Subject != ""
				return b.Grants.Revoke(ctx, m, at)
			}
			b.exchange = func(ctx context.Context, c *store.Change) error {
				if bindingChange(c) && revoked[c.Family.Subject] {
					return store.ErrRevoked
				}
				return b.Grants.Exchange(ctx, c)
			}
		})()
	}},
	{"a family that has a user keeps them, whoever is named later", "names them anew", naming(func(shown *store.Family, given store.Family) {
		if given.Subject != "" {
			shown.Subject, shown.Session = given.Subject, given.Session
		}
	})},
	{"a family that has a user keeps them, whoever is named later", "fills in a session that is empty", naming(func(shown *store.Family, given store.Family) {
		if rightly(shown, given); shown.Session == "" {
			shown.Session = given.Session
		}
	})},
	{"a family that has a user keeps them, whoever is named later", "refuses who comes second", breaking(func(b *broken) {
		b.exchange = func(ctx context.Context, c *store.Change) error {
			if bindingChange(c) && !slices.ContainsFunc(b.families(), func(f store.Family) bool { return f.ID == c.Family.ID && f.Subject == "" }) {
				return store.ErrConflict
			}
			err := b.Grants.Exchange(ctx, c)
			if bindingChange(c) {
				b.mu.Lock()
				defer b.mu.Unlock()
				b.begun = slices.DeleteFunc(b.begun, func(f store.Family) bool { return f.ID == c.Family.ID })
			}
			return err
		}
	})},
	{"a family that has a user keeps them, whoever is named later", "enters it in the index of who comes second", breaking(func(b *broken) {
		b.list = func(ctx context.Context, subject string) ([]store.Family, error) {
			families, err := b.Grants.Families(ctx, subject)
			if len(families) == 0 && subject == "mallory" {
				families = b.families()
			}
			return families, err
		}
	})},
	{"an exchange that names no user leaves the one there is, or none", "writes what it is given", naming(func(shown *store.Family, given store.Family) {
		shown.Subject, shown.Session = given.Subject, given.Session
	})},
	{"an exchange that names no user leaves the one there is, or none", "takes the session alone", naming(func(shown *store.Family, given store.Family) {
		if rightly(shown, given); shown.Subject == "" && given.Session != "" {
			shown.Session = given.Session
		}
	})},
	{"an exchange that fails gives a family no user", "has named the user", leaving(func(c store.Change) []store.Change {
		return []store.Change{{Family: store.Family{ID: c.Family.ID, Subject: c.Family.Subject, Session: c.Family.Session}}}
	})},
	{"an exchange that fails gives a family no user", "names the user of a family that was revoked", func(...store.Record) handles {
		late := make(map[string]store.Family)
		return breaking(func(b *broken) {
			b.exchange = func(ctx context.Context, c *store.Change) error {
				err := b.Grants.Exchange(ctx, c)
				if errors.Is(err, store.ErrRevoked) {
					late[c.Family.ID] = c.Family
				}
				return err
			}
			b.find = func(ctx context.Context, key store.Key) (*store.Record, *store.Family, error) {
				r, f, err := b.Grants.Find(ctx, key)
				if named, ok := late[key.Family]; ok && err == nil {
					f.Subject, f.Session = named.Subject, named.Session
				}
				return r, f, err
			}
		})()
	}},
	{"of many who name the user of one family one is kept, and nobody is refused", "keeps the first subject and the last session", naming(func(shown *store.Family, given store.Family) {
		rightly(shown, given)
		shown.Session = given.Session
	})},
	{"of many who name the user of one family one is kept, and nobody is refused", "returns ErrConflict to those who were late", breaking(func(b *broken) {
		var mu sync.Mutex
		named := make(map[string]bool)
		b.exchange = func(ctx context.Context, c *store.Change) error {
			mu.Lock()
			defer mu.Unlock()
			if bindingChange(c) && named[c.Family.ID] {
				return store.ErrConflict
			}
			named[c.Family.ID] = bindingChange(c)
			return b.Grants.Exchange(ctx, c)
		}
	})},
	{"of many who name the user of one family one is kept, and nobody is refused", "enters it in the indexes of all", breaking(func(b *broken) {
		b.revoke = func(ctx context.Context, m store.Match, at time.Time) (int, error) {
			n, err := b.Grants.Revoke(ctx, m, at)
			return max(n, 1), err
		}
	})},
	{"naming a user and revoking that user at the same moment come one after the other", "enters it in an index that Revoke has read", func(...store.Record) handles {
		read := newOrder()
		return breaking(func(b *broken) {
			b.exchange = func(ctx context.Context, c *store.Change) error {
				if bindingChange(c) {
					read.await()
				}
				return b.Grants.Exchange(ctx, c)
			}
			b.revoke = func(ctx context.Context, m store.Match, _ time.Time) (int, error) {
				read.happened()
				return 0, ctx.Err()
			}
		})()
	}},
	{"naming a user and revoking that user at the same moment come one after the other", "revokes what is about to be the user's", func(...store.Record) handles {
		met := newOrder()
		return breaking(func(b *broken) {
			b.exchange = func(ctx context.Context, c *store.Change) error {
				if bindingChange(c) {
					met.await()
				}
				return b.Grants.Exchange(ctx, c)
			}
			b.revoke = func(ctx context.Context, m store.Match, at time.Time) (int, error) {
				defer met.happened()
				return b.Grants.Revoke(ctx, store.Match{Family: b.families()[0].ID}, at)
			}
		})()
	}},
	{"naming a user and revoking that user at the same moment come one after the other", "counts what it does not revoke", func(...store.Record) handles {
		named := newOrder()
		return breaking(func(b *broken) {
			b.exchange = func(ctx context.Context, c *store.Change) error {
				err := b.Grants.Exchange(ctx, c)
				if bindingChange(c) {
					named.happened()
				}
				return err
			}
			b.revoke = func(ctx context.Context, m store.Match, _ time.Time) (int, error) {
				named.await()
				families, err := b.Grants.Families(ctx, m.Subject)
				return len(families), err
			}
		})()
	}},
}
