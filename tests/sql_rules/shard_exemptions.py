"""Statements that may break a rule of distributed tables, by a part of their text, each with its reason."""

from dataclasses import dataclass
from typing import Final

from tests.sql_rules.shard_rules import ALONE, BOUND, SHAPES, Violation


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """A statement, the rules that it may break, and why."""

    part: str
    rules: frozenset[int]
    reason: str
    is_of_sqlalchemy: bool = False
    """Built where it runs, so that no module holds its text."""


EXEMPTIONS: Final = (
    *(
        Exemption(
            part=f"CROSS JOIN LATERAL (\nSELECT * FROM {table} AS",
            rules=frozenset({SHAPES}),
            reason="ingest's look-ups on one PostgreSQL; a cluster runs plain joins (`merge_sql`)",
        )
        for table in ("enterprise", "record", "disclosure", "record_history", "notice_place")
    ),
    *(
        Exemption(
            part=f"AS r WHERE r.uscc = m.uscc AND r.{key} = m.held_id\n   FOR UPDATE",
            rules=frozenset({BOUND}),
            reason="ingest's lock on one PostgreSQL; a cluster locks by an update",
        )
        for key in ("registration_id", "record_id")
    ),
    Exemption(
        part="FROM enterprise_code_locator AS l JOIN enterprise_code AS c USING (uscc, code_id)",
        rules=frozenset({ALONE}),
        reason="a code's first scan on one PostgreSQL; a cluster locates it first (`codes.store`)",
    ),
    Exemption(
        part="AS name, count(*) AS rows",
        rules=frozenset({ALONE}),
        reason="a test's own: the rows of all tables in one snapshot",
        is_of_sqlalchemy=True,
    ),
)


def is_exempt(sql: str, violation: Violation) -> bool:
    """True where a statement may break the rule."""
    return any(each.part in sql and violation.rule in each.rules for each in EXEMPTIONS)
