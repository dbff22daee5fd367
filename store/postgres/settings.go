package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
)

// setting is what a promise of the package rests on.
type setting struct {
	name   string
	query  string   // an expression that is its value as text, null if it is not known
	right  []string // its values that keep the promise
	must   bool     // refuse any other; without it an operator may mean it
	remedy string
}

var settings = []setting{
	{
		"pg_is_in_recovery", "pg_is_in_recovery()::text", []string{"false"}, true,
		"connect to the primary: a standby may lack what was answered already",
	},
	{
		"transaction_read_only", "current_setting('transaction_read_only', true)", []string{"off"}, true,
		"ALTER ROLE or ALTER DATABASE ... SET default_transaction_read_only = off",
	},
	{
		"transaction_isolation", "current_setting('transaction_isolation', true)", []string{"read committed", "read uncommitted"}, true,
		"ALTER ROLE or ALTER DATABASE ... SET default_transaction_isolation = 'read committed'",
	},
	{
		"server_encoding", "current_setting('server_encoding', true)", []string{"UTF8", "SQL_ASCII"}, true,
		"use a database that was created with ENCODING 'UTF8', which can hold every subject",
	},
	{
		"synchronous_commit", "current_setting('synchronous_commit', true)", []string{"on", "remote_apply", "remote_write", "local"}, true,
		"ALTER ROLE or ALTER DATABASE ... SET synchronous_commit = on: what was answered may be lost when the engine ends",
	},
	{
		"synchronous_commit", "current_setting('synchronous_commit', true)", []string{"on", "remote_apply", "remote_write", "off"}, false,
		"SET synchronous_commit = on, unless a failover may undo what was answered",
	},
	{
		"fsync", "current_setting('fsync', true)", []string{"on"}, false,
		"fsync = on in postgresql.conf: what was answered may be lost when the machine fails",
	},
	{
		"full_page_writes", "current_setting('full_page_writes', true)", []string{"on"}, false,
		"full_page_writes = on in postgresql.conf, unless the file system never writes half a page",
	},
}

// checkSettings reads all settings in one round trip, by a connection of the pool,
// so that what holds is what the role and the database make of them.
func checkSettings(ctx context.Context, pool *pgxpool.Pool) error {
	queries := make([]string, len(settings))
	for i, s := range settings {
		queries[i] = s.query
	}
	var values []*string
	if err := pool.QueryRow(ctx, "SELECT ARRAY["+strings.Join(queries, ", ")+"]").Scan(&values); err != nil {
		return outage(ctx, "read the engine's settings", err)
	}
	for i, s := range settings {
		switch value := values[i]; {
		case value == nil:
			slog.WarnContext(ctx, "postgres: a setting cannot be read, so what it promises is unknown", "setting", s.name, "value", "unknown", "remedy", s.remedy)
		case slices.Contains(s.right, *value):
		case s.must:
			return fmt.Errorf("postgres: the engine's %s is %q: %s", s.name, *value, s.remedy)
		default:
			slog.WarnContext(ctx, "postgres: a setting weakens what the store promises", "setting", s.name, "value", *value, "remedy", s.remedy)
		}
	}
	return nil
}
