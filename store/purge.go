package store

import (
	"context"
	"log/slog"
	"time"
)

// PurgeEvery calls Purge now and then every interval until ctx ends, in batches
// of a thousand. Run it in a goroutine of its own, in one or in every process. A
// batch that fails is logged and tried again with the next interval.
func PurgeEvery(ctx context.Context, s GrantStore, interval time.Duration, logger *slog.Logger) {
	const batch = 1000
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		for {
			n, err := s.Purge(ctx, time.Now(), batch)
			if err != nil && ctx.Err() == nil {
				logger.ErrorContext(ctx, "purging the grant store failed", "error", err.Error(), "retry", interval)
			}
			if err != nil || n < batch {
				break
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
