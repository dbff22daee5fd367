package sqlite

import (
	"context"
	"database/sql"

	"github.com/grantor-go/grantor/store"
)

// Exchange implements [store.GrantStore]. It is one transaction.
func (s *Store) Exchange(ctx context.Context, change *store.Change) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		e := exchange{ctx, tx, s.changes, change.Family.ID}
		if err := e.family(change); err != nil {
			return err
		}
		if err := e.extendable(change.Extend); err != nil {
			return err
		}
		if err := e.spend(change.Spend); err != nil {
			return err
		}
		if err := e.extend(change.Extend); err != nil {
			return err
		}
		return e.issue(change.Issue)
	})
}

// exchange is the transaction of one change. What its steps did before one of
// them fails is rolled back.
type exchange struct {
	ctx     context.Context
	tx      *sql.Tx
	changes statements
	id      string // of the family
}

// row reads a row. If there is none the error is store.ErrNotFound.
func (e exchange) row(text string, args []any, dest ...any) error {
	return found(e.tx.StmtContext(e.ctx, e.changes[text]).QueryRowContext(e.ctx, args...).Scan(dest...))
}

// exec returns how many rows it changed.
func (e exchange) exec(text string, args ...any) (int, error) {
	return affected(e.tx.StmtContext(e.ctx, e.changes[text]).ExecContext(e.ctx, args...))
}

// family finds out whether the family lives, begins it, or keeps it for longer and
// for the user that the change names.
func (e exchange) family(change *store.Change) error {
	f := change.Family
	var revoked, keep int64
	err := e.row(readFamily, []any{e.id}, &revoked, &keep)
	switch {
	case err == store.ErrNotFound && change.Begin:
		_, err = e.exec(insertFamily, e.id, f.ClientID, f.Subject, f.Session,
			store.Micros(f.CreatedAt), store.Micros(f.RevokedAt), store.Micros(f.KeepUntil))
		return err
	case err != nil:
		return err
	case revoked != 0:
		return store.ErrRevoked
	case change.Begin:
		return store.ErrConflict
	}
	if until := store.Micros(f.KeepUntil); until > keep {
		_, err = e.exec(raiseFamily, until, e.id)
	}
	if f.Subject != "" && err == nil {
		_, err = e.exec(bindFamily, f.Subject, f.Session, e.id)
	}
	return err
}

// record reads what is kept of a record that is to be changed.
func (e exchange) record(key store.Key) (version int64, body []byte, err error) {
	err = e.row(readRecord, []any{e.id, key.Hash}, &version, &body)
	return version, body, err
}

// extendable finds out whether the record to be extended exists: that it does
// not comes before what spend has to say.
func (e exchange) extendable(extend *store.Extension) error {
	if extend == nil {
		return nil
	}
	_, _, err := e.record(extend.Key)
	return err
}

func (e exchange) spend(record *store.Record) error {
	if record == nil {
		return nil
	}
	version, body, err := e.record(record.Key)
	if err != nil {
		return err
	}
	if version != record.Version {
		return store.ErrConflict
	}
	var was store.Record
	if err := store.DecodeRecord(body, &was); err != nil {
		return err
	}
	now := *record
	now.CreatedAt = was.CreatedAt
	if body, err = store.EncodeRecord(&now); err != nil {
		return err
	}
	_, err = e.exec(updateRecord, store.Micros(now.ExpiresAt), store.Micros(now.KeepUntil), body, e.id, now.Key.Hash)
	return err
}

func (e exchange) extend(extend *store.Extension) error {
	if extend == nil {
		return nil
	}
	_, err := e.exec(extendRecord, store.Micros(extend.ExpiresAt), store.Micros(extend.KeepUntil), e.id, extend.Key.Hash)
	return err
}

func (e exchange) issue(records []store.Record) error {
	for i := range records {
		r := &records[i]
		body, err := store.EncodeRecord(r)
		if err != nil {
			return err
		}
		n, err := e.exec(insertRecord, e.id, r.Key.Hash, string(r.Kind), store.Micros(r.ExpiresAt), store.Micros(r.KeepUntil), body)
		if err != nil {
			return err
		}
		if n == 0 {
			return store.ErrConflict
		}
	}
	return nil
}
