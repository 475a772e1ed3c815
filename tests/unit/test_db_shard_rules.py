"""Rules of distributed tables: each sees a statement that breaks it; the gateway's statements keep them."""

import pytest

from tests.sql_rules.gateway_statements import statements
from tests.sql_rules.shard_exemptions import EXEMPTIONS, is_exempt
from tests.sql_rules.shard_rules import (
    ALONE,
    BOUND,
    IMMUTABLE,
    ONE_CHANGE,
    SHAPES,
    function_violations,
    violations,
)

BAD = {
    "a local table beside a distributed one": (
        ALONE,
        "SELECT d.client_id FROM disclosure d JOIN log_entry e ON e.uscc = d.uscc WHERE d.uscc = $1",
    ),
    "a local table in a sub-select": (
        ALONE,
        "SELECT (SELECT state FROM client WHERE client_id = $2) FROM consent WHERE uscc = $1",
    ),
    "a lock of several enterprises": (
        BOUND,
        "SELECT notice_id FROM notice WHERE due_at <= $1 LIMIT 1 FOR UPDATE SKIP LOCKED",
    ),
    "two changes": (
        ONE_CHANGE,
        """WITH kept AS (INSERT INTO consent_leaf (uscc, leaf_id) VALUES ($1, $2))
           INSERT INTO pending_leaf (uscc, disclosure_id) VALUES ($1, $2)""",
    ),
    "a moment that is not a parameter": (
        IMMUTABLE,
        """INSERT INTO idempotency AS i (uscc, client_id, key, at) VALUES ($1, $2, $3, $4)
           ON CONFLICT (uscc, client_id, key) DO UPDATE SET at = excluded.at
           WHERE i.at < excluded.at - interval '24 hours'""",
    ),
    "the clock": (
        IMMUTABLE,
        """INSERT INTO idempotency AS i (uscc, client_id, key, at) VALUES ($1, $2, $3, $4)
           ON CONFLICT (uscc, client_id, key) DO UPDATE SET at = now()""",
    ),
    "LATERAL with LIMIT": (
        SHAPES,
        """SELECT s.row, r.version FROM staged_record s CROSS JOIN LATERAL (
           SELECT version FROM record r WHERE r.uscc = s.uscc LIMIT 1) AS r""",
    ),
    "a sub-select tied to a function": (
        SHAPES,
        """SELECT c.uscc FROM unnest($1::text[]) AS c(uscc)
           WHERE EXISTS (SELECT 1 FROM notice_place p WHERE p.uscc = c.uscc)""",
    ),
    "a sub-select tied to a temporary table": (
        SHAPES,
        """SELECT m.row FROM held_record m
           WHERE EXISTS (SELECT 1 FROM tombstone t WHERE t.uscc = m.uscc)""",
    ),
    "a lock on a join with a function, beside an INSERT": (
        SHAPES,
        """WITH held AS (SELECT 1 AS one FROM record r, jsonb_array_elements($2) AS told(one)
                          WHERE r.uscc = $1 AND r.record_id = told.one ->> 0 FOR SHARE OF r)
           INSERT INTO disclosure (uscc, disclosure_id) SELECT $1, $3 FROM held""",
    ),
    "an empty select list": (
        SHAPES,
        "SELECT uscc FROM enterprise e WHERE EXISTS (SELECT FROM record r WHERE r.uscc = e.uscc)",
    ),
}
GOOD = {
    "one enterprise, locked": """SELECT 1 FROM consent c JOIN delegation d ON d.uscc = c.uscc
        WHERE c.uscc = CAST($1 AS text) FOR SHARE""",
    "a plain join with a temporary table": """SELECT s.row FROM staged_record s
        JOIN record r ON r.uscc = s.uscc AND r.natural_key = s.natural_key""",
    "a common table of the same name as a local one": """WITH client AS (SELECT $2 AS id)
        SELECT c.uses FROM consent c, client WHERE c.uscc = $1 AND c.client_id = client.id""",
    "a sub-select tied to another distributed table": """SELECT s.uscc FROM consent s
        WHERE EXISTS (SELECT 1 FROM notice_place p WHERE p.uscc = s.uscc)""",
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_statement_breaks_its_rule(name: str) -> None:
    """One rule is enough, and it is the right one."""
    rule, sql = BAD[name]
    assert rule in {each.rule for each in violations(sql)}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_statement_breaks_none(name: str) -> None:
    """What is near to a rule, and keeps it."""
    assert violations(GOOD[name]) == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT r.fields FROM record r WHERE r.record_id = $1",
        "SELECT 1 FROM record r JOIN enterprise e ON e.name = r.dataset WHERE r.uscc = $1",
        "SELECT r.fields FROM record r WHERE r.uscc = ANY(CAST($1 AS text[]))",
        "SELECT r.fields FROM record r WHERE r.uscc = $1 OR r.dataset = $2",
    ],
)
def test_a_hot_statement_must_name_one_enterprise(sql: str) -> None:
    """For each table, and in every case."""
    assert violations(sql) == []
    assert [each.rule for each in violations(sql, is_hot=True)] == [BOUND]


def test_a_parameter_that_is_null_is_not_compared_in_an_update() -> None:
    """It depends on the value; a default in its place is right."""
    sql = "UPDATE consent SET uses = uses + 1 WHERE uscc = $1 AND consent_id = $2"
    assert violations(sql, nulls={2}) != []
    assert violations(sql, nulls=()) == []
    assert violations(sql.replace("$2", "coalesce($2, '')"), nulls={2}) == []


def test_a_functions_statements_are_checked_one_by_one() -> None:
    """Its parameters are those of the call."""
    definition = """CREATE FUNCTION f(p_uscc text, p_id text) RETURNS void LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM 1 FROM record WHERE record_id = p_id FOR SHARE;
            UPDATE consent SET uses = uses + 1 WHERE uscc = p_uscc;
        END $$"""
    found = function_violations(definition)
    assert {each.rule for each in found} == {BOUND}
    assert function_violations(definition.replace("WHERE record_id", "WHERE uscc")) == []


def test_the_statements_of_the_modules_keep_the_rules() -> None:
    """Each is parsed; what is exempt is named, with a reason."""
    found = {
        name: kept
        for name, each in statements().items()
        if (kept := [v for v in violations(each.positional) if not is_exempt(each.sql, v)])
    }
    assert found == {}


def test_every_exemption_is_needed_and_explained() -> None:
    """One for a statement that is gone, or keeps the rules now, is removed."""
    for each in EXEMPTIONS:
        assert each.reason
        broken = {
            violation.rule
            for statement in statements().values()
            if each.part in statement.sql
            for violation in violations(statement.positional)
        }
        assert each.rules <= broken or each.is_of_sqlalchemy, each
