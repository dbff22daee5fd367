package storetest

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
)

var errNoRoom = errors.New("no room")

var replayMutants = []replayMutant{
	{"the first use of an id is told from all that follow", "says of every use that it is the first", reading(func(string) string { return random(32) })},
	{"the first use of an id is told from all that follow", "says of no use that it is the first", using(func(*memory.Replays) useFunc {
		return func(context.Context, string, time.Duration) (bool, error) { return false, nil }
	})},
	{"the first use of an id is told from all that follow", "remembers the last ten", by(func(e *ends, id string, end time.Time, lifetime time.Duration) (bool, error) {
		if time.Now().Before(end) {
			return false, nil
		}
		if e.set(id, lifetime); len(e.order) > 10 {
			delete(e.byID, e.order[0])
			e.order = e.order[1:]
		}
		return true, nil
	})},
	{"the first use of an id is told from all that follow", "forgets what was used twice", by(func(e *ends, id string, end time.Time, lifetime time.Duration) (bool, error) {
		if time.Now().Before(end) {
			delete(e.byID, id)
			return false, nil
		}
		e.set(id, lifetime)
		return true, nil
	})},
	{"what was used by one handle is known to the other at once", "is two stores", func(...string) replays {
		return replays{new(memory.Replays), new(memory.Replays)}
	}},
	{"ids are compared byte by byte", "folds case", reading(strings.ToLower)},
	{"ids are compared byte by byte", "takes ids for numbers", reading(asNumber)},
	{"ids are compared byte by byte", "keeps 63 characters", reading(func(id string) string { return id[:min(63, len(id))] })},
	{"ids are compared byte by byte", "keeps the last 63 characters", reading(func(id string) string { return id[len(id)-min(63, len(id)):] })},
	{"ids are compared byte by byte", "finds them by LIKE", likeOthers},
	{"ids are compared byte by byte", "ignores what is no letter at the ends", reading(func(id string) string { return strings.Trim(id, "-") })},
	{"ids are compared byte by byte", "takes both alphabets of base64 for one", reading(func(id string) string { return strings.ReplaceAll(id, "_", "-") })},
	{"a lifetime is anything from a nanosecond to centuries", "refuses less than a millisecond", using(func(s *memory.Replays) useFunc {
		return func(ctx context.Context, id string, lifetime time.Duration) (bool, error) {
			if lifetime.Milliseconds() == 0 {
				return false, errors.New("invalid expire time")
			}
			return s.Use(ctx, id, lifetime)
		}
	})},
	{"a lifetime is anything from a nanosecond to centuries", "counts seconds in 32 bits", lasting(func(lifetime time.Duration) time.Duration {
		return time.Duration(int32(lifetime/time.Second)) * time.Second
	})},
	{"a lifetime is anything from a nanosecond to centuries", "keeps the end in nanoseconds", lasting(func(lifetime time.Duration) time.Duration {
		return time.Until(time.Unix(0, time.Now().UnixNano()+int64(lifetime)))
	})},
	{"an id is not forgotten before its lifetime is over", "forgets after half of it", lasting(func(lifetime time.Duration) time.Duration { return lifetime / 2 })},
	{"an id is not forgotten before its lifetime is over", "counts whole seconds", lasting(func(lifetime time.Duration) time.Duration { return lifetime.Truncate(time.Second) })},
	{"an id is not forgotten before its lifetime is over", "has Purge end it", newPurging},
	{"an id can be used again when its lifetime is over", "never forgets", lasting(func(time.Duration) time.Duration { return century })},
	{"an id can be used again when its lifetime is over", "forgets for good", by(func(e *ends, id string, end time.Time, lifetime time.Duration) (bool, error) {
		if end.IsZero() {
			e.set(id, lifetime)
			return true, nil
		}
		return !time.Now().Before(end), nil
	})},
	{"later uses do not make it longer", "counts from the last use", by(func(e *ends, id string, end time.Time, lifetime time.Duration) (bool, error) {
		ended := !time.Now().Before(end)
		e.set(id, lifetime)
		return ended, nil
	})},
	{"later uses do not make it shorter", "counts the lifetime of the last use", by(func(e *ends, id string, end time.Time, lifetime time.Duration) (bool, error) {
		ended := !time.Now().Before(end)
		if ended || time.Now().Add(lifetime).Before(end) {
			e.set(id, lifetime)
		}
		return ended, nil
	})},
	{"what has not ended stays when others end, and whatever time Purge is told", "goes by the clock of whoever calls Purge", newPurging},
	{"what has not ended stays when others end, and whatever time Purge is told", "forgets all when one has ended", by(func(e *ends, id string, end time.Time, lifetime time.Duration) (bool, error) {
		if !end.IsZero() && !time.Now().Before(end) {
			clear(e.byID)
		}
		if time.Now().Before(e.byID[id]) {
			return false, nil
		}
		e.set(id, lifetime)
		return true, nil
	})},
	{"of many who use one id at once exactly one is first", "looks before it writes", lookingFirst(func(known bool) bool { return !known })},
	{"of many who use an id when its lifetime ends exactly one is first again", "looks before it writes over what has ended", lookingFirst(func(known bool) bool { return known })},
	{"a context that is over is never a verdict", "takes it for a replay", overIs(false, nil)},
	{"a context that is over is never a verdict", "takes it for a first use", overIs(true, nil)},
	{"a context that is over is never a verdict", "takes it for somebody else's use", overIs(false, store.ErrConflict)},
	{"a context that is over is never a verdict", "takes it for an id that is not there", overIs(false, store.ErrNotFound)},
	{"a context that is over is never a verdict", "cannot be used afterwards", using(func(s *memory.Replays) useFunc {
		var broken error
		return func(ctx context.Context, id string, lifetime time.Duration) (bool, error) {
			if broken == nil {
				broken = ctx.Err()
			}
			if broken != nil {
				return false, broken
			}
			return s.Use(ctx, id, lifetime)
		}
	})},
	{"a context that ends on the way is never a verdict", "takes it for a replay", overIs(false, nil)},
	{"a context that ends on the way is never a verdict", "answers what it has not kept", overIs(true, nil)},
	{"a context that ends on the way is never a verdict", "takes it for an id that was revoked", overIs(false, store.ErrRevoked)},
	{"a store that is full returns an error and forgets nothing that has not ended", "forgets the oldest", full(func(e *ends, id string) (bool, error) {
		delete(e.byID, e.order[0])
		e.order = e.order[1:]
		e.set(id, time.Hour)
		return true, nil
	})},
	{"a store that is full returns an error and forgets nothing that has not ended", "forgets the oldest to make room for the next", full(func(e *ends, id string) (bool, error) {
		delete(e.byID, e.order[0])
		e.order = e.order[1:]
		return false, errNoRoom
	})},
	{"a store that is full returns an error and forgets nothing that has not ended", "calls what it cannot keep a replay", func(...string) replays {
		refused := 0
		return full(func(*ends, string) (bool, error) {
			if refused++; refused == 1 {
				return false, errNoRoom
			}
			return false, nil
		})()
	}},
	{"a store that is full returns an error and forgets nothing that has not ended", "calls it a conflict", full(func(*ends, string) (bool, error) { return false, store.ErrConflict })},
	{"a store that is full returns an error and forgets nothing that has not ended", "lets in what it cannot keep", full(func(*ends, string) (bool, error) { return true, nil })},
	{"what has ended does not fill the store", "never removes what has ended", full(func(*ends, string) (bool, error) { return false, errNoRoom })},
}
