-- Ids that were used, until when they are remembered.

CREATE TABLE replays (
	id      TEXT    NOT NULL PRIMARY KEY,
	ends_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX replays_ends_at ON replays (ends_at);
