-- grantor_purge deletes at most max_rows records and families that are due and
-- returns how many it was.
--
-- It passes over what another transaction has locked and so waits for nobody: no
-- deadlock can hold it, and what is extended at the same moment stays. The lock
-- looks at the row as it is then, not as the statement first saw it, and what is
-- locked cannot be extended any more. Each DELETE repeats the condition all the
-- same. A family is deleted only when it is empty, so that a batch stays a batch
-- however many records the family has.
CREATE FUNCTION grantor_purge(due bigint, max_rows bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	room bigint := max_rows;
	deleted bigint;
	families text[];
BEGIN
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
