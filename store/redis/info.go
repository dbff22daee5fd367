package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// checkInfo checks what INFO says: the version, for ZADD GT and HRANDFIELD, and that
// the engine is a master.
func checkInfo(ctx context.Context, info string, logger *slog.Logger) error {
	fields := make(map[string]string)
	for line := range strings.Lines(info) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[name] = value
		}
	}
	version, role := fields["redis_version"], fields["role"]
	var major, minor int
	switch _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); {
	case err != nil:
		logger.WarnContext(ctx, "redis: the version of the engine is unknown", "value", version, "want", "6.2 or later")
	case major < 6 || major == 6 && minor < 2:
		return fmt.Errorf("redis: the engine has version %s: 6.2 or later is needed", version)
	}
	switch role {
	case "master":
		return nil
	case "":
		logger.WarnContext(ctx, "redis: whether the engine is a master is unknown, because INFO is not allowed")
		return nil
	}
	return errors.New("redis: the engine is a " + role + ", which lags behind and cannot be written to: connect to its master")
}
