package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/redis/go-redis/v9"

	"github.com/grantor-go/grantor/store"
)

// Config says how a Store uses its engine. The zero value is fine.
type Config struct {
	// Prefix begins every key. Empty means "grantor:". Several services may share
	// an engine under prefixes of their own.
	Prefix string

	// Logger gets a warning for each setting of the engine that breaks a promise,
	// or that New is not allowed to read. Nil means slog.Default.
	Logger *slog.Logger
}

// Store is a [store.GrantStore] and a [store.ReplayStore] that Redis or Valkey keeps.
type Store struct {
	client redis.UniversalClient
	prefix string

	// unsettled is when the outcome of an exchange was last unknown, in nanoseconds
	// since 1970.
	unsettled atomic.Int64
}

var (
	_ store.GrantStore  = (*Store)(nil)
	_ store.ReplayStore = (*Store)(nil)
)

// New returns a Store and checks what it rests on: every master of the engine, and
// the client. The client must have ContextTimeoutEnabled set and must read from
// masters; it remains the caller's, to share and to close, and its retries do not
// matter.
//
// An error says what to change. A setting without which less than what the package
// promises is durable is no error but a warning of Config.Logger: see the package
// comment.
func New(ctx context.Context, client redis.UniversalClient, config Config) (*Store, error) {
	if err := checkClient(client); err != nil {
		return nil, err
	}
	if config.Prefix == "" {
		config.Prefix = "grantor:"
	}
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	var err error
	if cluster, is := client.(*redis.ClusterClient); is {
		err = cluster.ForEachMaster(ctx, func(ctx context.Context, master *redis.Client) error {
			return checkEngine(ctx, master, config.Logger.With("master", master.Options().Addr))
		})
	} else {
		err = checkEngine(ctx, client, config.Logger)
	}
	if err != nil {
		return nil, err
	}
	return &Store{client: client, prefix: config.Prefix}, nil
}

func checkClient(client redis.UniversalClient) error {
	obeys := true // a client of an unknown type is taken at its word
	switch c := client.(type) {
	case nil:
		return errors.New("redis: no client")
	case *redis.Client:
		obeys = c.Options().ContextTimeoutEnabled
	case *redis.ClusterClient:
		obeys = c.Options().ContextTimeoutEnabled
		if c.Options().ReadOnly {
			return errors.New("redis: the client reads from replicas, which lag behind: unset ReadOnly, RouteByLatency and RouteRandomly")
		}
	case *redis.Ring:
		return errors.New("redis: a Ring looks for keys elsewhere while a server is down, and finds nothing: use a Cluster")
	}
	if !obeys {
		return errors.New("redis: the client does not obey the deadlines of contexts: set ContextTimeoutEnabled")
	}
	return nil
}

// checkEngine checks one master.
func checkEngine(ctx context.Context, master redis.Cmdable, logger *slog.Logger) error {
	info, err := master.Info(ctx).Result()
	if err != nil && !refused(err) {
		return fmt.Errorf("redis: reading INFO: %w", err)
	}
	if err := checkInfo(ctx, info, logger); err != nil {
		return err
	}
	for _, s := range settings {
		found, err := master.ConfigGet(ctx, s.name).Result()
		value, known := found[s.name]
		switch {
		case err != nil && !refused(err):
			return fmt.Errorf("redis: reading CONFIG: %w", err)
		case !known:
			logger.WarnContext(ctx, "redis: a setting of the engine is unknown, because CONFIG GET is not allowed",
				"setting", s.name, "want", s.want, "otherwise", s.otherwise)
		case value != s.want:
			logger.WarnContext(ctx, "redis: a setting of the engine breaks a promise",
				"setting", s.name, "value", value, "want", s.want, "otherwise", s.otherwise)
		}
	}
	return nil
}

// settings are what the promises of the package need.
var settings = []struct{ name, want, otherwise string }{
	{"appendonly", "yes", "a restart forgets tokens and, worse, that they were spent or revoked"},
	{"appendfsync", "always", "a crash undoes what was answered last, spending and revoking included"},
	{"maxmemory-policy", "noeviction", "a full engine removes families, the indexes by which they are revoked, or what says that an id was used"},
}

// refused reports whether the engine answered that a command is not allowed, as
// hosted ones do.
func refused(err error) bool {
	return redis.HasErrorPrefix(err, "NOPERM") || redis.HasErrorPrefix(err, "unknown command") ||
		redis.HasErrorPrefix(err, "Unknown command")
}
