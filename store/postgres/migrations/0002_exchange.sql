-- grantor_exchange makes a change of one family and returns the verdict: ok,
-- revoked, conflict or not found. All that is not ok leaves everything as it was,
-- because every look comes before the first write.
--
-- It relies on READ COMMITTED, where each statement of a function sees what was
-- committed before that statement began. So: lock first, then look. Whoever waited
-- for the family's lock sees, in the statements that follow, what the one before
-- it did, and never judges by what it saw before it waited.
--
--   exchange against exchange   one at a time for each family; the second sees the
--                               version that the first wrote: conflict
--   exchange against revoke     Revoke updates the family's row: it waits for the
--                               exchange, and then the family is revoked with what
--                               was issued; or the exchange waits and is told so
--   exchange against purge      purge locks what it deletes and never waits: the
--                               exchange waits and finds the row gone, or purge
--                               passes over what the exchange holds
--
-- No two of them can wait for each other: an exchange locks one family and then its
-- records, which only purge could hold; Revoke locks families in the order of
-- their ids and nothing else; purge waits for nobody.
CREATE FUNCTION grantor_exchange(
	in_family text, in_begin boolean, in_client_id text, in_subject text, in_session text,
	in_created_at bigint, in_revoked_at bigint, in_keep_until bigint,
	spend text, spend_version bigint, spend_expires_at bigint, spend_keep_until bigint, spend_body bytea,
	extend text, extend_expires_at bigint, extend_keep_until bigint,
	issue text[], issue_kind text[], issue_created_at bigint[], issue_expires_at bigint[],
	issue_keep_until bigint[], issue_body bytea[]
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	known_revoked_at bigint;
	known_keep_until bigint;
	known_version bigint;
BEGIN
	SELECT revoked_at, keep_until INTO known_revoked_at, known_keep_until
		FROM grantor_families WHERE id = in_family FOR NO KEY UPDATE;
	IF known_revoked_at <> 0 THEN RETURN 'revoked'; END IF;
	IF known_revoked_at IS NOT NULL AND in_begin THEN RETURN 'conflict'; END IF;
	IF known_revoked_at IS NULL AND NOT in_begin THEN RETURN 'not found'; END IF;

	IF spend IS NOT NULL THEN
		SELECT version INTO known_version
			FROM grantor_records WHERE family = in_family AND hash = spend FOR NO KEY UPDATE;
		IF NOT FOUND THEN RETURN 'not found'; END IF;
	END IF;
	IF extend IS NOT NULL THEN
		PERFORM FROM grantor_records WHERE family = in_family AND hash = extend FOR NO KEY UPDATE;
		IF NOT FOUND THEN RETURN 'not found'; END IF;
	END IF;
	IF known_version <> spend_version THEN RETURN 'conflict'; END IF;
	IF EXISTS (SELECT FROM grantor_records WHERE family = in_family AND hash = ANY (issue)) THEN
		RETURN 'conflict';
	END IF;

	-- From here on there are writes.
	IF in_begin THEN
		INSERT INTO grantor_families
			VALUES (in_family, in_client_id, in_subject, in_session, in_created_at, in_revoked_at, in_keep_until)
			ON CONFLICT DO NOTHING;
		IF NOT FOUND THEN RETURN 'conflict'; END IF; -- begun by another since we looked
	ELSIF in_keep_until > known_keep_until THEN
		UPDATE grantor_families SET keep_until = in_keep_until WHERE id = in_family;
	END IF;
	IF spend IS NOT NULL THEN
		UPDATE grantor_records
			SET expires_at = spend_expires_at, keep_until = spend_keep_until, version = version + 1, body = spend_body
			WHERE family = in_family AND hash = spend;
	END IF;
	IF extend IS NOT NULL THEN
		UPDATE grantor_records SET
				expires_at = greatest(expires_at, extend_expires_at),
				keep_until = CASE keep_until WHEN 0 THEN 0 ELSE greatest(keep_until, extend_keep_until) END
			WHERE family = in_family AND hash = extend;
	END IF;
	INSERT INTO grantor_records (family, hash, kind, created_at, expires_at, keep_until, version, body)
		SELECT in_family, i.hash, i.kind, i.created_at, i.expires_at, i.keep_until, 0, i.body
		FROM unnest(issue, issue_kind, issue_created_at, issue_expires_at, issue_keep_until, issue_body)
			AS i (hash, kind, created_at, expires_at, keep_until, body);
	RETURN 'ok';
END $$;
