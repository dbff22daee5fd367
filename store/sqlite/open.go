package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	driver "modernc.org/sqlite"
)

// readers is how many lookups a process makes at the same time.
const readers = 8

// create makes an empty file that only its owner can read, unless there is one.
// The file gets its name when it is closed: to close a file of this process that
// SQLite has open would release SQLite's locks on it.
func create(path string) error {
	if path == "" || strings.HasPrefix(path, ":") || strings.HasPrefix(path, "file:") {
		return errors.New("the path of a file is needed; for one that is kept in memory only see package store/memory")
	}
	switch info, err := os.Stat(path); {
	case err == nil && info.IsDir():
		return errors.New("it is a folder; name a file in it")
	case !errors.Is(err, fs.ErrNotExist):
		return cause(err)
	}
	fresh, err := os.CreateTemp(filepath.Dir(path), ".new-*.sqlite") // mode 0600
	if err != nil {
		return fmt.Errorf("the folder %s: %w", filepath.Dir(path), cause(err))
	}
	defer os.Remove(fresh.Name())
	if err := fresh.Close(); err != nil {
		return err
	}
	if err := os.Link(fresh.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// cause leaves out the path of an error, which the caller names.
func cause(err error) error {
	if of := new(fs.PathError); errors.As(err, &of) {
		return of.Err
	}
	return err
}

// connect prepares a pool of at most n connections; none is made yet.
func connect(path string, n int, parameters string) (*sql.DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	path = "/" + strings.TrimPrefix(filepath.ToSlash(path), "/") // as in file:/C:/a.db
	connector, err := driver.NewConnector("file:" + (&url.URL{Path: path}).EscapedPath() + "?" + parameters +
		"&_pragma=busy_timeout(50)&_pragma=synchronous(FULL)&_pragma=fullfsync(1)&_pragma=checkpoint_fullfsync(1)" +
		"&_dqs=0&_error_rc=1")
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}

// useWAL sets the one setting that is kept in the file.
func useWAL(ctx context.Context, db *sql.DB) error {
	return retry(ctx, func() error {
		_, err := db.ExecContext(ctx, "PRAGMA journal_mode=WAL")
		return err
	})
}

// settings are what durability rests on, as PRAGMA shows them.
var settings = []struct{ name, wanted, remedy string }{
	{"journal_mode", "wal", "keep the file on a local disk, not on a network file system"},
	{"synchronous", "2", "it must be FULL; use the version of modernc.org/sqlite that this module requires"},
}

func checkSettings(ctx context.Context, db *sql.DB) error {
	for _, setting := range settings {
		var value string
		err := retry(ctx, func() error {
			return db.QueryRowContext(ctx, "PRAGMA "+setting.name).Scan(&value)
		})
		if err != nil {
			return err
		}
		if value != setting.wanted {
			return fmt.Errorf("PRAGMA %s is %q and not %q: %s", setting.name, value, setting.wanted, setting.remedy)
		}
	}
	return nil
}
