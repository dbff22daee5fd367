package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
)

// migrations are applied in the order of their names, each once, and never
// altered after a release. The first brings a database to version 1.
//
//go:embed migrations/*.sql
var migrations embed.FS

// application is what the first migration writes into the head of the file.
const application = 1735552628

// migrate applies the migrations that are missing, all or none. Processes that
// start together do it one after the other.
func (s *Store) migrate(ctx context.Context, files fs.FS) error {
	names, err := fs.Glob(files, "migrations/*.sql") // sorted
	if err != nil {
		return err
	}
	return s.transact(ctx, func(tx *sql.Tx) error {
		version, err := schemaVersion(ctx, tx)
		if err != nil {
			return err
		}
		if version > len(names) {
			return fmt.Errorf("its tables have version %d and this release knows %d: run the newer release again", version, len(names))
		}
		for ; version < len(names); version++ {
			script, err := fs.ReadFile(files, names[version])
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, string(script)); err != nil {
				return fmt.Errorf("%s: %w", names[version], err)
			}
		}
		_, err = tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version))
		return err
	})
}

func schemaVersion(ctx context.Context, tx *sql.Tx) (int, error) {
	var version, owner, objects int
	err := tx.QueryRowContext(ctx, `SELECT user_version, application_id, (SELECT count(*) FROM sqlite_schema)
		FROM pragma_user_version, pragma_application_id`).Scan(&version, &owner, &objects)
	switch {
	case err != nil:
		return 0, err
	case owner == application, owner == 0 && version == 0 && objects == 0:
		return version, nil
	}
	return 0, errors.New("it is the database of another program; name a file of its own")
}
