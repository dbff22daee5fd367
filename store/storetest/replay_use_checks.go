package storetest

import (
	"context"
	"errors"
	"math"
	"strings"
	"time"
)

// century is longer than any id is remembered in earnest.
const century = 100 * 365 * 24 * time.Hour

var replayUseChecks = []replayCheck{
	{
		name: "the first use of an id is told from all that follow",
		why:  whyOnce,
		run: func(ctx context.Context, open openReplays) error {
			p, ids := open(), randomIDs(20)
			return errors.Join(usesAll(ctx, p.a, ids, true), usesAll(ctx, p.a, ids, false), usesAll(ctx, p.a, ids, false),
				where("among others that are new", usesAll(ctx, p.a, randomIDs(20), true)), usesAll(ctx, p.a, ids, false))
		},
	},
	{
		name: "what was used by one handle is known to the other at once",
		why:  whyOnce + ": the second time it goes to another node",
		run: func(ctx context.Context, open openReplays) error {
			p := open()
			for _, id := range randomIDs(2 * raceRounds) {
				p.a, p.b = p.b, p.a
				if err := errors.Join(uses(ctx, p.a, id, time.Hour, true), where("by the other handle", uses(ctx, p.b, id, time.Hour, false))); err != nil {
					return err
				}
			}
			return nil
		},
	},
	{
		name: "ids are compared byte by byte",
		why:  whyHonest + ", because its id is taken for another's; or one that was used is taken for new",
		run: func(ctx context.Context, open openReplays) error {
			long := strings.Repeat("aB3-_", 13)[:64]
			p, ids := open(), []string{
				"a", "A", "aa", "-", "_", "--", "-a", "a-", "a_c", "a-c", "abc", "aBc", "ABC",
				"0", "00", "1", "01", "1e0", "10e-1", "0x1", "null", "NULL", "true", "nil", "NaN",
				long, long[:63], strings.ToLower(long), long[:63] + "A", "A" + long[1:],
			}
			if err := usesAll(ctx, p.a, ids, true); err != nil {
				return err
			}
			return usesAll(ctx, p.b, ids, false)
		},
	},
	{
		name: "a lifetime is anything from a nanosecond to centuries",
		why: whyHonest + ", because its assertion is about to expire or lives for very long; or one that lives for very " +
			"long is forgotten at once, because its end is before its beginning",
		run: func(ctx context.Context, open openReplays) error {
			p := open()
			for _, short := range []time.Duration{1, 999, time.Microsecond, time.Millisecond - 1, time.Second + 1} {
				if err := uses(ctx, p.a, random(32), short, true); err != nil {
					return err
				}
			}
			for _, long := range []time.Duration{century / 100, century, math.MaxInt64} {
				id := random(32)
				if err := errors.Join(uses(ctx, p.a, id, long, true), purge(ctx, p.b, time.Now()), uses(ctx, p.b, id, long, false)); err != nil {
					return err
				}
			}
			return nil
		},
	},
}
