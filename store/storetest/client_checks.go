package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/grantor-go/grantor/store"
)

var clientChecks = []clientCheck{
	{
		name: "a kept client comes back whole",
		why: "the endpoint decides by every field: without a secret or a method the client is locked out, " +
			"without a lifetime or a claim its tokens mean something else to the APIs that read them",
		run: findsAll(func() []store.Client { return []store.Client{wholeClient(), named("another")} }),
	},
	{
		name: "what a client leaves out stays left out",
		why: "empty means something: no grant types allow nothing, no lifetime means the default; a list of one " +
			"empty string, or a default that the store fills in, locks the client out or gives it rights nobody granted",
		run: findsAll(func() []store.Client {
			return []store.Client{{Metadata: store.Metadata{ID: "bare"}}, wholeClient()}
		}),
	},
	{
		name: "a secret without an expiry comes back without one",
		why: "zero means never: kept as 1970, or as any other date, the secret is refused and the client " +
			"stops working for all its users",
		run: func(ctx context.Context, open openClients) error {
			c := named("lasting")
			c.Secrets = []store.Secret{{Hash: store.HashSecret("lasting")}}
			s := open(c)
			got, err := s.Client(ctx, c.ID)
			if err != nil || got == nil || len(got.Secrets) != 1 {
				return fmt.Errorf("Client(%q) did not return the client with its one secret (error: %v)", c.ID, err)
			}
			if at := got.Secrets[0].ExpiresAt; !at.IsZero() {
				return fmt.Errorf("ExpiresAt was kept as the zero time and came back as %v", at)
			}
			return nil
		},
	},
	{
		name: "an unknown id is ErrNotFound and no client",
		why: "any other error is an outage: the endpoint answers 503 to a mistyped client_id, the client tries " +
			"again for ever, and the operator is woken for a database that is well; no error at all is a crash",
		run: func(ctx context.Context, open openClients) error {
			if err := lacks(ctx, open(), "unknown"); err != nil {
				return fmt.Errorf("in an empty store: %w", err)
			}
			return lacks(ctx, open(named("known"), named("another")), "unknown")
		},
	},
	{
		name: "a disabled client is returned with Disabled set",
		why: "who disabled a client wants it refused and wants to read that in the log: returned as enabled it " +
			"goes on getting tokens, withheld it looks as if it had never existed",
		run: findsAll(func() []store.Client {
			off := wholeClient()
			off.ID, off.Disabled = "off", true
			return []store.Client{off, named("on")}
		}),
	},
	{
		name: "ids that differ in case are different clients",
		why:  whyExact,
		run:  tellsApart("Reports", "reports", "REPORTS", "reportS"),
	},
	{
		name: "ids that differ in a space are different clients",
		why:  whyExact,
		run:  tellsApart("reports", "reports ", " reports", "reports  ", "re ports"),
	},
	{
		name: "the beginning of an id is not the id",
		why:  whyExact,
		run:  tellsApart("reports-7", "reports-", "reports", "r", "reports-77", "reports-7-7"),
	},
	{
		name: "ids that look alike are different clients",
		why:  whyExact,
		run: func(ctx context.Context, open openClients) error {
			if err := tellsApart("l0", "I0", "10", "lO", "IO")(ctx, open); err != nil {
				return err
			}
			if err := tellsApart("a-b", "a_b", "a.b", "a+b", "a b", "a%2Db", "a%2db", "a--b")(ctx, open); err != nil {
				return err
			}
			return tellsApart("7", "07", "7.0", "+7", "7e0", "0x7", " 7", "7a")(ctx, open)
		},
	},
	{
		name: "wildcards in an id stand for themselves",
		why:  whyHostile,
		run: tellsApart("reports", "%", "_______", "report_", "repor%", "*", "r*", "report?", "[r]eports", ".*",
			"{reports,}", "reports$"),
	},
	{
		name: "quotes and SQL in an id stand for themselves",
		why:  whyHostile,
		run: tellsApart("reports", "'", "''", `"`, "`", `\`, "reports'", "reports\\", "reports' --", "reports;--",
			"' OR '1'='1", `" OR "1"="1`, "' OR 1=1 /*", "x'; DROP TABLE clients; --", "' UNION SELECT * FROM clients --",
			"reports/**/", "$1", "?", ":id", "@id", "%s", `{"$ne":""}`, "NULL"),
	},
	{
		name: "an id may hold every printable character",
		why: "client_id is an opaque string and other servers gave out such ids: a client that moves here must " +
			"be able to keep its own",
		run: findsAll(func() []store.Client { return []store.Client{named(printable), named("another")} }),
	},
	{
		name: "an id of 512 bytes is compared to its end",
		why: "ids that are URLs get long: one that is cut off locks its client out, and two that are cut off at " +
			"the same place become one client",
		run: func(ctx context.Context, open openClients) error {
			common := "https://client.example.com/" + strings.Repeat("x", 512-len("https://client.example.com/")-1)
			return tellsApart(common+"1", common+"2", common)(ctx, open)
		},
	},
	{
		name: "a context that is over never makes a kept client ErrNotFound",
		why: "ErrNotFound says that the store looked: if a slow moment of the database is answered so, clients " +
			"that are well are told that they do not exist, and forget their credentials instead of trying again",
		run: func(ctx context.Context, open openClients) error {
			s := open(named("known"))
			for _, over := range done(ctx) {
				got, err := s.Client(over, "known")
				switch {
				case errors.Is(err, store.ErrNotFound):
					return fmt.Errorf("with %q Client returned ErrNotFound (%q)", over.Err(), err)
				case err == nil && got == nil:
					return fmt.Errorf("with %q Client returned neither a client nor an error", over.Err())
				case err == nil:
					if err := same(named("known"), *got); err != nil {
						return fmt.Errorf("with %q: %w", over.Err(), err)
					}
				}
			}
			return finds(ctx, s, named("known"))
		},
	},
	{
		name: "looking up again alters nothing that was returned",
		why: "requests overlap: a client that changes under one of them is checked with one client's secret and " +
			"given another's rights",
		run: func(ctx context.Context, open openClients) error {
			s := open(wholeClient(), named("another"))
			first, err := s.Client(ctx, "whole")
			if err != nil || first == nil {
				return fmt.Errorf("looking up a kept client returned %v and the error %v", first, err)
			}
			if err := same(wholeClient(), *first); err != nil {
				return fmt.Errorf("the first time already: %w", err)
			}
			for _, id := range []string{"another", "unknown", "whole"} {
				_, _ = s.Client(ctx, id) // other checks judge what these return
				if err := same(wholeClient(), *first); err != nil {
					return fmt.Errorf("after Client(%q) the client returned earlier differs: %w", id, err)
				}
			}
			return nil
		},
	},
	{
		name: "lookups at the same time each get their own client",
		why: "the endpoint serves requests side by side: lookups that get in each other's way give one client " +
			"the rights of another, or refuse both whenever there is much to do",
		run: func(ctx context.Context, open openClients) error {
			ids := numbered("client-%d", 16)
			clients := make([]store.Client, len(ids))
			for i, id := range ids {
				clients[i] = named(id)
			}
			s := open(clients...)
			return atOnce(len(ids), func(i int) error {
				for turn := range ids {
					if err := finds(ctx, s, clients[(i+turn)%len(ids)]); err != nil {
						return err
					}
				}
				return lacks(ctx, s, fmt.Sprintf("unknown-%d", i))
			})
		},
	},
}
