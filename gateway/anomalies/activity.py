"""Activity of a client in one day: counts and sketches that name no enterprise."""

import hashlib
import heapq
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from string import ascii_lowercase, digits
from typing import Any, Final, NamedTuple, Self

from sqlalchemy import RowMapping

from gateway.anomalies.distinct import DistinctCounter
from verification import QUESTIONS
from verification.uscc import ALPHABET

FINE: Final = 12
"""Precision of the sketches of a whole day: 4 KB, 1.6 %."""
COARSE: Final = 8
"""Precision of the sketch of one area: 256 bytes, 6.5 %."""
CELL: Final = 8
"""So many consecutive codes of an area lie in one cell."""
MOST_AREAS: Final = 4_000
"""Areas that a row holds, those with the most codes: made-up codes have as many areas as calls."""
AREA: Final = slice(0, 8)
"""The characters of a code that name department, class and division."""
_NUMBER: Final = slice(8, 16)
_AS_DIGITS: Final = str.maketrans(ALPHABET, (digits + ascii_lowercase)[: len(ALPHABET)])
"""The characters of a code as `int` reads digits."""
ASSERTED: Final = frozenset(each.tag for each in QUESTIONS if each.value in {"text", "elements"})
"""Questions on a text that the client asserts."""


class AskedOnce(NamedTuple):
    """One logged call about one enterprise."""

    client_id: str
    uscc: str
    day: date
    items: Sequence[Mapping[str, Any]] = ()
    """As `disclosure.items` stores them."""
    has_spent_budget: bool = False
    """True if the client has used up a probe budget of the enterprise within a day."""


@dataclass(slots=True, kw_only=True)
class Activity:
    """Counts and sketches of one client and day (in Beijing)."""

    calls: int = 0
    yes: int = 0
    no: int = 0
    codes: DistinctCounter = field(default_factory=lambda: DistinctCounter(FINE))
    cells: DistinctCounter = field(default_factory=lambda: DistinctCounter(FINE))
    spent: DistinctCounter = field(default_factory=lambda: DistinctCounter(FINE))
    areas: dict[str, DistinctCounter] = field(default_factory=dict)

    def add(self, asked: AskedOnce, key: bytes) -> None:
        """Count a call; items of sketches are digests under `key`."""
        self.calls += 1
        self.note(asked.uscc, key)
        if asked.has_spent_budget:
            self.spent.add(_digest(asked.uscc, key))
        answers = [each.get("answer") for each in asked.items if each["code"] in ASSERTED]
        self.yes += answers.count("yes")
        self.no += answers.count("no")

    def note(self, uscc: str, key: bytes) -> None:
        """Count an enterprise that the client has named; again, it changes nothing."""
        code = _digest(uscc, key)
        self.codes.add(code)
        self.cells.add(_digest(cell_of(uscc), key))
        self.areas.setdefault(uscc[AREA], DistinctCounter(COARSE)).add(code)

    def to_row(self) -> dict[str, Any]:
        """The columns of `client_activity` that it fills."""
        fullest = heapq.nlargest(MOST_AREAS, self.areas.items(), key=lambda area: area[1].filled)
        areas = {name: b64encode(each.to_bytes()).decode() for name, each in fullest}
        return {
            "calls": self.calls,
            "yes": self.yes,
            "no": self.no,
            "codes": self.codes.to_bytes(),
            "cells": self.cells.to_bytes(),
            "spent": self.spent.to_bytes(),
            "areas": areas,
        }

    @classmethod
    def from_row(cls, row: RowMapping) -> Self:
        """The activity in a row of `client_activity`."""
        return cls(
            calls=row["calls"],
            yes=row["yes"],
            no=row["no"],
            codes=DistinctCounter(FINE, row["codes"]),
            cells=DistinctCounter(FINE, row["cells"]),
            spent=DistinctCounter(FINE, row["spent"]),
            areas={
                name: DistinctCounter(COARSE, b64decode(text))
                for name, text in row["areas"].items()
            },
        )


def cell_of(uscc: str) -> str:
    """The cell of a code: its area, and its organisation number divided by `CELL`."""
    number = int(uscc[_NUMBER].translate(_AS_DIGITS), len(ALPHABET))
    return f"{uscc[AREA]} {number // CELL}"


def _digest(text: str, key: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), key=key, digest_size=8).digest(), "big")
