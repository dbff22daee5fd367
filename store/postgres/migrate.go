package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// The nth file leads to version n. A file that was released is never altered, and
// none takes anything away: processes of the release before may still be running.
//
//go:embed migrations/*.sql
var migrations embed.FS

// migrationLock is the key of an advisory lock, "grantor" in ASCII.
const migrationLock = 0x6772616e746f72

// migrate brings the schema up to date in one transaction: after a crash it has the
// version it had or the one it was to have. Who finds it up to date needs no lock,
// and no privilege to create.
func migrate(ctx context.Context, pool *pgxpool.Pool) error {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return outage(ctx, "migrations", err)
	}
	known := len(names)
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		version, err := schemaVersion(ctx, tx)
		if err != nil || version == known {
			return err
		}
		// Of several nodes one migrates. The others wait, and then see what it did.
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(migrationLock)); err != nil {
			return err
		}
		if version, err = schemaVersion(ctx, tx); err != nil {
			return err
		}
		if version > known {
			return fmt.Errorf("the schema has version %d and this release knows %d: a newer release altered it, use that one", version, known)
		}
		for n := version; n < known; n++ {
			if err := apply(ctx, tx, names[n], n+1); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return outage(ctx, "bring the schema up to date", err)
	}
	return nil
}

// schemaVersion returns 0 for a schema that has nothing of ours. It looks nowhere
// but where tables would be made: another schema of the search_path may have ours
// too.
func schemaVersion(ctx context.Context, tx pgx.Tx) (int, error) {
	// Not to_regclass, which remembers in a transaction what it did not find.
	var schema *string
	var exists bool
	err := tx.QueryRow(ctx, `
		SELECT current_schema()::text, EXISTS (
			SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
			WHERE c.relname = 'grantor_schema' AND n.nspname = current_schema())`).Scan(&schema, &exists)
	if schema == nil && err == nil {
		err = errors.New("the search_path names no schema that exists: CREATE SCHEMA, or set another search_path")
	}
	if err != nil || !exists {
		return 0, err
	}
	var version int
	err = tx.QueryRow(ctx, "SELECT coalesce(max(version), 0) FROM grantor_schema").Scan(&version)
	return version, err
}

func apply(ctx context.Context, tx pgx.Tx, name string, version int) error {
	statements, err := migrations.ReadFile(name)
	if err != nil {
		return err
	}
	if version == 1 {
		const table = "CREATE TABLE grantor_schema (version int PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
		if _, err := tx.Exec(ctx, table); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, string(statements)); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	_, err = tx.Exec(ctx, "INSERT INTO grantor_schema (version) VALUES ($1)", version)
	return err
}
