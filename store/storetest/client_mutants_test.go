package storetest

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
)

type clientFunc func(context.Context, string) (*store.Client, error)

func (f clientFunc) Client(ctx context.Context, id string) (*store.Client, error) { return f(ctx, id) }

// keeping is a store that alters clients before it keeps them.
func keeping(alter func(*store.Client)) openClients {
	return func(clients ...store.Client) store.ClientStore {
		s := memory.NewClients()
		for _, c := range clients {
			alter(&c)
			s.Put(c)
		}
		return s
	}
}

// matching is a store that takes the first client whose id looks right.
func matching(match func(kept, asked string) bool) openClients {
	return func(clients ...store.Client) store.ClientStore {
		s := memory.NewClients(clients...)
		return clientFunc(func(ctx context.Context, asked string) (*store.Client, error) {
			for _, c := range clients {
				if match(c.ID, asked) {
					return s.Client(ctx, c.ID)
				}
			}
			return s.Client(ctx, asked)
		})
	}
}

// answering is a store whose answers are altered on their way out.
func answering(alter func(context.Context, *store.Client, error) (*store.Client, error)) openClients {
	return func(clients ...store.Client) store.ClientStore {
		s := memory.NewClients(clients...)
		return clientFunc(func(ctx context.Context, id string) (*store.Client, error) {
			c, err := s.Client(ctx, id)
			return alter(ctx, c, err)
		})
	}
}

// joined is what a list becomes that is kept in one column: the empty list
// comes back with one empty string.
func joined(list []string) []string { return strings.Split(strings.Join(list, ","), ",") }

func cut(s string, n int) string { return s[:min(n, len(s))] }

var clientMutants = []mutant[store.ClientStore, store.Client]{
	{"a kept client comes back whole", "keeps the JSON of a client", keeping(func(c *store.Client) {
		data, _ := json.Marshal(c)
		*c = store.Client{}
		_ = json.Unmarshal(data, c)
	})},
	{"a kept client comes back whole", "reverses the secrets", keeping(func(c *store.Client) { slices.Reverse(c.Secrets) })},
	{"a kept client comes back whole", "hides expired secrets", keeping(func(c *store.Client) {
		c.Secrets = slices.DeleteFunc(c.Secrets, func(s store.Secret) bool {
			return !s.ExpiresAt.IsZero() && s.ExpiresAt.Before(time.Now())
		})
	})},
	{"a kept client comes back whole", "forgets time zones", keeping(func(c *store.Client) {
		for i, s := range c.Secrets {
			at := s.ExpiresAt
			c.Secrets[i].ExpiresAt = time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), 0, time.UTC)
		}
	})},
	{"a kept client comes back whole", "cuts hashes", keeping(func(c *store.Client) {
		for i, s := range c.Secrets {
			c.Secrets[i].Hash = cut(s.Hash, 59)
		}
	})},
	{"a kept client comes back whole", "forgets labels", keeping(func(c *store.Client) {
		for i := range c.Secrets {
			c.Secrets[i].Label = ""
		}
	})},
	{"a kept client comes back whole", "keeps one method", keeping(func(c *store.Client) {
		c.AuthMethods = c.AuthMethods[:min(1, len(c.AuthMethods))]
	})},
	{"a kept client comes back whole", "flattens nested claims", keeping(func(c *store.Client) {
		for k, v := range c.Claims {
			if _, nested := v.(map[string]any); nested {
				c.Claims[k] = fmt.Sprint(v)
			}
		}
	})},
	{"a kept client comes back whole", "loses a claim", keeping(func(c *store.Client) { delete(c.Claims, "beta") })},
	{"a kept client comes back whole", "splits lists at commas", keeping(func(c *store.Client) { c.RedirectURIs = joined(c.RedirectURIs) })},
	{"a kept client comes back whole", "keeps a lifetime as a time of day", keeping(func(c *store.Client) { c.AccessTokenLifetime %= 24 * time.Hour })},
	{"what a client leaves out stays left out", "returns the empty list as one empty string", keeping(func(c *store.Client) { c.GrantTypes = joined(c.GrantTypes) })},
	{"what a client leaves out stays left out", "fills in a method", keeping(func(c *store.Client) {
		if c.TokenEndpointAuthMethod == "" {
			c.TokenEndpointAuthMethod = store.ClientSecretBasic
		}
	})},
	{"what a client leaves out stays left out", "reads the claims of every row into the same map", func(clients ...store.Client) store.ClientStore {
		merged := make(map[string]any)
		for i, c := range clients {
			maps.Copy(merged, c.Claims)
			clients[i].Claims = merged
		}
		return memory.NewClients(clients...)
	}},
	{"a secret without an expiry comes back without one", "keeps instants as Unix seconds", keeping(func(c *store.Client) {
		for i := range c.Secrets {
			c.Secrets[i].ExpiresAt = time.Unix(max(0, c.Secrets[i].ExpiresAt.Unix()), 0)
		}
	})},
	{"an unknown id is ErrNotFound and no client", "returns the driver's error", answering(func(_ context.Context, c *store.Client, err error) (*store.Client, error) {
		if errors.Is(err, store.ErrNotFound) {
			return nil, sql.ErrNoRows
		}
		return c, err
	})},
	{"an unknown id is ErrNotFound and no client", "flattens the error to text", answering(func(_ context.Context, c *store.Client, err error) (*store.Client, error) {
		if err != nil {
			err = fmt.Errorf("client: %v", err)
		}
		return c, err
	})},
	{"an unknown id is ErrNotFound and no client", "returns nothing and no error", answering(func(_ context.Context, c *store.Client, _ error) (*store.Client, error) {
		return c, nil
	})},
	{"an unknown id is ErrNotFound and no client", "returns an empty client beside the error", answering(func(_ context.Context, c *store.Client, err error) (*store.Client, error) {
		if err != nil {
			c = new(store.Client)
		}
		return c, err
	})},
	{"a disabled client is returned with Disabled set", "hides disabled clients", answering(func(_ context.Context, c *store.Client, err error) (*store.Client, error) {
		if c != nil && c.Disabled {
			return nil, store.ErrNotFound
		}
		return c, err
	})},
	{"a disabled client is returned with Disabled set", "forgets that a client is disabled", keeping(func(c *store.Client) { c.Disabled = false })},
	{"ids that differ in case are different clients", "folds case", matching(strings.EqualFold)},
	{"ids that differ in case are different clients", "has a unique index that folds case", func(clients ...store.Client) store.ClientStore {
		s := memory.NewClients()
		for i, c := range clients {
			if !slices.ContainsFunc(clients[:i], func(o store.Client) bool { return strings.EqualFold(o.ID, c.ID) }) {
				s.Put(c)
			}
		}
		return s
	}},
	{"ids that differ in a space are different clients", "ignores a space at the end", matching(func(kept, asked string) bool {
		return strings.TrimRight(kept, " ") == strings.TrimRight(asked, " ")
	})},
	{"ids that differ in a space are different clients", "trims what is asked for", matching(func(kept, asked string) bool {
		return kept == strings.TrimSpace(asked)
	})},
	{"the beginning of an id is not the id", "takes the beginning of an id for it", matching(strings.HasPrefix)},
	{"the beginning of an id is not the id", "takes a longer id", matching(func(kept, asked string) bool { return strings.HasPrefix(asked, kept) })},
	{"ids that look alike are different clients", "compares numbers", matching(func(kept, asked string) bool {
		var a, b float64
		_, errA := fmt.Sscan(kept, &a)
		_, errB := fmt.Sscan(asked, &b)
		return errA == nil && errB == nil && a == b
	})},
	{"ids that look alike are different clients", "makes slugs of ids", matching(func(kept, asked string) bool {
		slug := strings.NewReplacer("_", "-", ".", "-", " ", "-")
		return slug.Replace(kept) == slug.Replace(asked)
	})},
	{"wildcards in an id stand for themselves", "compares by LIKE", matching(func(kept, asked string) bool { return like(asked, kept) })},
	{"wildcards in an id stand for themselves", "compares by GLOB", matching(func(kept, asked string) bool {
		ok, _ := path.Match(asked, kept)
		return ok
	})},
	{"quotes and SQL in an id stand for themselves", "writes the id into the query", matching(func(_, asked string) bool {
		return strings.HasPrefix(asked, "' OR")
	})},
	{"an id may hold every printable character", "strips quotes and backslashes", keeping(func(c *store.Client) {
		c.ID = strings.NewReplacer(`"`, "", `\`, "").Replace(c.ID)
	})},
	{"an id of 512 bytes is compared to its end", "cuts ids to 255 bytes", matching(func(kept, asked string) bool { return cut(kept, 255) == cut(asked, 255) })},
	{"an id of 512 bytes is compared to its end", "cuts ids to 511 bytes", matching(func(kept, asked string) bool { return cut(kept, 511) == cut(asked, 511) })},
	{"an id of 512 bytes is compared to its end", "keeps only short ids", keeping(func(c *store.Client) { c.ID = cut(c.ID, 255) })},
	{"a context that is over never makes a kept client ErrNotFound", "calls every error not found", answering(func(_ context.Context, c *store.Client, err error) (*store.Client, error) {
		if err != nil {
			err = store.ErrNotFound
		}
		return c, err
	})},
	{"a context that is over never makes a kept client ErrNotFound", "calls a deadline not found as well", answering(func(_ context.Context, c *store.Client, err error) (*store.Client, error) {
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("%w: %w", store.ErrNotFound, err)
		}
		return c, err
	})},
	{"a context that is over never makes a kept client ErrNotFound", "swallows the error", answering(func(ctx context.Context, c *store.Client, err error) (*store.Client, error) {
		if ctx.Err() != nil {
			return nil, nil
		}
		return c, err
	})},
	{"looking up again alters nothing that was returned", "returns one client again and again", func(clients ...store.Client) store.ClientStore {
		s, row := memory.NewClients(clients...), new(store.Client)
		return clientFunc(func(ctx context.Context, id string) (*store.Client, error) {
			c, err := s.Client(ctx, id)
			if err != nil {
				return nil, err
			}
			*row = *c
			return row, nil
		})
	}},
	{"looking up again alters nothing that was returned", "clears its claims before it looks", func(clients ...store.Client) store.ClientStore {
		s := memory.NewClients(clients...)
		var last *store.Client
		return clientFunc(func(ctx context.Context, id string) (*store.Client, error) {
			if last != nil {
				clear(last.Claims)
			}
			c, err := s.Client(ctx, id)
			last = c
			return c, err
		})
	}},
	{"lookups at the same time each get their own client", "gives the first who asks what the second asked for", func(clients ...store.Client) store.ClientStore {
		s := memory.NewClients(clients...)
		meet := newMeeting()
		return clientFunc(func(ctx context.Context, id string) (*store.Client, error) {
			id, _ = meet.join(id)
			return s.Client(ctx, id)
		})
	}},
	{"lookups at the same time each get their own client", "refuses who comes while it looks", func(clients ...store.Client) store.ClientStore {
		s := memory.NewClients(clients...)
		meet := newMeeting()
		return clientFunc(func(ctx context.Context, id string) (*store.Client, error) {
			if _, late := meet.join(id); late {
				return nil, errors.New("database is locked")
			}
			return s.Client(ctx, id)
		})
	}},
}
