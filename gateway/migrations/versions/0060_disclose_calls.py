"""`xinqiao_disclose_calls`: the set form of `xinqiao_disclose`, which takes its calls as one JSON array.

As `xinqiao_disclose_set` does, which takes an array for each parameter and stays for workers of before:
the calls go in the order of their USCC, each undone by itself if it fails; it waits for a lock for
2 ms, and returns the calls that were written.
"""

from typing import Final

from alembic import op

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None

_PARAMETERS: Final = {
    "uscc": "text",
    "disclosure_id": "text",
    "client_id": "text",
    "kind": "text",
    "outcome": "text",
    "reason": "text",
    "purpose": "text",
    "consent_id": "text",
    "agreement_version": "integer",
    "asked": "jsonb",
    "relied_on": "jsonb",
    "items": "jsonb",
    "result_digest": "bytea",
    "leaf_hash": "bytea",
    "salt": "bytea",
    "now": "timestamptz",
    "consent_version": "integer",
    "held_version": "integer",
    "key": "text",
    "request_digest": "bytea",
    "answer": "text",
    "replaceable_before": "timestamptz",
    "probes": "jsonb",
}
_COLUMNS: Final = ", ".join(f"{name} {kind}" for name, kind in _PARAMETERS.items())
_VALUES: Final = ", ".join(f"call.{name}" for name in _PARAMETERS)
_DISCLOSE_CALLS: Final = f"""
CREATE FUNCTION xinqiao_disclose_calls(p_calls json)
RETURNS TABLE (place integer, result integer) LANGUAGE plpgsql AS $$
DECLARE
    call record;
BEGIN
    PERFORM set_config('lock_timeout', '2', true);
    FOR call IN
        SELECT * FROM ROWS FROM (
            json_to_recordset(p_calls) AS ({_COLUMNS})
        ) WITH ORDINALITY AS c({", ".join(_PARAMETERS)}, place)
        ORDER BY c.uscc, c.client_id
    LOOP
        BEGIN
            result := xinqiao_disclose({_VALUES});
            place := call.place;
            RETURN NEXT;
        EXCEPTION WHEN OTHERS THEN
            NULL;
        END;
    END LOOP;
END $$"""  # noqa: S608  # constants only


def upgrade() -> None:
    """Make the function."""
    op.execute(_DISCLOSE_CALLS)


def downgrade() -> None:
    """Take it back."""
    op.execute("DROP FUNCTION xinqiao_disclose_calls(json)")
