package storetest

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// short is a lifetime that the tests wait for.
const short = 200 * time.Millisecond

func replayEndChecks(patience time.Duration) []replayCheck {
	return []replayCheck{
		{
			name: "an id is not forgotten before its lifetime is over",
			why:  whyOnce,
			run: func(ctx context.Context, open openReplays) error {
				p, id, began := open(), random(32), time.Now()
				if err := uses(ctx, p.a, id, short, true); err != nil {
					return err
				}
				for time.Since(began) < short {
					first, err := p.b.Use(ctx, id, short)
					// The clock is read last: an answer that came in time was given in time.
					if lasted := time.Since(began); err != nil || first && lasted < short {
						return fmt.Errorf("%v after it was used for %v Use is %t (error: %v)", lasted, short, first, err)
					}
					if err := purge(ctx, p.a, hour(1000)); err != nil {
						return err
					}
				}
				return nil
			},
		},
		{
			name: "an id can be used again when its lifetime is over",
			why:  "what never ends fills the store, and then nobody can be let in",
			run: func(ctx context.Context, open openReplays) error {
				p, ids := open(), randomIDs(3)
				for _, id := range ids {
					if err := uses(ctx, p.a, id, time.Millisecond, true); err != nil {
						return err
					}
				}
				for _, id := range ids {
					if err := again(ctx, p.b, id, time.Hour, patience); err != nil {
						return err
					}
				}
				return where("after its second first use", usesAll(ctx, p.a, ids, false))
			},
		},
		{
			name: "later uses do not make it longer",
			why: "whoever repeats what was seen once keeps the store from ever forgetting it, and with enough of them " +
				"fills it",
			run: func(ctx context.Context, open openReplays) error {
				p, id := open(), random(32)
				if err := uses(ctx, p.a, id, short, true); err != nil {
					return err
				}
				return again(ctx, p.b, id, time.Hour, patience)
			},
		},
		{
			name: "later uses do not make it shorter",
			why:  whyOnce + ": a second use that names a shorter time would end the first one's",
			run: func(ctx context.Context, open openReplays) error {
				p, ids, other := open(), randomIDs(3), random(32)
				if err := errors.Join(usesAll(ctx, p.a, ids, true), uses(ctx, p.a, other, time.Millisecond, true)); err != nil {
					return err
				}
				for _, id := range ids {
					if err := uses(ctx, p.b, id, time.Millisecond, false); err != nil {
						return err
					}
				}
				if err := again(ctx, p.b, other, time.Hour, patience); err != nil { // so that a millisecond has passed
					return err
				}
				return usesAll(ctx, p.a, ids, false)
			},
		},
		{
			name: "what has not ended stays when others end, and whatever time Purge is told",
			why:  whyOnce + ": a clock of another process that is ahead must not end it",
			run: func(ctx context.Context, open openReplays) error {
				p := open()
				for range 3 {
					stay, end := randomIDs(10), randomIDs(10)
					if err := usesAll(ctx, p.a, stay, true); err != nil {
						return err
					}
					for _, id := range end {
						if err := uses(ctx, p.a, id, time.Millisecond, true); err != nil {
							return err
						}
					}
					for _, id := range end {
						if err := again(ctx, p.b, id, time.Millisecond, patience); err != nil {
							return err
						}
					}
					for _, now := range []time.Time{hour(-1000), time.Now(), hour(1000)} {
						if err := errors.Join(purge(ctx, p.a, now), usesAll(ctx, p.b, stay, false)); err != nil {
							return err
						}
					}
				}
				return nil
			},
		},
	}
}

// replayFullChecks are for a store that has room for some ids only.
func replayFullChecks(patience time.Duration) []replayCheck {
	return []replayCheck{
		{
			name: "a store that is full returns an error and forgets nothing that has not ended",
			why: whyOnce + ": they only have to send enough of their own to push it out; and what is not new must not " +
				"be called a replay because there is no room",
			run: func(ctx context.Context, open openReplays) error {
				p := open()
				used, err := fill(ctx, p, time.Hour)
				if err != nil {
					return err
				}
				for range 100 {
					id := random(32)
					switch first, err := p.a.Use(ctx, id, time.Hour); {
					case err == nil && !first:
						return errors.New("a Use of a new id is false in a store that is full, without an error")
					case err == nil: // there was a little room
						used = append(used, id)
					case noVerdict(err) != nil:
						return noVerdict(err)
					}
				}
				for i, id := range used {
					if first, err := p.a.Use(ctx, id, time.Hour); err == nil && first {
						return fmt.Errorf("of %d ids that fill the store the one with the number %d is forgotten", len(used), i)
					} else if noVerdict(err) != nil {
						return noVerdict(err)
					}
				}
				return nil
			},
		},
		{
			name: "what has ended does not fill the store",
			why:  "a store that was full once refuses everybody for ever",
			run: func(ctx context.Context, open openReplays) error {
				for lifetime := short; ; lifetime *= 2 {
					p := open()
					if _, err := fill(ctx, p, lifetime); err != nil {
						if lifetime > patience {
							return err
						}
						continue // the first had ended before the last was used
					}
					var last error
					for began := time.Now(); time.Since(began) < patience+lifetime; {
						if err := purge(ctx, p.a, time.Now()); err != nil {
							return err
						}
						if last = uses(ctx, p.a, random(32), time.Hour, true); last == nil {
							return nil
						}
					}
					return where(fmt.Sprint(patience, " after the last of them had ended"), last)
				}
			},
		},
	}
}

// fill uses ids until the store is full, and returns them. It gives up when the first
// of them has ended.
func fill(ctx context.Context, p replays, lifetime time.Duration) ([]string, error) {
	const most = 20_000
	var used []string
	began := time.Now()
	for range most {
		if time.Since(began) > lifetime {
			return nil, fmt.Errorf("after %d ids and %v the store is not full", len(used), lifetime)
		}
		id := random(32)
		first, err := p.a.Use(ctx, id, lifetime)
		switch {
		case err != nil && len(used) >= 100:
			return used, noVerdict(err)
		case err != nil || !first:
			return nil, fmt.Errorf("after %d a Use of a new id is %t (error: %v)", len(used), first, err)
		}
		used = append(used, id)
	}
	return nil, fmt.Errorf("after %d ids the store is not full; it has room for more, or makes it by forgetting", most)
}
