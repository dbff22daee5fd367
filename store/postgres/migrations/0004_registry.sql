-- json, not jsonb: it keeps a number and a NUL in a string as they were written.

CREATE TABLE grantor_clients (
	id   text COLLATE "C" PRIMARY KEY,
	body json NOT NULL
);

CREATE TABLE grantor_scopes (
	name text COLLATE "C" PRIMARY KEY,
	body json NOT NULL
);
