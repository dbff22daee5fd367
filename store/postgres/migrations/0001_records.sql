-- Times are microseconds since 1970, 0 for none. Text is compared byte by byte:
-- COLLATE "C" makes that so whatever the database's locale, and the indexes small.

CREATE TABLE grantor_families (
	id         text COLLATE "C" PRIMARY KEY,
	client_id  text COLLATE "C" NOT NULL,
	subject    text COLLATE "C" NOT NULL,
	session    text COLLATE "C" NOT NULL,
	created_at bigint NOT NULL,
	revoked_at bigint NOT NULL,
	keep_until bigint NOT NULL
);

-- For Revoke, which asks for nothing but families that live.
CREATE INDEX grantor_families_client  ON grantor_families (client_id) WHERE revoked_at = 0;
CREATE INDEX grantor_families_subject ON grantor_families (subject) WHERE revoked_at = 0 AND subject <> '';
CREATE INDEX grantor_families_session ON grantor_families (session) WHERE revoked_at = 0 AND session <> '';

-- For Purge.
CREATE INDEX grantor_families_keep_until ON grantor_families (keep_until);

CREATE TABLE grantor_records (
	family     text COLLATE "C" NOT NULL REFERENCES grantor_families (id),
	hash       text COLLATE "C" NOT NULL,
	kind       text COLLATE "C" NOT NULL,
	created_at bigint NOT NULL,
	expires_at bigint NOT NULL,
	keep_until bigint NOT NULL, -- 0: as long as its family
	version    bigint NOT NULL,
	body       bytea NOT NULL,  -- the rest, as JSON
	PRIMARY KEY (family, hash)
);

CREATE INDEX grantor_records_keep_until ON grantor_records (keep_until) WHERE keep_until <> 0;
