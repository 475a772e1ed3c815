"""The write of an answer as functions: `xinqiao_disclose` for one call, `xinqiao_disclose_set` for a set.

A function with `uscc` first is pushed to its shard where the tables are distributed. The set is for a
database where they are not: its calls go in the order of their USCC, each undone by itself if it
fails; it waits for a lock for 2 ms, so that one locked row does not hold up the others, and returns
the calls that were written.
"""

from alembic import op

revision = "0054"
down_revision = "0052"
branch_labels = None
depends_on = None

PARAMETERS = (
    ("uscc", "text"),
    ("disclosure_id", "text"),
    ("client_id", "text"),
    ("kind", "text"),
    ("outcome", "text"),
    ("reason", "text"),
    ("purpose", "text"),
    ("consent_id", "text"),
    ("agreement_version", "integer"),
    ("asked", "jsonb"),
    ("relied_on", "jsonb"),
    ("items", "jsonb"),
    ("result_digest", "bytea"),
    ("leaf_hash", "bytea"),
    ("salt", "bytea"),
    ("now", "timestamptz"),
    ("consent_version", "integer"),
    ("held_version", "integer"),
    ("key", "text"),
    ("request_digest", "bytea"),
    ("answer", "text"),
    ("replaceable_before", "timestamptz"),
    ("probes", "jsonb"),
)
_TYPES = ", ".join(kind for _, kind in PARAMETERS)
_SET_TYPES = ", ".join(f"{kind}[]" for _, kind in PARAMETERS)

SPEND_USE = """
CREATE FUNCTION xinqiao_spend_use(
    p_uscc text, p_consent_id text, p_client_id text, p_version integer, p_now timestamptz)
RETURNS TABLE (consent_id text, uses integer, max_uses integer, valid_until timestamptz)
LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
    UPDATE consent AS c SET uses = c.uses + 1
     WHERE c.uscc = p_uscc AND c.consent_id = p_consent_id AND c.client_id = p_client_id
       AND c.version = p_version AND c.status = 'active' AND c.valid_until > p_now
       AND (c.max_uses IS NULL OR c.uses < c.max_uses)
    RETURNING c.consent_id, c.uses, c.max_uses, c.valid_until;
END $$"""

DISCLOSE = f"""
CREATE FUNCTION xinqiao_disclose({", ".join(f"p_{name} {kind}" for name, kind in PARAMETERS)})
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    left_over integer;
    met integer;
    expected integer;
BEGIN
    SELECT spent.max_uses - spent.uses INTO left_over
      FROM xinqiao_spend_use(p_uscc, p_consent_id, p_client_id, p_consent_version, p_now) AS spent;
    GET DIAGNOSTICS met = ROW_COUNT;
    PERFORM xinqiao_abort_unless(met = (p_consent_version IS NOT NULL)::integer);

    PERFORM 1 FROM consent
      WHERE uscc = p_uscc AND consent_id = p_consent_id AND version = p_held_version
        AND status = 'active' AND valid_until > p_now
      FOR SHARE;
    GET DIAGNOSTICS met = ROW_COUNT;
    PERFORM xinqiao_abort_unless(met = (p_held_version IS NOT NULL)::integer);

    INSERT INTO idempotency (uscc, client_id, key, request_digest, answer, uses_left, at)
    SELECT p_uscc, p_client_id, p_key, p_request_digest, p_answer, left_over, p_now
     WHERE p_key IS NOT NULL
    ON CONFLICT (uscc, client_id, key) DO UPDATE
       SET request_digest = excluded.request_digest, answer = excluded.answer,
           uses_left = excluded.uses_left, at = excluded.at
     WHERE idempotency.at < p_replaceable_before;
    GET DIAGNOSTICS met = ROW_COUNT;
    PERFORM xinqiao_abort_unless(met = (p_key IS NOT NULL)::integer);

    INSERT INTO probe (uscc, client_id, question, asked, revision)
    SELECT p_uscc, p_client_id, p.question, p.asked, p.revision + 1
      FROM jsonb_to_recordset(p_probes) AS p(question text, asked jsonb, revision integer)
     ORDER BY p.question
    ON CONFLICT (uscc, client_id, question) DO UPDATE
       SET asked = excluded.asked, revision = excluded.revision
     WHERE probe.revision = excluded.revision - 1;
    GET DIAGNOSTICS met = ROW_COUNT;
    PERFORM xinqiao_abort_unless(met = jsonb_array_length(p_probes));

    PERFORM 1 FROM record
      WHERE uscc = p_uscc
        AND (record_id, version) IN (
            SELECT told.one ->> 0, (told.one ->> 1)::integer
              FROM jsonb_array_elements(p_relied_on) AS told(one))
      ORDER BY record_id
      FOR SHARE;
    GET DIAGNOSTICS met = ROW_COUNT;
    expected := jsonb_array_length(p_relied_on) - met;
    PERFORM 1 FROM enterprise
      WHERE uscc = p_uscc
        AND p_relied_on @> jsonb_build_array(jsonb_build_array(registration_id, version))
      FOR SHARE;
    GET DIAGNOSTICS met = ROW_COUNT;
    PERFORM xinqiao_abort_unless(met = expected);

    INSERT INTO disclosure (
        uscc, disclosure_id, client_id, kind, outcome, reason, purpose, consent_id,
        agreement_version, asked, relied_on, items, result_digest, leaf_hash, at)
    VALUES (
        p_uscc, p_disclosure_id, p_client_id, p_kind, p_outcome, p_reason, p_purpose, p_consent_id,
        p_agreement_version, p_asked, p_relied_on, p_items, p_result_digest, p_leaf_hash, p_now);
    INSERT INTO disclosure_salt (uscc, disclosure_id, salt)
    VALUES (p_uscc, p_disclosure_id, p_salt);
    INSERT INTO pending_leaf (uscc, disclosure_id, leaf_hash, at)
    VALUES (p_uscc, p_disclosure_id, p_leaf_hash, p_now);
    RETURN left_over;
END $$"""  # noqa: S608  # constants only

DISCLOSE_SET = f"""
CREATE FUNCTION xinqiao_disclose_set({", ".join(f"p_{name} {kind}[]" for name, kind in PARAMETERS)})
RETURNS TABLE (place integer, result integer) LANGUAGE plpgsql AS $$
DECLARE
    call record;
BEGIN
    PERFORM set_config('lock_timeout', '2', true);
    FOR call IN
        SELECT * FROM unnest({", ".join(f"p_{name}" for name, _ in PARAMETERS)})
            WITH ORDINALITY AS c({", ".join(name for name, _ in PARAMETERS)}, place)
        ORDER BY c.uscc, c.client_id
    LOOP
        BEGIN
            result := xinqiao_disclose({", ".join(f"call.{name}" for name, _ in PARAMETERS)});
            place := call.place;
            RETURN NEXT;
        EXCEPTION WHEN OTHERS THEN
            NULL;
        END;
    END LOOP;
END $$"""  # noqa: S608  # constants only


def upgrade() -> None:
    """Make the functions."""
    op.execute(SPEND_USE)
    op.execute(DISCLOSE)
    op.execute(DISCLOSE_SET)


def downgrade() -> None:
    """Take them back."""
    op.execute(f"DROP FUNCTION xinqiao_disclose_set({_SET_TYPES})")
    op.execute(f"DROP FUNCTION xinqiao_disclose({_TYPES})")
    op.execute("DROP FUNCTION xinqiao_spend_use(text, text, text, integer, timestamptz)")
