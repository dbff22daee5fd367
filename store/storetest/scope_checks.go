package storetest

import (
	"context"
	"fmt"
	"slices"

	"github.com/grantor-go/grantor/store"
)

const (
	whyExactScope = "a scope that is taken for another puts rights into a token that nobody granted, and sends " +
		"it to an API that it was not meant for"
	whyHostileScope = "the names are whatever a stranger sent: if the engine reads meaning into them, anyone can " +
		"list scopes without knowing them, or read and change the database"
)

var scopeChecks = []scopeCheck{
	{
		name: "known scopes come back whole",
		why: "Resources become the audience of a token: without them the API refuses it, or another accepts it; " +
			"without Identity a scope about a user is granted to clients that act for no user",
		run: func(ctx context.Context, open openScopes) error {
			s := open(wholeScopes()...)
			for i, want := range wholeScopes() {
				if err := gives(ctx, s, []string{want.Name}, want); err != nil {
					return err
				}
				if err := gives(ctx, s, namesOf(wholeScopes()[i:]), wholeScopes()[i:]...); err != nil {
					return err
				}
			}
			return nil
		},
	},
	{
		name: "what a scope leaves out stays left out",
		why: "no resources mean the issuer itself: a list of one empty string, or a default that the store fills " +
			"in, becomes the audience of a token that no API then accepts",
		run: func(ctx context.Context, open openScopes) error {
			bare := store.Scope{Name: "bare"}
			return gives(ctx, open(append(resourced("another"), bare)...), []string{"bare"}, bare)
		},
	},
	{
		name: "a name that is repeated brings its scope once",
		why:  "a scope that comes twice stands twice in the token and in the answer, where clients compare it",
		run: func(ctx context.Context, open openScopes) error {
			read, write := resourced("read")[0], resourced("write")[0]
			s := open(read, write)
			if err := gives(ctx, s, []string{"read", "read", "read"}, read); err != nil {
				return err
			}
			return gives(ctx, s, []string{"read", "write", "read", "unknown", "unknown", "write"}, read, write)
		},
	},
	{
		name: "an unknown name is absent and not an error",
		why: "any error is an outage: a mistyped scope is then answered with 503 instead of invalid_scope, the " +
			"client tries again for ever, and the operator is woken for a database that is well",
		run: func(ctx context.Context, open openScopes) error {
			if err := gives(ctx, open(), []string{"unknown"}); err != nil {
				return fmt.Errorf("in an empty store: %w", err)
			}
			read := resourced("read")[0]
			s := open(append(resourced("write"), read)...)
			if err := gives(ctx, s, []string{"unknown"}); err != nil {
				return err
			}
			return gives(ctx, s, []string{"unknown", "read", "strange"}, read)
		},
	},
	{
		name: "no names bring no scopes and no error",
		why: "a client that is allowed no scopes asks for none: read as all of them, it gets every right that " +
			"there is; read as a mistake, it gets no token",
		run: func(ctx context.Context, open openScopes) error {
			s := open(wholeScopes()...)
			if err := gives(ctx, s, nil); err != nil {
				return err
			}
			return gives(ctx, s, []string{})
		},
	},
	{
		name: "names that differ in case are different scopes",
		why:  whyExactScope,
		run:  tellsScopesApart("Read", "read", "READ", "reaD"),
	},
	{
		name: "the beginning of a name is not the name",
		why:  whyExactScope,
		run:  tellsScopesApart("invoices.read", "invoices.", "invoices", "i", "invoices.read.all", "read"),
	},
	{
		name: "names that look alike are different scopes",
		why:  whyExactScope,
		run: func(ctx context.Context, open openScopes) error {
			if err := tellsScopesApart("a-b", "a_b", "a.b", "a+b", "a%2Db", "a%2db", "a:b", "a/b", "a--b")(ctx, open); err != nil {
				return err
			}
			return tellsScopesApart("7", "07", "7.0", "+7", "7e0", "0x7", "7a")(ctx, open)
		},
	},
	{
		name: "wildcards in a name stand for themselves",
		why:  whyHostileScope,
		run:  tellsScopesApart("read", "%", "____", "rea_", "r%", "*", "r*", "rea?", "[r]ead", ".*", "{read,}", "read$"),
	},
	{
		name: "commas, quotes and SQL in a name stand for themselves",
		why:  whyHostileScope,
		run: tellsScopesApart("read", "'", "''", "`", "read,write", "read,", "{read}", "(read)", "read'", "read'--",
			"read;--", "'OR'1'='1", "')OR('1'='1", "x');DROP/**/TABLE/**/scopes;--", "$1", "?", ":name", "@name", "%s",
			"NULL"),
	},
	{
		name: "many names may be asked for at once",
		why: "a client that is allowed many scopes and asks for none in particular asks for all of them: if the " +
			"engine's limits cut the list, its token lacks rights that it had yesterday",
		run: func(ctx context.Context, open openScopes) error {
			known, unknown := numbered("known:%d", 200), numbered("unknown:%d", 200)
			scopes := resourced(known...)
			s := open(scopes...)
			if err := gives(ctx, s, known, scopes...); err != nil {
				return err
			}
			return gives(ctx, s, append(unknown[:100:100], known[:100]...), scopes[:100]...)
		},
	},
	{
		name: "a context that is over never makes scopes fewer",
		why: "a missing scope is taken for an unknown one: a slow moment of the database then refuses clients " +
			"that are well, or gives them tokens that lack half their rights, and nothing is logged",
		run: func(ctx context.Context, open openScopes) error {
			want := resourced("read", "write")
			s := open(want...)
			for _, over := range done(ctx) {
				got, err := s.Scopes(over, namesOf(want))
				if err != nil {
					continue
				}
				if err := exactly(want, got); err != nil {
					return fmt.Errorf("with %q Scopes returned no error, but: %w", over.Err(), err)
				}
			}
			return gives(ctx, s, namesOf(want), want...)
		},
	},
	{
		name: "the names that were asked for are not altered",
		why: "they are the request's own: reordered or cut under the endpoint's hands, the token and the answer " +
			"say something else than was asked",
		run: func(ctx context.Context, open openScopes) error {
			s := open(resourced("a", "b", "c")...)
			asked := []string{"c", "unknown", "a", "c", "b"}
			names := slices.Clone(asked)
			_, _ = s.Scopes(ctx, names) // other checks judge what this returns
			if !slices.Equal(asked, names) {
				return fmt.Errorf("the names were %q before and %q after", asked, names)
			}
			return nil
		},
	},
	{
		name: "looking up again alters nothing that was returned",
		why:  "requests overlap: a scope that changes under one of them ends up in a token that did not ask for it",
		run: func(ctx context.Context, open openScopes) error {
			s := open(append(wholeScopes(), resourced("a", "b", "c", "d")...)...)
			first, err := s.Scopes(ctx, namesOf(wholeScopes()))
			if err == nil {
				err = exactly(wholeScopes(), first)
			}
			if err != nil {
				return fmt.Errorf("the first time already: %w", err)
			}
			for _, names := range [][]string{{"a", "b", "c", "d"}, {"unknown"}, nil, {"profile", "both", "bare"}} {
				_, _ = s.Scopes(ctx, names) // other checks judge what these return
				if err := exactly(wholeScopes(), first); err != nil {
					return fmt.Errorf("after Scopes(%q) the scopes returned earlier differ: %w", names, err)
				}
			}
			return nil
		},
	},
	{
		name: "lookups at the same time each get their own scopes",
		why: "the endpoint serves requests side by side: lookups that get in each other's way put one client's " +
			"scopes into another's token, or refuse both whenever there is much to do",
		run: func(ctx context.Context, open openScopes) error {
			names := numbered("scope:%d", 16)
			scopes := resourced(names...)
			s := open(scopes...)
			return atOnce(len(names), func(i int) error {
				for turn := range names {
					at := (i + turn) % len(names)
					if err := gives(ctx, s, []string{"unknown", names[at]}, scopes[at]); err != nil {
						return err
					}
				}
				return gives(ctx, s, names, scopes...)
			})
		},
	},
}
