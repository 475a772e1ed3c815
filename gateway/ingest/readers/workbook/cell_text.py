"""Conversion of typed cells of a workbook (dates, numbers, booleans) to the texts of a CSV file."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from gateway.creditfile.catalogue.field_definition import FieldDefinition
from gateway.ingest.readers.workbook.unfit_cells import UnfitCell

FIRST_INEXACT: Final = 10**15
"""Excel keeps 15 digits of a number; in longer ones, such as codes, digits have been lost."""
_TEXT_TYPES: Final = frozenset({"text", "free_text", "texts", "indicators"})

Convert = Callable[[Any], Any]
"""Converts a cell to its text, or to an `UnfitCell`."""


def converter(field: FieldDefinition | None) -> Convert:
    """The conversion of the cells of a field's column; None: of a member that is no field."""
    if field is None or field.type in _TEXT_TYPES:
        return text_of
    return month_of if field.type == "month" else plain_text


def text_of(cell: Any) -> Any:
    """The text of a cell in a column of texts, such as numbers of documents."""
    if isinstance(cell, date | time | timedelta):
        return UnfitCell.STORED_AS_DATE
    return plain_text(cell)


def month_of(cell: Any) -> Any:
    """The text of a cell in a column of months: that of a date on the first of one is its month."""
    text = plain_text(cell)
    is_month = isinstance(cell, date) and text.endswith("-01")
    return text.removesuffix("-01") if is_month else text


def plain_text(cell: Any) -> Any:
    """The text of a cell: dates in ISO 8601, numbers in the fewest digits."""
    if type(cell) is bool:
        return "true" if cell else "false"
    if isinstance(cell, int | float):
        return number_text(cell)
    if isinstance(cell, datetime):
        return cell.isoformat().removesuffix("T00:00:00")
    if isinstance(cell, date | time | timedelta):
        return str(cell)
    return cell


def number_text(number: float) -> str | UnfitCell:
    """A number in the 15 digits that Excel keeps and shows."""
    if abs(number) >= FIRST_INEXACT:
        return UnfitCell.STORED_AS_NUMBER
    text = f"{Decimal(f'{number:.15g}'):f}"
    return "0" if text == "-0" else text
