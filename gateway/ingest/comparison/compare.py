"""What two deliveries of one dataset say of the same facts, and where they disagree: pure.

A pair is two rows with the same USCC and natural key. Rows outside the period are no part of it; a
row without the date of its decision is inside every period.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Final

from gateway.creditfile.working_days import working_days_after

LATE_AFTER: Final = 7
"""Working days from decision to publication, as both publicity systems are asked for."""

Key = tuple[str, str]
"""USCC and natural key."""


class DifferenceKind(StrEnum):
    """What was found."""

    MISSING = "missing"
    DIFFERS = "differs"
    LATE = "late"
    WRONG_END = "wrong_publicity_end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One delivered row that could be read. `personal` are digests, of which only equality counts."""

    uscc: str
    key: str
    fields: Mapping[str, Any]
    personal: Mapping[str, str] = field(default_factory=dict)
    decided_on: date | None = None
    published_on: date | None = None
    wrong_end: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to look at. `side` is the one that is at fault; none where the two only differ."""

    kind: DifferenceKind
    uscc: str
    key: str
    side: str = ""
    field: str = ""
    left: str = ""
    right: str = ""


@dataclass(slots=True, kw_only=True)
class Side:
    """What one delivery is like. `unreadable` and `twice` are no part of `rows`."""

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
    """The counts. `fields` says in how many pairs each field differs."""

    left: Side
    right: Side
    facts: int = 0
    """How many facts either of the two knows."""
    pairs: int = 0
    differing: int = 0
    fields: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """The first and the last day of decisions that are compared."""

    first: date | None = None
    last: date | None = None

    def holds(self, day: date | None) -> bool:
        """Whether a decision of this day is compared."""
        if day is None:
            return True
        begun = self.first is None or self.first <= day
        return begun and (self.last is None or day <= self.last)


def compared(
    left: Mapping[Key, Row], right: Mapping[Key, Row], into: Comparison, *, late_after: int
) -> Iterator[Finding]:
    """Pair what is in both, count into `into`, and give every finding, in the order of the keys."""
    sides = ((into.left, left), (into.right, right))
    for key in sorted({*left, *right}):
        into.facts += 1
        for side, rows in sides:
            yield from _of_one(side, rows.get(key), key, late_after)
        if key in left and key in right:
            into.pairs += 1
            yield from _of_pair(left[key], right[key], into)


def _of_one(side: Side, row: Row | None, key: Key, late_after: int) -> Iterator[Finding]:
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


def _of_pair(left: Row, right: Row, into: Comparison) -> Iterator[Finding]:
    differing = list(_differences(left, right))
    into.differing += bool(differing)
    for name, one, other in differing:
        into.fields[name] += 1
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
