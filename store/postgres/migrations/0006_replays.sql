-- Ids that were used, until when they are remembered, by the clock of the engine.
CREATE TABLE grantor_replays (
	id      text COLLATE "C" PRIMARY KEY,
	ends_at bigint NOT NULL
);

-- For Purge.
CREATE INDEX grantor_replays_ends_at ON grantor_replays (ends_at);

-- grantor_clock is the time at which it is called, not that of the transaction: who
-- waited for another judges by what the time is then.
CREATE FUNCTION grantor_clock() RETURNS bigint LANGUAGE sql VOLATILE AS $$
	SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
$$;

-- grantor_purge as 0003_purge.sql explains it, and one thing more: ids, which do not
-- go by the time that the caller says.
CREATE OR REPLACE FUNCTION grantor_purge(due bigint, max_rows bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	room bigint := max_rows;
	clock bigint := grantor_clock();
	deleted bigint;
	families text[];
BEGIN
	WITH found AS (
		SELECT id FROM grantor_replays
			WHERE ends_at <= clock
			ORDER BY ends_at LIMIT room FOR UPDATE SKIP LOCKED)
	DELETE FROM grantor_replays r USING found WHERE r.id = found.id AND r.ends_at <= clock;
	GET DIAGNOSTICS deleted = ROW_COUNT;
	room := room - deleted;
	IF room = 0 THEN RETURN max_rows; END IF;

	WITH found AS (
		SELECT family, hash FROM grantor_records
			WHERE keep_until <> 0 AND keep_until <= due
			ORDER BY keep_until LIMIT room FOR UPDATE SKIP LOCKED)
	DELETE FROM grantor_records r USING found
		WHERE r.family = found.family AND r.hash = found.hash AND r.keep_until <> 0 AND r.keep_until <= due;
	GET DIAGNOSTICS deleted = ROW_COUNT;
	room := room - deleted;
	IF room = 0 THEN RETURN max_rows; END IF;

	-- The lock keeps exchanges out, which would add records.
	families := ARRAY (SELECT id FROM grantor_families WHERE keep_until <= due
		ORDER BY keep_until LIMIT room FOR UPDATE SKIP LOCKED);
	WITH found AS (
		SELECT family, hash FROM grantor_records
			WHERE family = ANY (families) LIMIT room FOR UPDATE SKIP LOCKED)
	DELETE FROM grantor_records r USING found WHERE r.family = found.family AND r.hash = found.hash;
	GET DIAGNOSTICS deleted = ROW_COUNT;
	room := room - deleted;

	DELETE FROM grantor_families f
		WHERE f.id IN (SELECT id FROM unnest(families) AS of_these (id)
				WHERE NOT EXISTS (SELECT FROM grantor_records r WHERE r.family = of_these.id)
				LIMIT room)
			AND f.keep_until <= due;
	GET DIAGNOSTICS deleted = ROW_COUNT;
	RETURN max_rows - room + deleted;
END $$;
