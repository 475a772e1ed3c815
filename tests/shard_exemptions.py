"""Statements that may break a rule of distributed tables, by a part of their text, each with its reason."""

from dataclasses import dataclass
from typing import Final

from tests.shard_rules import ALONE, BOUND, SHAPES, Violation


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """A statement, the rules that it may break, and why."""

    part: str
    rules: frozenset[int]
    reason: str
    is_of_sqlalchemy: bool = False
    """Built where it runs, so that no module holds its text."""


EXEMPTIONS: Final = (
    Exemption(
        part="CROSS JOIN LATERAL (\nSELECT * FROM enterprise AS r",
        rules=frozenset({BOUND, SHAPES}),
        reason="keeps superseded rows on one PostgreSQL; a cluster runs keep_superseded_distributed",
    ),
    Exemption(
        part="CROSS JOIN LATERAL (\nSELECT * FROM record AS r",
        rules=frozenset({BOUND, SHAPES}),
        reason="the same for records",
    ),
    Exemption(
        part="CROSS JOIN LATERAL (SELECT * FROM enterprise AS r",
        rules=frozenset({SHAPES}),
        reason="looks up staged rows on one PostgreSQL; a cluster runs classify_distributed",
    ),
    Exemption(
        part="CROSS JOIN LATERAL (SELECT * FROM record AS r",
        rules=frozenset({SHAPES}),
        reason="the same for records",
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
