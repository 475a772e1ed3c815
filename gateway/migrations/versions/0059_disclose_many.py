"""The write of hundreds of answers as one function: all of them, or none.

`xinqiao_disclose_set` undoes each call by itself, at the price of a subtransaction. For calls that seldom
fail this one writes each table once, and returns the uses left of each. It is for a database where the tables are not distributed.
"""

from alembic import op

revision = "0059"
down_revision = "0058"
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
_TYPES = ", ".join(f"{kind}[]" for _, kind in PARAMETERS)

# Rows are found by their keys, whatever the planner expects of arrays. No page of a query is written here.
DISCLOSE_MANY = f"""
CREATE FUNCTION xinqiao_disclose_many({", ".join(f"p_{name} {kind}[]" for name, kind in PARAMETERS)})
RETURNS integer[] LANGUAGE plpgsql
SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    call record;
    spent record;
    lefts integer[] := array_fill(NULL::integer, ARRAY[cardinality(p_uscc)]);
    met integer;
    expected integer;
BEGIN
    PERFORM set_config('lock_timeout', '2', true);
    PERFORM xinqiao_abort_unless(array_remove(p_held_version, NULL) = '{{}}');

    FOR call IN
        SELECT * FROM unnest(p_uscc, p_consent_id, p_client_id, p_consent_version, p_now)
            WITH ORDINALITY AS c(uscc, consent_id, client_id, version, now, place)
         WHERE c.version IS NOT NULL ORDER BY c.uscc
    LOOP
        SELECT s.max_uses - s.uses AS left_over INTO spent
          FROM xinqiao_spend_use(
              call.uscc, call.consent_id, call.client_id, call.version, call.now) AS s;
        GET DIAGNOSTICS met = ROW_COUNT;
        PERFORM xinqiao_abort_unless(met = 1);
        lefts[call.place] := spent.left_over;
    END LOOP;

    INSERT INTO idempotency (uscc, client_id, key, request_digest, answer, uses_left, at)
    SELECT c.uscc, c.client_id, c.key, c.request_digest, c.answer, lefts[c.place], c.now
      FROM unnest(p_uscc, p_client_id, p_key, p_request_digest, p_answer, p_now)
          WITH ORDINALITY AS c(uscc, client_id, key, request_digest, answer, now, place)
     WHERE c.key IS NOT NULL ORDER BY c.uscc
    ON CONFLICT (uscc, client_id, key) DO UPDATE
       SET request_digest = excluded.request_digest, answer = excluded.answer,
           uses_left = excluded.uses_left, at = excluded.at
     WHERE idempotency.at < p_replaceable_before[1];
    GET DIAGNOSTICS met = ROW_COUNT;
    PERFORM xinqiao_abort_unless(met = cardinality(array_remove(p_key, NULL)));

    INSERT INTO probe (uscc, client_id, question, asked, revision)
    SELECT c.uscc, c.client_id, p.question, p.asked, p.revision + 1
      FROM unnest(p_uscc, p_client_id, p_probes) AS c(uscc, client_id, probes)
           CROSS JOIN LATERAL jsonb_to_recordset(c.probes)
               AS p(question text, asked jsonb, revision integer)
     ORDER BY c.uscc, p.question
    ON CONFLICT (uscc, client_id, question) DO UPDATE
       SET asked = excluded.asked, revision = excluded.revision
     WHERE probe.revision = excluded.revision - 1;
    GET DIAGNOSTICS met = ROW_COUNT;
    PERFORM xinqiao_abort_unless(
        met = (SELECT coalesce(sum(jsonb_array_length(c.probes)), 0) FROM unnest(p_probes) AS c(probes)));

    PERFORM 1
      FROM unnest(p_uscc, p_relied_on) AS c(uscc, relied_on)
           CROSS JOIN LATERAL jsonb_array_elements(c.relied_on) AS told(one)
           JOIN record AS r ON r.uscc = c.uscc AND r.record_id = told.one ->> 0
                           AND r.version = (told.one ->> 1)::integer
     ORDER BY r.uscc, r.record_id
       FOR SHARE OF r;
    GET DIAGNOSTICS met = ROW_COUNT;
    SELECT coalesce(sum(jsonb_array_length(c.relied_on)), 0) - met INTO expected
      FROM unnest(p_relied_on) AS c(relied_on);
    PERFORM 1
      FROM unnest(p_uscc, p_relied_on) AS c(uscc, relied_on)
           JOIN enterprise AS e ON e.uscc = c.uscc
     WHERE c.relied_on @> jsonb_build_array(jsonb_build_array(e.registration_id, e.version))
     ORDER BY e.uscc
       FOR SHARE OF e;
    GET DIAGNOSTICS met = ROW_COUNT;
    PERFORM xinqiao_abort_unless(met = expected);

    INSERT INTO disclosure (
        uscc, disclosure_id, client_id, kind, outcome, reason, purpose, consent_id,
        agreement_version, asked, relied_on, items, result_digest, leaf_hash, at)
    SELECT * FROM unnest(
        p_uscc, p_disclosure_id, p_client_id, p_kind, p_outcome, p_reason, p_purpose, p_consent_id,
        p_agreement_version, p_asked, p_relied_on, p_items, p_result_digest, p_leaf_hash, p_now);
    INSERT INTO disclosure_salt (uscc, disclosure_id, salt)
    SELECT * FROM unnest(p_uscc, p_disclosure_id, p_salt);
    INSERT INTO pending_leaf (uscc, disclosure_id, leaf_hash, at)
    SELECT * FROM unnest(p_uscc, p_disclosure_id, p_leaf_hash, p_now);
    RETURN lefts;
END $$"""  # noqa: S608  # constants only


def upgrade() -> None:
    """Make the function."""
    op.execute(DISCLOSE_MANY)


def downgrade() -> None:
    """Take it back."""
    op.execute(f"DROP FUNCTION xinqiao_disclose_many({_TYPES})")
