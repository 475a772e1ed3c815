"""Rows of a delivery before validation: by row, by column, and how a reader's items are parsed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from gateway.creditfile.field_problems import FieldProblem

Columns = Mapping[str, Sequence[Any]]
"""Values by member, one per row."""
Row = Mapping[str, Any] | FieldProblem
"""A parsed row, or why it could not be parsed."""

_MOST_MEMBERS: Final = 200


def columns_of_rows(rows: Iterable[Row]) -> Columns | None:
    """Columns of parsed rows; `None` if one could not be parsed or has too many members."""
    read: list[Mapping[str, Any]] = []
    for each in rows:
        if isinstance(each, FieldProblem) or len(each) > _MOST_MEMBERS:
            return None
        read.append(each)
    members = dict.fromkeys(chain.from_iterable(read))
    if len(members) > _MOST_MEMBERS:
        return None
    return {name: [each.get(name) for each in read] for name in members}


@dataclass(frozen=True, slots=True, kw_only=True)
class RowParser:
    """Parses items of a reader into rows, and many at once into columns (or `None`)."""

    read: Callable[[Any], Row]
    columns: Callable[[Sequence[Any]], Columns | None]
    is_passed_over: Callable[[Any], bool] | None = None
    """Test for items that are no rows of an enterprise; None where there are none."""

    def passes_over(self, item: Any) -> bool:
        """True if nothing of this item may be kept or reported."""
        return self.is_passed_over is not None and self.is_passed_over(item)


IDENTITY_PARSER: Final = RowParser(read=lambda row: row, columns=columns_of_rows)
"""For items that are rows already."""


def iterate_rows(columns: Columns, count: int) -> Iterable[dict[str, Any]]:
    """Rows from columns, without omitted values."""
    names = tuple(columns)
    if not names:
        return ({} for _ in range(count))
    rows = zip(*columns.values(), strict=True)
    if all(map(is_full, columns.values())):
        return (dict(zip(names, each, strict=True)) for each in rows)
    return (
        {name: value for name, value in zip(names, each, strict=True) if value is not None}
        for each in rows
    )


def is_full(values: Sequence[Any]) -> bool:
    """True if no value of a column is omitted."""
    return all(values) or not any(each is None for each in values)
