package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"github.com/grantor-go/grantor/store"
	"github.com/grantor-go/grantor/store/memory"
	"github.com/grantor-go/grantor/store/postgres"
	"github.com/grantor-go/grantor/store/redis"
	"github.com/grantor-go/grantor/store/sqlite"
)

// openRecords opens the store that -store names, and returns what closes it.
func openRecords(ctx context.Context, o options, logger *slog.Logger) (store.GrantStore, func(), error) {
	name := o.store
	if name == "" {
		if err := os.MkdirAll(o.data, 0o700); err != nil {
			return nil, nil, fmt.Errorf("-data %s: %w", o.data, err)
		}
		name = "sqlite:" + filepath.Join(o.data, "grants.db")
	}
	kind, path, _ := strings.Cut(name, ":")
	switch {
	case name == "memory:":
		return new(memory.Grants), func() {}, nil
	case kind == "sqlite" && path != "":
		s, err := sqlite.Open(ctx, path)
		if err != nil {
			return nil, nil, fmt.Errorf("-store %s: %w", name, oneLine(err))
		}
		return s, func() { s.Close() }, nil
	case kind == "postgres", kind == "postgresql":
		s, err := postgres.Open(ctx, name)
		if err != nil { // the URL may hold a password
			return nil, nil, fmt.Errorf("-store %s://...: %w", kind, oneLine(err))
		}
		return s, s.Close, nil
	case kind == "redis", kind == "rediss":
		return openRedis(ctx, kind, name, logger)
	}
	return nil, nil, fmt.Errorf("-store %q is none of memory:, sqlite:PATH, postgres://..., redis://...; see -h", kind+":")
}

func openRedis(ctx context.Context, kind, url string, logger *slog.Logger) (store.GrantStore, func(), error) {
	options, err := goredis.ParseURL(url)
	if err != nil {
		return nil, nil, fmt.Errorf("-store %s://... is not a URL such as redis://127.0.0.1:6379/0", kind)
	}
	options.ContextTimeoutEnabled = true
	goredis.SetLogger(quiet{}) // what fails is an error of the call
	client := goredis.NewClient(options)
	s, err := redis.New(ctx, client, redis.Config{Logger: logger})
	if err != nil {
		client.Close()
		return nil, nil, fmt.Errorf("-store %s://...: %w", kind, oneLine(err))
	}
	return s, func() { client.Close() }, nil
}

type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}
