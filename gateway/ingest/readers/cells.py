"""Parser of rows of text cells, as CSV files and workbooks have them."""

import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from operator import itemgetter
from typing import Any, Final

from gateway.creditfile.catalogue.column_names import NOT_KEPT, SUBJECT_KIND
from gateway.creditfile.field_problems import WHOLE_ROW, FieldProblem, ProblemCode
from gateway.ingest.readers.header import Header, HeaderReader
from gateway.ingest.rows import Columns, Row, RowParser

BLANKS: Final = " \t\r\n\xa0\u3000"


def has_text(cells: Sequence[str]) -> bool:
    """True if a row has more than separators and blanks."""
    return bool(cells) and (bool(cells[0].strip()) or bool("".join(cells).strip(BLANKS)))


def number_text(number: float) -> str | None:
    """A floating-point number in its shortest decimal form; None for not a number (NaN)."""
    if math.isnan(number):
        return None
    if math.isinf(number):
        return str(number)
    return f"{Decimal(repr(number)):f}".removesuffix(".0")


def cells_parser(header: Header, reader: HeaderReader) -> RowParser:
    """The parser of rows below this header."""
    width = len(header.columns)
    places = [i for i, column in enumerate(header.columns) if column not in NOT_KEPT]
    columns = [header.columns[place] for place in places]
    kept = _all if len(places) == width else _picker(places)
    from_text = tuple(reader.cell_parsers(columns).items())

    def read(cells: list[str] | FieldProblem) -> Row:
        fitted = _fit(cells, width)
        if isinstance(fitted, FieldProblem):
            return fitted
        row: dict[str, Any] = dict(zip(columns, kept(fitted), strict=True))
        for name, read_text in from_text:
            if row[name]:
                row[name] = read_text(row[name])
        return row

    def read_columns(items: Sequence[list[str] | FieldProblem]) -> Columns | None:
        try:
            given: Sequence[Sequence[str]] = list(zip(*items, strict=True))
            if len(given) > width and not any(map(has_text, given[width:])):
                given = given[:width]
            by_name: dict[str, Sequence[Any]] = dict(zip(columns, kept(given), strict=True))
        except (TypeError, ValueError, IndexError):
            return None
        for name, read_text in from_text:
            known = {text: read_text(text) if text else text for text in set(by_name[name])}
            by_name[name] = [known[text] for text in by_name[name]]
        return by_name

    return RowParser(read=read, columns=read_columns, is_passed_over=_filter(header, reader))


def _fit(cells: list[str] | FieldProblem, width: int) -> list[str] | FieldProblem:
    """Cells as many as the header's; blank ones beyond are left out."""
    if isinstance(cells, FieldProblem) or len(cells) == width:
        return cells
    if len(cells) < width or has_text(cells[width:]):
        return FieldProblem(
            field=WHOLE_ROW, code=ProblemCode.NUMBER_OF_CELLS, numbers=(len(cells), width)
        )
    return cells[:width]


def _filter(header: Header, reader: HeaderReader) -> Callable[[Any], bool] | None:
    """Test for rows that are passed over, where a column says so."""
    if SUBJECT_KIND not in header.columns:
        return None
    place = header.columns.index(SUBJECT_KIND)

    def is_passed_over(cells: list[str] | FieldProblem) -> bool:
        if isinstance(cells, FieldProblem) or place >= len(cells):
            return False
        return reader.is_passed_over(cells[place])

    return is_passed_over


def _all(cells: Sequence[Any]) -> Sequence[Any]:
    return cells


def _picker(places: Sequence[int]) -> Callable[[Sequence[Any]], Sequence[Any]]:
    if len(places) == 1:
        (place,) = places
        return lambda cells: (cells[place],)
    return itemgetter(*places)
