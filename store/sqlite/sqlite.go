// Package sqlite keeps clients, scopes, the grants of users, and ids that may be
// used once in one SQLite file, for services that run on one host. The driver is
// modernc.org/sqlite: there is no C compiler and no server to set up.
//
// # What is promised
//
// What was answered without an error is kept, whatever happens to the process,
// the operating system or the power afterwards, as far as the disk keeps what it
// said it had written. These settings make it so; Open makes them, reads them
// back and fails if one did not take:
//
//   - journal_mode=WAL: readers and the writer do not wait for each other;
//   - synchronous=FULL (and fullfsync, where the system has it): a commit is on
//     the disk before it is answered;
//   - BEGIN IMMEDIATE for every change: changes are made one after the other, by
//     however many processes, so that nothing is decided on what has since changed.
//
// A change that finds the file locked waits until its context ends, five seconds
// at most, and is then an outage, as are a full disk and a disk that fails. Any
// number of processes of one host may open the file; each sees at once what
// another was answered.
//
// # Running it
//
// Keep the file on a local disk: WAL needs memory that is shared between
// processes, which network file systems do not have. Beside the file lie two
// others, with -wal and -shm added to its name; they belong to it, so do not
// remove them or move the file without them. Run store.PurgeEvery in one process
// or in all, else the file grows for ever; what was removed makes room for what
// comes, and the file does not shrink by itself. For a backup use the command
// VACUUM INTO or .backup of the sqlite3 shell: a plain copy of a file in use may
// be torn, and a process that opens and closes the file by itself, to copy it or
// for anything else, drops the locks that the Store in it holds. A backup that is put back also brings back tokens that were spent or
// revoked since, so revoke by client or subject what must not live. A new file
// can be read and written by its owner only (mode 0600); an existing one keeps
// its mode.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/grantor-go/grantor/store"
)

// Store is a [store.GrantStore], a [store.ReplayStore], a [store.ClientStore] and a
// [store.ScopeStore]. It is safe for concurrent use.
//
// Errors that are no verdicts begin with "sqlite: " and hold no value that is
// kept.
type Store struct {
	writer *sql.DB // one connection
	reader *sql.DB // several, which cannot write

	lookups statements // of reader
	changes statements // of writer
}

var (
	_ store.GrantStore  = (*Store)(nil)
	_ store.ReplayStore = (*Store)(nil)
	_ store.ClientStore = (*Store)(nil)
	_ store.ScopeStore  = (*Store)(nil)
)

// Open opens the database file at path, makes it if there is none, and brings
// its tables up to date. The folder must exist. ctx bounds the opening only.
//
// It fails if the file is another program's, was written by a newer release, or
// cannot be written, and if the settings that the package promises do not take.
func Open(ctx context.Context, path string) (*Store, error) {
	s, err := open(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("sqlite: cannot open %s: %w", path, hint(err))
	}
	return s, nil
}

func open(ctx context.Context, path string) (*Store, error) {
	if err := create(path); err != nil {
		return nil, err
	}
	s := new(Store)
	var err error
	if s.writer, err = connect(path, 1, "_txlock=immediate"); err != nil {
		return nil, err
	}
	if s.reader, err = connect(path, readers, "_pragma=query_only(1)"); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err = s.prepare(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) prepare(ctx context.Context) error {
	if err := useWAL(ctx, s.writer); err != nil {
		return err
	}
	if err := s.migrate(ctx, migrations); err != nil {
		return err
	}
	for _, db := range []*sql.DB{s.writer, s.reader} {
		if err := checkSettings(ctx, db); err != nil {
			return err
		}
	}
	return s.parse(ctx)
}

// Close closes the file. Nothing may use s afterwards.
func (s *Store) Close() error {
	var errs []error
	for _, db := range []*sql.DB{s.reader, s.writer} { // the last to close tidies up, which takes a writer
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}
