"""Rows of an Excel workbook: those of one sheet below its header, typed cells as texts.

Rows are counted as in every format: from 1, without titles, header and empty rows.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from gateway.creditfile.catalogue.column_names import NOT_KEPT, SUBJECT_KIND
from gateway.creditfile.field_problems import WHOLE_ROW, FieldProblem, ProblemCode
from gateway.ingest.readers.header import HeaderReader
from gateway.ingest.readers.row_reader import RowReader
from gateway.ingest.readers.workbook.blank_cells import is_blank
from gateway.ingest.readers.workbook.cell_text import converter
from gateway.ingest.readers.workbook.merged_cells import MergedCells
from gateway.ingest.readers.workbook.sheet_choice import (
    ChosenSheet,
    choose_sheet,
    first_column,
    numbered_rows,
)
from gateway.ingest.readers.workbook.unfit_cells import UnfitCell
from gateway.ingest.readers.workbook.workbook_file import WorkbookFile
from gateway.ingest.rows import Columns, Row, RowParser


def read_workbook(source: WorkbookFile, header: HeaderReader, sheet: str | None) -> RowReader:
    """The rows of the sheet of this name, or of the only one whose header is known."""
    chosen = choose_sheet(source, header, sheet)
    parser = _TypedRows(chosen, header, first_column(source.sheet(chosen.name)))
    return RowReader(source, _rows(source, chosen), parser.row_parser(), chosen.header)


def _rows(book: WorkbookFile, chosen: ChosenSheet) -> Iterator[list[Any]]:
    """The rows below the header that are not blank, with the cells that are unfit."""
    sheet, unfit = book.sheet(chosen.name), book.scan(chosen.name).unfit
    column = first_column(sheet)
    merged = MergedCells(sheet.merged_cell_ranges or [], chosen.row)
    height = sheet.total_height + 1  # calamine gives the last row, from 0
    for number, cells in numbered_rows(sheet):
        marks = unfit.get(number, {})
        for place, each in marks.items():
            if column <= place < column + len(cells):
                cells[place - column] = each
        if number <= chosen.row or is_blank(cells):
            continue
        merged.mark(number, cells, column)
        book.read_to((number + 1) / height, cells)
        yield cells


class _TypedRows:
    """Parser of rows of typed cells, which begin with the sheet's first used column."""

    def __init__(self, chosen: ChosenSheet, reader: HeaderReader, begin: int) -> None:
        columns = dict(zip(chosen.header.columns, chosen.places, strict=True))
        fields = reader.dataset.field_by_name
        self._columns = [
            (name, place - begin, converter(fields.get(name)))
            for name, place in columns.items()
            if name not in NOT_KEPT
        ]
        self._from_text = reader.cell_parsers([name for name, _, _ in self._columns])
        self._named = frozenset(each - begin for each in chosen.places)
        self._begin = begin
        self._may_have_others = reader.ignores_unknown
        self._kind = columns[SUBJECT_KIND] - begin if SUBJECT_KIND in columns else None
        self._reader = reader

    def row_parser(self) -> RowParser:
        """The parser as readers have it."""
        is_passed_over = None if self._kind is None else self.is_passed_over
        return RowParser(read=self.read, columns=self.columns, is_passed_over=is_passed_over)

    def read(self, cells: list[Any]) -> Row:
        """One row; a value in a column without a name is a problem."""
        if (other := self._other(cells)) is not None:
            code = ProblemCode.COLUMN_WITHOUT_NAME
            return FieldProblem(field=WHOLE_ROW, code=code, numbers=(other + 1,))
        row: dict[str, Any] = {}
        for name, place, convert in self._columns:
            value, parse = convert(cells[place]), self._from_text.get(name)
            row[name] = parse(value) if value and parse and type(value) is str else value
        return row

    def columns(self, items: Sequence[list[Any]]) -> Columns | None:
        """Many rows by column; None if one has a problem."""
        given = list(zip(*items, strict=True))
        if any(not is_blank(given[place]) for place in self._unnamed(len(given))):
            return None
        found: dict[str, Sequence[Any]] = {}
        for name, place, convert in self._columns:
            values: Sequence[Any] = given[place]
            if set(map(type, values)) != {str}:
                values = list(map(convert, values))
                if UnfitCell in set(map(type, values)):
                    return None
            if parse := self._from_text.get(name):
                known = {text: parse(text) if text else text for text in set(values)}
                values = [known[text] for text in values]
            found[name] = values
        return found

    def is_passed_over(self, cells: list[Any]) -> bool:
        """True if the row is one of a natural person."""
        kind = cells[self._kind] if self._kind is not None else ""
        return type(kind) is str and self._reader.is_passed_over(kind)

    def _other(self, cells: list[Any]) -> int | None:
        """The first column without a name that has a value, from 0."""
        others = (each for each in self._unnamed(len(cells)) if not is_blank((cells[each],)))
        found = next(others, None)
        return None if found is None else found + self._begin

    def _unnamed(self, width: int) -> Sequence[int]:
        if self._may_have_others:
            return ()
        return [each for each in range(width) if each not in self._named]
