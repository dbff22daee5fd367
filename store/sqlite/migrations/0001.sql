-- Times are microseconds since 1970, 0 if there is none.

PRAGMA application_id = 1735552628; -- "grnt": tells this file from those of other programs

CREATE TABLE families (
	id         TEXT    NOT NULL PRIMARY KEY,
	client_id  TEXT    NOT NULL,
	subject    TEXT    NOT NULL,
	session    TEXT    NOT NULL,
	created_at INTEGER NOT NULL,
	revoked_at INTEGER NOT NULL,
	keep_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Only families that live are ever looked for by these.
CREATE INDEX families_session   ON families (session)   WHERE revoked_at = 0 AND session   <> '';
CREATE INDEX families_subject   ON families (subject)   WHERE revoked_at = 0 AND subject   <> '';
CREATE INDEX families_client_id ON families (client_id) WHERE revoked_at = 0 AND client_id <> '';

CREATE INDEX families_keep_until ON families (keep_until);

-- The records of a family lie side by side.
CREATE TABLE records (
	family     TEXT    NOT NULL,
	hash       TEXT    NOT NULL,
	kind       TEXT    NOT NULL,
	expires_at INTEGER NOT NULL,
	keep_until INTEGER NOT NULL,
	version    INTEGER NOT NULL,
	body       BLOB    NOT NULL,
	PRIMARY KEY (family, hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX records_keep_until ON records (keep_until) WHERE keep_until <> 0;

CREATE TABLE clients (
	id   TEXT NOT NULL PRIMARY KEY,
	body BLOB NOT NULL
) STRICT;

CREATE TABLE scopes (
	name TEXT NOT NULL PRIMARY KEY,
	body BLOB NOT NULL
) STRICT;
