package sqlite

import (
	"context"
	"database/sql"
)

// The statements of Find and of the other lookups.
const (
	findRecord = `
SELECT r.kind, r.expires_at, r.keep_until, r.version, r.body,
       f.client_id, f.subject, f.session, f.created_at, f.revoked_at, f.keep_until
FROM records r JOIN families f ON f.id = r.family
WHERE r.family = ? AND r.hash = ?`

	findFamilies = `
SELECT id, client_id, subject, session, created_at, keep_until
FROM families WHERE revoked_at = 0 AND subject = ? AND subject <> ''`

	findLive   = `SELECT revoked_at = 0 FROM families WHERE id = ?`
	findClient = `SELECT body FROM clients WHERE id = ?`
	findScopes = `SELECT body FROM scopes WHERE name IN (SELECT value FROM json_each(?))`
)

// The statements of Exchange.
const (
	readFamily   = `SELECT revoked_at, keep_until FROM families WHERE id = ?`
	raiseFamily  = `UPDATE families SET keep_until = ? WHERE id = ?`
	bindFamily   = `UPDATE families SET subject = ?, session = ? WHERE id = ? AND subject = ''`
	insertFamily = `
INSERT INTO families (id, client_id, subject, session, created_at, revoked_at, keep_until)
VALUES (?, ?, ?, ?, ?, ?, ?)`

	readRecord   = `SELECT version, body FROM records WHERE family = ? AND hash = ?`
	updateRecord = `
UPDATE records SET expires_at = ?, keep_until = ?, version = version + 1, body = ?
WHERE family = ? AND hash = ?`
	extendRecord = `
UPDATE records SET expires_at = max(expires_at, ?),
       keep_until = CASE keep_until WHEN 0 THEN 0 ELSE max(keep_until, ?) END
WHERE family = ? AND hash = ?`
	insertRecord = `
INSERT INTO records (family, hash, kind, expires_at, keep_until, version, body)
VALUES (?, ?, ?, ?, ?, 0, ?) ON CONFLICT DO NOTHING`
)

// statements are parsed once, which takes as long as running one. They are found
// by their text.
type statements map[string]*sql.Stmt

func parse(ctx context.Context, db *sql.DB, texts ...string) (statements, error) {
	parsed := make(statements, len(texts))
	for _, text := range texts {
		statement, err := db.PrepareContext(ctx, text)
		if err != nil {
			return nil, err
		}
		parsed[text] = statement
	}
	return parsed, nil
}

func (s *Store) parse(ctx context.Context) error {
	return retry(ctx, func() (err error) {
		if s.lookups, err = parse(ctx, s.reader, findRecord, findLive, findFamilies, findClient, findScopes); err != nil {
			return err
		}
		s.changes, err = parse(ctx, s.writer,
			readFamily, raiseFamily, bindFamily, insertFamily, readRecord, updateRecord, extendRecord, insertRecord, useID)
		return err
	})
}
