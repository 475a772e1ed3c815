"""The rules that let a statement run where tables are distributed by USCC (docs/operate/scale.md).

A statement is checked by its text, as PostgreSQL parses it. Rule 1, of the tables themselves, is checked
on the schema.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

import pgparse

from gateway.db.distribution import DISTRIBUTED, LOCAL
from tests.sql_rules.sql_levels import Kind, Level, Parameter, levels_of, nodes, term_of

ALONE: Final = 2
BOUND: Final = 3
ONE_CHANGE: Final = 4
IMMUTABLE: Final = 5
SHAPES: Final = 6


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    """A rule that a statement breaks, and where."""

    rule: int
    why: str


def violations(sql: str, *, is_hot: bool = False, nulls: Collection[int] = ()) -> list[Violation]:
    """Rules that a statement breaks; `is_hot` asks for one shard, `nulls` are parameters that are NULL."""
    levels = levels_of(sql)
    if not any(_has_distributed(each) for each in levels):
        return []
    found = [*_alone(levels), *_locks_bound(levels), *_one_change(levels)]
    found += [*_immutable(levels), *_shapes(levels), *_nulls(levels, frozenset(nulls))]
    if is_hot:
        found += _bound(levels)
    return sorted(set(found))


def function_violations(definition: str) -> list[Violation]:
    """Rules that the statements of a plpgsql function break; its parameters are named `p_…`."""
    queries = [each["query"] for each in nodes(pgparse.parse_pgsql(definition), "PLpgSQL_expr")]
    return [
        each
        for query in queries
        if query.lstrip().upper().startswith(("SELECT", "INSERT", "UPDATE", "DELETE"))
        for each in violations(query, is_hot=True, nulls={0})
    ]


def _has_distributed(level: Level) -> bool:
    return any(name in DISTRIBUTED for name in level.tables)


def _alone(levels: list[Level]) -> Iterator[Violation]:
    """Rule 2: no distributed and local table together."""
    named = {name for each in levels for name in each.tables}
    if named & LOCAL:
        yield Violation(ALONE, f"{sorted(named & DISTRIBUTED)} with {sorted(named & LOCAL)}")


def _bound(levels: list[Level]) -> Iterator[Violation]:
    """Rule 3: each distributed table is asked for one USCC."""
    for level in levels:
        bound = level.bound()
        if level.type == "InsertStmt":
            continue
        for name, kind in level.relations.items():
            if kind is Kind.DISTRIBUTED and name not in bound:
                yield Violation(BOUND, f"{name} for more than one USCC")


def _locks_bound(levels: list[Level]) -> Iterator[Violation]:
    """Rule 3: each row lock is of one USCC."""
    locking = [each for each in levels if each.node.get("lockingClause")]
    for each in _bound(locking):
        yield Violation(BOUND, f"lock: {each.why}")


def _one_change(levels: list[Level]) -> Iterator[Violation]:
    """Rule 4: one change of distributed tables."""
    changed = [each.target for each in levels if each.target in DISTRIBUTED]
    if len(changed) > 1:
        yield Violation(ONE_CHANGE, f"changes {changed}")


def _immutable(levels: list[Level]) -> Iterator[Violation]:
    """Rule 5: ON CONFLICT depends on nothing but the rows and parameters."""
    for level in levels:
        clause = level.node.get("onConflictClause", {})
        if level.target not in DISTRIBUTED or not clause:
            continue
        said = [clause.get("whereClause"), clause.get("targetList")]
        calls = [*nodes(said, "FuncCall"), *nodes(said, "SQLValueFunction")]
        casts = [
            each["typeName"]["names"][-1]["String"]["sval"] for each in nodes(said, "TypeCast")
        ]
        if calls or "interval" in casts:
            yield Violation(IMMUTABLE, f"ON CONFLICT of {level.target} calls what may change")


def _shapes(levels: list[Level]) -> Iterator[Violation]:
    """Rule 6: shapes that the planner of distributed queries refuses."""
    inserts = any(each.type == "InsertStmt" for each in levels)
    for level in levels:
        locks, limit = level.node.get("lockingClause"), level.node.get("limitCount")
        if level.is_lateral and (locks or limit) and _has_distributed(level):
            yield Violation(SHAPES, f"LATERAL with LIMIT or a lock over {level.tables}")
        if locks and inserts and level.has_function:
            yield Violation(SHAPES, "a lock on a join with a function, beside an INSERT")
        if _lists_nothing(level):
            yield Violation(SHAPES, f"an empty select list over {level.tables}")
        if level.is_condition:
            yield from _correlated(level)


def _lists_nothing(level: Level) -> bool:
    node = level.node
    return level.type == "SelectStmt" and not node.get("targetList") and "valuesLists" not in node


def _correlated(level: Level) -> Iterator[Violation]:
    """A sub-select whose distributed table follows the USCC of something that is not distributed."""
    for pair in level.equalities:
        columns = [term for term in pair if not isinstance(term, Parameter)]
        if len(columns) != len(pair) or any(term.column != "uscc" for term in columns):
            continue
        places = [level.find(term) for term in columns]
        if any(place is None for place in places):
            continue
        kinds = {place[0].relations[place[1]]: place[0] is level for place in places if place}
        if kinds.get(Kind.DISTRIBUTED) and kinds.get(Kind.OTHER) is False:
            yield Violation(SHAPES, f"a sub-select ties {level.tables} to what is not distributed")


def _nulls(levels: list[Level], null: frozenset[int]) -> Iterator[Violation]:
    """Rule 6: an UPDATE compares no parameter that may be NULL by `=`."""
    for level in levels:
        if level.type != "UpdateStmt" or level.target not in DISTRIBUTED:
            continue
        for each in nodes(level.node.get("whereClause"), "A_Expr"):
            terms = [
                term_of(each[side])
                for side in ("lexpr", "rexpr")
                if isinstance(each.get(side), dict)
            ]
            if each["name"][-1]["String"]["sval"] == "=" and any(
                isinstance(term, Parameter) and term.number in null for term in terms
            ):
                yield Violation(SHAPES, "an UPDATE compares a parameter that may be NULL by =")
