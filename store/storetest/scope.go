package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/grantor-go/grantor/store"
)

type (
	scopeCheck = check[store.ScopeStore, store.Scope]
	openScopes = func(...store.Scope) store.ScopeStore
)

// wholeScopes returns scopes that use every field, anew each time so that no
// store can alter what they are compared with.
func wholeScopes() []store.Scope {
	return []store.Scope{
		{
			Name:      "api:invoices/read",
			Resources: []string{"https://invoices.example.com/v1?x=1,2", "urn:example:ledger", "archive"},
		},
		{Name: "profile", Claims: []string{"name", "https://example.com/badge"}, Identity: true},
		{Name: "both", Resources: []string{"archive"}, Claims: []string{"email"}, Identity: true},
		{Name: "bare"},
	}
}

// resourced returns scopes that are told apart by their names and resources.
func resourced(names ...string) []store.Scope {
	scopes := make([]store.Scope, len(names))
	for i, name := range names {
		scopes[i] = store.Scope{Name: name, Resources: []string{"the API of <" + name + ">"}}
	}
	return scopes
}

func namesOf(scopes []store.Scope) []string {
	names := make([]string, len(scopes))
	for i, s := range scopes {
		names[i] = s.Name
	}
	return names
}

// gives asks for names and compares what comes with want, in whatever order.
func gives(ctx context.Context, s store.ScopeStore, names []string, want ...store.Scope) error {
	got, err := s.Scopes(ctx, names)
	if err == nil {
		err = exactly(want, got)
	} else {
		err = fmt.Errorf("returned the error %q", err)
	}
	if err != nil {
		if len(names) > 30 {
			return fmt.Errorf("asked for %d names: %w", len(names), err)
		}
		return fmt.Errorf("Scopes(%q): %w", names, err)
	}
	return nil
}

func exactly(want, got []store.Scope) error {
	wanted, given := namesOf(want), namesOf(got)
	for i, name := range given {
		switch {
		case slices.Contains(given[:i], name):
			return fmt.Errorf("the scope %q came more than once", name)
		case !slices.Contains(wanted, name):
			return fmt.Errorf("the scope %q came and should not have", name)
		}
	}
	var diffs []error
	for _, w := range want {
		i := slices.Index(given, w.Name)
		if i < 0 {
			return fmt.Errorf("the kept scope %q did not come", w.Name)
		}
		if err := same(w, got[i]); err != nil {
			diffs = append(diffs, fmt.Errorf("the scope %q: %w", w.Name, err))
		}
	}
	return errors.Join(diffs...)
}

// tellsScopesApart keeps the first of names, where none of the others may be
// taken for it, and then all of them, where each must be found.
func tellsScopesApart(names ...string) func(context.Context, openScopes) error {
	return func(ctx context.Context, open openScopes) error {
		all := resourced(names...)
		s := open(all[0])
		for _, name := range names[1:] {
			if err := gives(ctx, s, []string{name}); err != nil {
				return fmt.Errorf("where only %q is kept: %w", names[0], err)
			}
			if err := gives(ctx, s, []string{name, names[0]}, all[0]); err != nil {
				return fmt.Errorf("where only %q is kept: %w", names[0], err)
			}
		}
		s = open(all...)
		for i, name := range names {
			if err := gives(ctx, s, []string{name}, all[i]); err != nil {
				return err
			}
		}
		return gives(ctx, s, names, all...)
	}
}
