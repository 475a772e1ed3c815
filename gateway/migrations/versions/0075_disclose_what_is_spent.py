"""`xinqiao_disclose` runs no statement for what a call does not spend, hold or rely on.

A statement that finds nothing costs as much as one that finds a row. What rests on the registration alone
looks at no record.
"""

from alembic import op

revision = "0075"
down_revision = "0074"
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

DISCLOSE = f"""
CREATE OR REPLACE FUNCTION xinqiao_disclose({", ".join(f"p_{name} {kind}" for name, kind in PARAMETERS)})
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    left_over integer;
    unmet integer;
    met integer;
BEGIN
    IF p_consent_version IS NOT NULL THEN
        SELECT spent.max_uses - spent.uses INTO left_over
          FROM xinqiao_spend_use(p_uscc, p_consent_id, p_client_id, p_consent_version, p_now) AS spent;
        IF NOT FOUND THEN PERFORM xinqiao_abort_unless(false); END IF;
    END IF;

    IF p_held_version IS NOT NULL THEN
        PERFORM 1 FROM consent
          WHERE uscc = p_uscc AND consent_id = p_consent_id AND version = p_held_version
            AND status = 'active' AND valid_until > p_now
          FOR SHARE;
        IF NOT FOUND THEN PERFORM xinqiao_abort_unless(false); END IF;
    END IF;

    IF p_key IS NOT NULL THEN
        INSERT INTO idempotency (uscc, client_id, key, request_digest, answer, uses_left, at)
        VALUES (p_uscc, p_client_id, p_key, p_request_digest, p_answer, left_over, p_now)
        ON CONFLICT (uscc, client_id, key) DO UPDATE
           SET request_digest = excluded.request_digest, answer = excluded.answer,
               uses_left = excluded.uses_left, at = excluded.at
         WHERE idempotency.at < p_replaceable_before;
        IF NOT FOUND THEN PERFORM xinqiao_abort_unless(false); END IF;
    END IF;

    IF p_probes IS DISTINCT FROM '[]' THEN
        INSERT INTO probe (uscc, client_id, question, asked, revision)
        SELECT p_uscc, p_client_id, p.question, p.asked, p.revision + 1
          FROM jsonb_to_recordset(p_probes) AS p(question text, asked jsonb, revision integer)
         ORDER BY p.question
        ON CONFLICT (uscc, client_id, question) DO UPDATE
           SET asked = excluded.asked, revision = excluded.revision
         WHERE probe.revision = excluded.revision - 1;
        GET DIAGNOSTICS met = ROW_COUNT;
        IF met IS DISTINCT FROM jsonb_array_length(p_probes) THEN PERFORM xinqiao_abort_unless(false); END IF;
    END IF;

    unmet := jsonb_array_length(p_relied_on);
    IF unmet IS NULL THEN PERFORM xinqiao_abort_unless(false); END IF;
    IF unmet > 0 THEN
        PERFORM 1 FROM enterprise
          WHERE uscc = p_uscc
            AND p_relied_on @> jsonb_build_array(jsonb_build_array(registration_id, version))
          FOR SHARE;
        GET DIAGNOSTICS met = ROW_COUNT;
        unmet := unmet - met;
    END IF;
    IF unmet > 0 THEN
        PERFORM 1 FROM record
          WHERE uscc = p_uscc
            AND (record_id, version) IN (
                SELECT told.one ->> 0, (told.one ->> 1)::integer
                  FROM jsonb_array_elements(p_relied_on) AS told(one))
          ORDER BY record_id
          FOR SHARE;
        GET DIAGNOSTICS met = ROW_COUNT;
        IF met <> unmet THEN PERFORM xinqiao_abort_unless(false); END IF;
    END IF;

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


def upgrade() -> None:
    """Replace the function; its parameters, result and rows are the same."""
    op.execute(DISCLOSE)


def downgrade() -> None:
    """It stays: to its callers it is the function of 0054."""
