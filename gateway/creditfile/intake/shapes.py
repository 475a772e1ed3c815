"""Rows of one file have the same members: what can be seen of many values at once is seen at once.

A shape reads a row whole or not at all; what it does not read is looked at member by member.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final, Self

from gateway.creditfile.intake.readers import MOST_TEXT, Reader, Unfit

MOST_SHAPES: Final = 64
EMPTY: Final[tuple[Any, ...]] = ("", [])
"""What counts as left out, beside `None`."""


class Shape:
    """The members of a row that stand for fields, in their order."""

    def __init__(self, plain: Sequence[str], others: Sequence[tuple[str, Reader]]) -> None:
        self._plain = tuple(plain)
        self._texts: Callable[[Mapping[str, Any]], Sequence[Any]] = itemgetter(*plain)
        self._between = len(plain) - 1
        self._others = tuple(others)

    @classmethod
    def of(
        cls, members: Sequence[str], readers: Mapping[str, Reader], plain: frozenset[str]
    ) -> Self | None:
        """The shape of rows with these members; `None` where it would gain nothing.

        `plain` are the fields that take any text. Members without a reader are not fields.
        """
        texts = [name for name in members if name in plain]
        others = [(n, readers[n]) for n in members if n in readers and n not in plain]
        return cls(texts, others) if len(texts) > 1 else None

    def read(self, row: Mapping[str, Any]) -> dict[str, Any] | None:
        """The filled fields, each in its one form; `None` where the row must be looked at closely."""
        texts = self._texts(row)
        try:
            joined = "\0".join(texts)
            if len(joined) > MOST_TEXT or joined.count("\0") != self._between:
                return None
            fields: dict[str, Any] = dict(zip(self._plain, map(str.strip, texts), strict=True))
            if "" in fields.values():
                fields = {name: text for name, text in fields.items() if text}
            for name, read in self._others:
                given = row[name]
                if not given and (given is None or given in EMPTY):
                    continue
                value = read(given)
                if value != []:
                    fields[name] = value
        except (TypeError, Unfit):
            return None
        return fields
