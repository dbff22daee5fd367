package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	driver "modernc.org/sqlite"
	engine "modernc.org/sqlite/lib"

	"github.com/grantor-go/grantor/store"
)

// patience is how long is waited for another process if the context allows it.
const patience = 5 * time.Second

// change is transact for the methods of the interfaces.
func (s *Store) change(ctx context.Context, do func(*sql.Tx) error) error {
	return failed(s.transact(ctx, do))
}

// transact runs do in a transaction that nobody else can write beside. If do
// returns an error nothing is changed.
func (s *Store) transact(ctx context.Context, do func(*sql.Tx) error) error {
	var tx *sql.Tx
	err := retry(ctx, func() (err error) {
		tx, err = s.writer.BeginTx(ctx, nil)
		return err
	})
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		_ = tx.Rollback() // it was rolled back already if ctx ended or the disk is full
		return err
	}
	return tx.Commit()
}

// find reads one row. If there is none the error is store.ErrNotFound.
func (s *Store) find(ctx context.Context, query string, args, dest []any) error {
	err := retry(ctx, func() error {
		return s.lookups[query].QueryRowContext(ctx, args...).Scan(dest...)
	})
	return failed(found(err))
}

func found(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return store.ErrNotFound
	}
	return err
}

// retry calls do again for as long as another process locks it out. SQLite's own
// waiting does not see that a context ended, so it is kept short.
func retry(ctx context.Context, do func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := do()
		if code(err) != engine.SQLITE_BUSY {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("another process kept it locked: %w: %w", err, ctx.Err())
		}
	}
}

// code is SQLite's primary result code of an error, 0 if it has none.
func code(err error) int {
	if of := new(driver.Error); errors.As(err, &of) {
		return of.Code() & 0xff
	}
	return 0
}

// failed names this package in errors that are no verdicts.
func failed(err error) error {
	switch err {
	case nil, store.ErrNotFound, store.ErrConflict, store.ErrRevoked:
		return err
	}
	return fmt.Errorf("sqlite: %w", err)
}

// hint adds what to do about an error of opening.
func hint(err error) error {
	switch code(err) {
	case engine.SQLITE_READONLY, engine.SQLITE_CANTOPEN:
		return fmt.Errorf("this process must be able to write the file and its folder: %w", err)
	case engine.SQLITE_NOTADB:
		return fmt.Errorf("it is not an SQLite database: %w", err)
	}
	return err
}
