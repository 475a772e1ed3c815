"""Comparison of two deliveries row by row: missing, differing, late, wrong end of publicity. Pure.

A pair is two rows with the same USCC and natural key. Rows decided outside the period are ignored;
a row without a decision date is inside every period.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Final

from gateway.creditfile.working_days import working_days_after

LATE_AFTER: Final = 7
"""Maximum working days from decision to publication."""

Key = tuple[str, str]
"""USCC and natural key."""


class DifferenceKind(StrEnum):
    """Kind of finding."""

    MISSING = "missing"
    DIFFERS = "differs"
    LATE = "late"
    WRONG_END = "wrong_publicity_end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One valid delivered row. `personal` are digests, compared for equality only."""

    uscc: str
    key: str
    fields: Mapping[str, Any]
    personal: Mapping[str, str] = field(default_factory=dict)
    decided_on: date | None = None
    published_on: date | None = None
    wrong_end: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding. `side` is the source at fault; empty where the two only differ."""

    kind: DifferenceKind
    uscc: str
    key: str
    side: str = ""
    field: str = ""
    left: str = ""
    right: str = ""


@dataclass(slots=True, kw_only=True)
class Side:
    """Counts of one delivery. `unreadable` and `twice` are not part of `rows`."""

    name: str
    rows: int = 0
    unreadable: int = 0
    twice: int = 0
    missing: int = 0
    late: int = 0
    unknown_publication: int = 0
    wrong_end: int = 0


@dataclass(slots=True, kw_only=True)
class Comparison:
    """Counts of a comparison. `fields` is in how many pairs each field differs."""

    left: Side
    right: Side
    facts: int = 0
    """Distinct keys in either delivery."""
    pairs: int = 0
    differing: int = 0
    fields: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """First and last day of the decisions compared."""

    first: date | None = None
    last: date | None = None

    def holds(self, day: date | None) -> bool:
        """True if a decision of this day is compared."""
        if day is None:
            return True
        begun = self.first is None or self.first <= day
        return begun and (self.last is None or day <= self.last)


def compare_rows(
    left: Mapping[Key, Row], right: Mapping[Key, Row], counts: Comparison, *, late_after: int
) -> Iterator[Finding]:
    """Pair the rows, count into `counts`, and yield every finding in key order."""
    sides = ((counts.left, left), (counts.right, right))
    for key in sorted({*left, *right}):
        counts.facts += 1
        for side, rows in sides:
            yield from _side_findings(side, rows.get(key), key, late_after)
        if key in left and key in right:
            counts.pairs += 1
            yield from _pair_findings(left[key], right[key], counts)


def _side_findings(side: Side, row: Row | None, key: Key, late_after: int) -> Iterator[Finding]:
    uscc, natural_key = key
    if row is None:
        side.missing += 1
        yield Finding(kind=DifferenceKind.MISSING, uscc=uscc, key=natural_key, side=side.name)
        return
    side.rows += 1
    if row.wrong_end:
        side.wrong_end += 1
        yield Finding(kind=DifferenceKind.WRONG_END, uscc=uscc, key=natural_key, side=side.name)
    if row.decided_on is None or row.published_on is None:
        side.unknown_publication += 1
    elif row.published_on > working_days_after(row.decided_on, late_after).day:
        side.late += 1
        yield Finding(kind=DifferenceKind.LATE, uscc=uscc, key=natural_key, side=side.name)


def _pair_findings(left: Row, right: Row, counts: Comparison) -> Iterator[Finding]:
    differing = list(_differences(left, right))
    counts.differing += bool(differing)
    for name, one, other in differing:
        counts.fields[name] += 1
        yield Finding(
            kind=DifferenceKind.DIFFERS,
            uscc=left.uscc,
            key=left.key,
            field=name,
            left=one,
            right=other,
        )


def _differences(left: Row, right: Row) -> Iterable[tuple[str, str, str]]:
    for name in sorted({*left.fields, *right.fields}):
        one, other = left.fields.get(name), right.fields.get(name)
        if one != other:
            yield name, _shown(one), _shown(other)
    for name in sorted({*left.personal, *right.personal}):
        if left.personal.get(name) != right.personal.get(name):
            yield name, _sealed(left.personal.get(name)), _sealed(right.personal.get(name))


def _shown(value: Any) -> str:  # a field's JSON
    if value is None:
        return ""
    if isinstance(value, list):
        return ";".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _sealed(digest: str | None) -> str:
    return "" if digest is None else "(personal)"
