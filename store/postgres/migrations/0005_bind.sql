-- grantor_exchange as 0002_exchange.sql explains it, and one thing more: a family
-- without a subject gets the one that the change names, with the session.
--
--   binding against revoke      a revocation by the new subject or session that looks
--                               before the commit sees a family that is not meant, and
--                               passes it over; one that looks after it revokes it
CREATE OR REPLACE FUNCTION grantor_exchange(
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
	known_subject text;
	known_version bigint;
BEGIN
	SELECT revoked_at, keep_until, subject INTO known_revoked_at, known_keep_until, known_subject
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
	ELSE
		IF in_keep_until > known_keep_until THEN
			UPDATE grantor_families SET keep_until = in_keep_until WHERE id = in_family;
		END IF;
		IF known_subject = '' AND in_subject <> '' THEN
			UPDATE grantor_families SET subject = in_subject, session = in_session WHERE id = in_family;
		END IF;
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
