package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/grantor-go/grantor/store"
)

// Store keeps everything in one schema of a PostgreSQL database. It is safe for
// concurrent use, by any number of processes. Open or New makes one.
type Store struct {
	pool *pgxpool.Pool
}

var (
	_ store.GrantStore  = (*Store)(nil)
	_ store.ReplayStore = (*Store)(nil)
	_ store.ClientStore = (*Store)(nil)
	_ store.ScopeStore  = (*Store)(nil)
)

// Open connects to the database that url names, in the form of pgxpool.ParseConfig
// (postgres://user@host/database?search_path=auth&pool_max_conns=16), and does what
// New does. Unless url has a target_session_attrs, every connection is refused that
// leads to a standby, so that of several hosts the primary is used.
//
// When the context of a call ends, the statement is cancelled, and the engine has half
// a second to say what became of it: an error then means, unless the engine hangs, that
// nothing changes any more, so that Find tells for certain.
func Open(ctx context.Context, url string) (*Store, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err) // pgx leaves the password out
	}
	if config.ConnConfig.ValidateConnect == nil {
		config.ConnConfig.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsPrimary
	}
	config.ConnConfig.BuildContextWatcherHandler = cancelAndHear
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	s, err := New(ctx, pool)
	if err != nil {
		pool.Close()
		return nil, err
	}
	return s, nil
}

// cancelAndHear keeps a statement that its caller gave up from being made after the
// caller looked whether it was. Left to itself pgx would hang up at once.
func cancelAndHear(conn *pgconn.PgConn) ctxwatch.Handler {
	return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: 500 * time.Millisecond}
}

// New uses a pool that exists; what Open does about contexts and standbys is up to its
// configuration. New refuses an engine whose settings break a promise,
// see the package comment, and brings the schema up to date; any number of processes
// may do so at once. A schema that a newer release has altered is refused.
func New(ctx context.Context, pool *pgxpool.Pool) (*Store, error) {
	if err := checkSettings(ctx, pool); err != nil {
		return nil, err
	}
	if err := migrate(ctx, pool); err != nil {
		return nil, err
	}
	return &Store{pool}, nil
}

// Close closes the pool, also one that was given to New. It waits for the calls
// that are under way.
func (s *Store) Close() { s.pool.Close() }

// outage says what was attempted, and of a context that ended why. No error of pgx
// is a verdict of package store, and none holds an argument of the statement.
func outage(ctx context.Context, attempt string, err error) error {
	if cause := ctx.Err(); cause != nil && !errors.Is(err, cause) {
		return fmt.Errorf("postgres: %s: %w: %w", attempt, cause, err)
	}
	return fmt.Errorf("postgres: %s: %w", attempt, err)
}
