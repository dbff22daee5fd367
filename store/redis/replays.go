package redis

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

func (s *Store) usedKey(id string) string { return s.prefix + "u:" + id }

// Use implements [store.ReplayStore]. It takes one round trip. The clock of the store
// is that of the engine, which removes by itself what has ended.
func (s *Store) Use(ctx context.Context, id string, lifetime time.Duration) (first bool, err error) {
	_, err = s.do(ctx, command(ctx, "set", s.usedKey(id), "1", "nx", "px", lifetime.Milliseconds()+1)) // rounded up
	if errors.Is(err, redis.Nil) {
		return false, nil
	}
	return err == nil, err
}
