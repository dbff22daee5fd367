package storetest

import (
	"context"
	"errors"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
)

type scopeFunc func(context.Context, []string) ([]store.Scope, error)

func (f scopeFunc) Scopes(ctx context.Context, names []string) ([]store.Scope, error) {
	return f(ctx, names)
}

// keepingScopes is a store that alters scopes before it keeps them.
func keepingScopes(alter func(*store.Scope)) openScopes {
	return func(scopes ...store.Scope) store.ScopeStore {
		s := memory.NewScopes()
		for _, sc := range scopes {
			alter(&sc)
			s.Put(sc)
		}
		return s
	}
}

// matchingScopes is a store that returns every scope whose name looks right.
func matchingScopes(match func(kept, asked string) bool) openScopes {
	return func(scopes ...store.Scope) store.ScopeStore {
		s := memory.NewScopes(scopes...)
		return scopeFunc(func(ctx context.Context, names []string) ([]store.Scope, error) {
			matched := slices.Clone(names)
			for _, sc := range scopes {
				if slices.ContainsFunc(names, func(asked string) bool { return match(sc.Name, asked) }) {
					matched = append(matched, sc.Name)
				}
			}
			return s.Scopes(ctx, matched)
		})
	}
}

// asking is a store that is asked in a way of its own.
func asking(ask func(context.Context, *memory.Scopes, []string) ([]store.Scope, error)) openScopes {
	return func(scopes ...store.Scope) store.ScopeStore {
		s := memory.NewScopes(scopes...)
		return scopeFunc(func(ctx context.Context, names []string) ([]store.Scope, error) {
			return ask(ctx, s, names)
		})
	}
}

var scopeMutants = []mutant[store.ScopeStore, store.Scope]{
	{"known scopes come back whole", "forgets Identity", keepingScopes(func(s *store.Scope) { s.Identity = false })},
	{"known scopes come back whole", "keeps one resource", keepingScopes(func(s *store.Scope) { s.Resources = s.Resources[:min(1, len(s.Resources))] })},
	{"known scopes come back whole", "splits resources at commas", keepingScopes(func(s *store.Scope) { s.Resources = joined(s.Resources) })},
	{"known scopes come back whole", "forgets Claims", keepingScopes(func(s *store.Scope) { s.Claims = nil })},
	{"known scopes come back whole", "returns one scope at most", asking(func(ctx context.Context, s *memory.Scopes, names []string) ([]store.Scope, error) {
		return s.Scopes(ctx, names[:min(1, len(names))])
	})},
	{"what a scope leaves out stays left out", "returns the empty list as one empty string", keepingScopes(func(s *store.Scope) { s.Resources = joined(s.Resources) })},
	{"what a scope leaves out stays left out", "fills in a resource", keepingScopes(func(s *store.Scope) {
		if s.Resources == nil {
			s.Resources = []string{"https://issuer.example.com"}
		}
	})},
	{"a name that is repeated brings its scope once", "looks up name by name", asking(func(ctx context.Context, s *memory.Scopes, names []string) ([]store.Scope, error) {
		var found []store.Scope
		for _, name := range names {
			one, err := s.Scopes(ctx, []string{name})
			if err != nil {
				return nil, err
			}
			found = append(found, one...)
		}
		return found, nil
	})},
	{"a name that is repeated brings its scope once", "forgets repeats only side by side", asking(func(ctx context.Context, s *memory.Scopes, names []string) ([]store.Scope, error) {
		var found []store.Scope
		for _, name := range slices.Compact(slices.Clone(names)) {
			one, _ := s.Scopes(ctx, []string{name})
			found = append(found, one...)
		}
		return found, ctx.Err()
	})},
	{"an unknown name is absent and not an error", "returns ErrNotFound for an unknown name", asking(func(ctx context.Context, s *memory.Scopes, names []string) ([]store.Scope, error) {
		found, err := s.Scopes(ctx, names)
		if err == nil && len(found) < len(names) {
			err = store.ErrNotFound
		}
		return found, err
	})},
	{"an unknown name is absent and not an error", "returns ErrNotFound if all are unknown", asking(func(ctx context.Context, s *memory.Scopes, names []string) ([]store.Scope, error) {
		found, err := s.Scopes(ctx, names)
		if err == nil && len(found) == 0 {
			err = store.ErrNotFound
		}
		return found, err
	})},
	{"an unknown name is absent and not an error", "makes up what it does not know", asking(func(ctx context.Context, s *memory.Scopes, names []string) ([]store.Scope, error) {
		found, err := s.Scopes(ctx, names)
		for _, name := range names {
			if !slices.Contains(namesOf(found), name) {
				found = append(found, store.Scope{Name: name})
			}
		}
		return found, err
	})},
	{"an unknown name is absent and not an error", "leaves a gap for an unknown name", asking(func(ctx context.Context, s *memory.Scopes, names []string) ([]store.Scope, error) {
		found, err := s.Scopes(ctx, names)
		return append(found, make([]store.Scope, len(names)-len(found))...), err
	})},
	{"no names bring no scopes and no error", "reads no names as all", func(scopes ...store.Scope) store.ScopeStore {
		s := memory.NewScopes(scopes...)
		return scopeFunc(func(ctx context.Context, names []string) ([]store.Scope, error) {
			if len(names) == 0 {
				names = namesOf(scopes)
			}
			return s.Scopes(ctx, names)
		})
	}},
	{"no names bring no scopes and no error", "writes an empty IN ()", asking(func(ctx context.Context, s *memory.Scopes, names []string) ([]store.Scope, error) {
		if names != nil && len(names) == 0 {
			return nil, errors.New(`syntax error at or near ")"`)
		}
		return s.Scopes(ctx, names)
	})},
	{"names that differ in case are different scopes", "folds case", matchingScopes(strings.EqualFold)},
	{"names that differ in case are different scopes", "has a unique index that folds case", func(scopes ...store.Scope) store.ScopeStore {
		s := memory.NewScopes()
		for i, sc := range scopes {
			if !slices.ContainsFunc(scopes[:i], func(o store.Scope) bool { return strings.EqualFold(o.Name, sc.Name) }) {
				s.Put(sc)
			}
		}
		return s
	}},
	{"the beginning of a name is not the name", "takes the beginning of a name for it", matchingScopes(strings.HasPrefix)},
	{"the beginning of a name is not the name", "takes a part of a name for it", matchingScopes(strings.Contains)},
	{"the beginning of a name is not the name", "takes a longer name", matchingScopes(func(kept, asked string) bool { return strings.HasPrefix(asked, kept) })},
	{"names that look alike are different scopes", "compares numbers", matchingScopes(func(kept, asked string) bool {
		a, errA := strconv.ParseFloat(kept, 64)
		b, errB := strconv.ParseFloat(asked, 64)
		return errA == nil && errB == nil && a == b
	})},
	{"names that look alike are different scopes", "makes slugs of names", matchingScopes(func(kept, asked string) bool {
		slug := strings.NewReplacer("_", "-", ".", "-", ":", "-", "/", "-")
		return slug.Replace(kept) == slug.Replace(asked)
	})},
	{"wildcards in a name stand for themselves", "compares by LIKE", matchingScopes(func(kept, asked string) bool { return like(asked, kept) })},
	{"wildcards in a name stand for themselves", "compares by GLOB", matchingScopes(func(kept, asked string) bool {
		ok, _ := path.Match(asked, kept)
		return ok
	})},
	{"commas, quotes and SQL in a name stand for themselves", "writes the names into the query", matchingScopes(func(_, asked string) bool {
		return strings.Contains(asked, "'OR")
	})},
	{"commas, quotes and SQL in a name stand for themselves", "joins the names with commas", asking(func(ctx context.Context, s *memory.Scopes, names []string) ([]store.Scope, error) {
		return s.Scopes(ctx, joined(names))
	})},
	{"commas, quotes and SQL in a name stand for themselves", "writes the names into an array literal", asking(func(ctx context.Context, s *memory.Scopes, names []string) ([]store.Scope, error) {
		bare := make([]string, len(names))
		for i, name := range names {
			bare[i] = strings.Trim(name, "{}")
		}
		return s.Scopes(ctx, bare)
	})},
	{"many names may be asked for at once", "cuts the result to a page", asking(func(ctx context.Context, s *memory.Scopes, names []string) ([]store.Scope, error) {
		found, err := s.Scopes(ctx, names)
		return found[:min(100, len(found))], err
	})},
	{"many names may be asked for at once", "has an engine with few parameters", asking(func(ctx context.Context, s *memory.Scopes, names []string) ([]store.Scope, error) {
		if len(names) > 128 {
			return nil, errors.New("too many parameters")
		}
		return s.Scopes(ctx, names)
	})},
	{"a context that is over never makes scopes fewer", "swallows the error", asking(func(ctx context.Context, s *memory.Scopes, names []string) ([]store.Scope, error) {
		found, _ := s.Scopes(ctx, names)
		return found, nil
	})},
	{"a context that is over never makes scopes fewer", "returns what it has when the deadline comes", asking(func(ctx context.Context, s *memory.Scopes, names []string) ([]store.Scope, error) {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return s.Scopes(context.WithoutCancel(ctx), names[:1])
		}
		return s.Scopes(ctx, names)
	})},
	{"the names that were asked for are not altered", "sorts the names in place", asking(func(ctx context.Context, s *memory.Scopes, names []string) ([]store.Scope, error) {
		slices.Sort(names)
		return s.Scopes(ctx, names)
	})},
	{"the names that were asked for are not altered", "removes unknown names in place", asking(func(ctx context.Context, s *memory.Scopes, names []string) ([]store.Scope, error) {
		found, err := s.Scopes(ctx, names)
		_ = slices.DeleteFunc(names, func(name string) bool { return !slices.Contains(namesOf(found), name) })
		return found, err
	})},
	{"looking up again alters nothing that was returned", "returns the same buffer again", func(scopes ...store.Scope) store.ScopeStore {
		s := memory.NewScopes(scopes...)
		var rows []store.Scope
		return scopeFunc(func(ctx context.Context, names []string) ([]store.Scope, error) {
			found, err := s.Scopes(ctx, names)
			rows = append(rows[:0], found...)
			return rows, err
		})
	}},
	{"lookups at the same time each get their own scopes", "gives the first who asks what the second asked for", func(scopes ...store.Scope) store.ScopeStore {
		s := memory.NewScopes(scopes...)
		meet := newMeeting()
		return scopeFunc(func(ctx context.Context, names []string) ([]store.Scope, error) {
			joined, _ := meet.join(strings.Join(names, " "))
			return s.Scopes(ctx, strings.Fields(joined))
		})
	}},
	{"lookups at the same time each get their own scopes", "refuses who comes while it looks", func(scopes ...store.Scope) store.ScopeStore {
		s := memory.NewScopes(scopes...)
		meet := newMeeting()
		return scopeFunc(func(ctx context.Context, names []string) ([]store.Scope, error) {
			if _, late := meet.join(""); late {
				return nil, errors.New("database is locked")
			}
			return s.Scopes(ctx, names)
		})
	}},
}
