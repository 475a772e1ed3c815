"""Scan of the XML parts of an .xlsx (ECMA-376 part 1, 18.3): what calamine would need to read a sheet.

Each part is streamed through expat once, without document types. The scan also finds the cells of
which calamine tells nothing: errors, and formulas that were never calculated.
"""

import re
from array import array
from typing import Final

from gateway.ingest.readers.workbook.extent import Extent, SheetScan
from gateway.ingest.readers.workbook.limits import (
    MAX_CELLS,
    MAX_COLUMNS,
    MAX_MERGED,
    MAX_ROWS,
    MAX_WRITTEN,
    damaged,
    too_large,
    too_many_merged,
    too_many_written,
)
from gateway.ingest.readers.workbook.part_scan import PartHandler, byte_length, local_name
from gateway.ingest.readers.workbook.unfit_cells import UnfitCell

_REFERENCE: Final = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})", re.ASCII)
_ROW: Final = re.compile(r"[1-9]\d{0,6}", re.ASCII)
_DIGITS: Final = "0123456789"
_INDEX: Final = re.compile(r"[0-9]{1,8}")
_INDEX_DIGITS: Final = 8
_PLAIN_TYPES: Final = frozenset({None, "n", "s", "b", "e"})
"""Types of cells whose value calamine takes from the first piece of text, as it stands in the file."""
_LETTERS: Final = 26


class SharedStrings(PartHandler):
    """Lengths of the shared strings, in bytes of UTF-8."""

    root = "sst"

    def __init__(self) -> None:
        self.lengths = array("Q")
        self._extent = Extent()
        self._is_open = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """A string begins; its runs are texts within it."""
        del attributes
        if local_name(name) == "si":
            if self._is_open:
                raise damaged()
            self._is_open = True
            self.lengths.append(0)
            if len(self.lengths) > MAX_CELLS:
                raise too_large()

    def characters(self, text: str) -> None:
        """Text of the string."""
        length = byte_length(text)
        self._extent.add_text(length)
        if self.lengths:
            self.lengths[-1] += length

    def close(self, name: str) -> None:
        """A string may end."""
        if local_name(name) == "si":
            self._is_open = False


class Worksheet(PartHandler):
    """Cells of one sheet, placed as calamine does; those without a value do not widen its extent.

    `written` counts cells and rows, and goes on from the sheets before.
    """

    root = "worksheet"

    def __init__(self, strings: SharedStrings, written: int) -> None:
        self.scan = SheetScan()
        self.written = written
        self._lengths = strings.lengths
        self._columns: dict[str, int] = {}
        self._row = self._cell_row = self._column = -1
        self._type: str | None = None
        self._value = ""
        self._length = self._values = self._merged = self._before = self._begin_byte = 0
        self._has_formula = self._is_value = self._is_plain = self._is_open = False
        self._has_data = self._is_data = self._is_row = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """A row, a cell or a part of a cell begins. Values have no elements within them."""
        local = name if ":" not in name else local_name(name)
        if self._is_value:
            raise damaged()
        if not self._is_data:
            self._start_outside(local)
        elif local in {"v", "t"}:
            self._is_value = True
            self._values += 1
            self._before = self._length
            self._is_plain = local == "v" and self._type in _PLAIN_TYPES
            if self._is_plain:
                self._begin_byte = self.parser.CurrentByteIndex + len(f"<{name}>")
        elif local == "c":
            self._begin(attributes)
        elif local == "row":
            self._begin_row(attributes.get("r"))
        elif local == "f":
            self._has_formula = True
        else:
            self._start_outside(local)

    def characters(self, text: str) -> None:
        """Text of the cell's value."""
        if self._is_value and self._is_open:
            self._length += byte_length(text)
            if len(self._value) < _INDEX_DIGITS:
                self._value += text

    def close(self, name: str) -> None:
        """A value, a cell, a row or all of them end."""
        if self._is_value:
            self._is_value = False
            length = self._length - self._before
            if (
                length
                and self._is_plain
                and length != self.parser.CurrentByteIndex - self._begin_byte
            ):
                raise damaged()
            return
        local = name if ":" not in name else local_name(name)
        if local == "c":
            self._finish()
        elif local == "row":
            self._is_row = False
        elif local == "sheetData":
            self._is_data = False

    def _start_outside(self, local: str) -> None:
        """An element begins that is no part of a row."""
        if local == "mergeCell":
            self._merged += 1
            if self._merged > MAX_MERGED:
                raise too_many_merged()
        elif local == "sheetData":
            if self._has_data:
                raise damaged()
            self._has_data = self._is_data = True

    def _begin_row(self, given: str | None) -> None:
        if self._is_row or (given is not None and not _ROW.fullmatch(given)):
            raise damaged()
        self._is_row = True
        self._row = self._row + 1 if given is None else int(given) - 1
        self._column = -1
        self._count()

    def _begin(self, attributes: dict[str, str]) -> None:
        if self._is_open or not self._is_row:
            raise damaged()
        self._is_open, self._has_formula, self._value = True, False, ""
        self._length = self._values = 0
        self._type = attributes.get("t")
        given = attributes.get("r")
        if given is None:
            self._cell_row = self._row
            self._column += 1
        else:
            self._cell_row, self._column = self._place(given)
        if not (0 <= self._cell_row < MAX_ROWS and self._column < MAX_COLUMNS):
            raise damaged()
        self._count()

    def _count(self) -> None:
        self.written += 1
        if self.written > MAX_WRITTEN:
            raise too_many_written()

    def _place(self, reference: str) -> tuple[int, int]:
        letters = reference.rstrip(_DIGITS)
        column = self._columns.get(letters)
        if column is None:
            if not _REFERENCE.fullmatch(reference):
                raise damaged()
            column = self._columns[letters] = column_number(letters)
        row = reference[len(letters) :]
        if not _ROW.fullmatch(row):
            raise damaged()
        return int(row) - 1, column

    def _finish(self) -> None:
        """Count the cell that has ended."""
        self._is_open = False
        scan, value = self.scan, self._value.strip()
        if self._has_formula and not value and self._type != "str":
            scan.mark(self._cell_row, self._column, UnfitCell.NOT_CALCULATED)
        if not value and not self._length:
            return
        scan.extent.add(self._cell_row, self._column)
        if self._type == "e":
            scan.mark(self._cell_row, self._column, UnfitCell.ERROR)
        if self._type == "s":
            scan.extent.add_text(self._lengths[self._index()])
        elif self._type is not None:
            scan.extent.add_text(self._length)

    def _index(self) -> int:
        """Index of the cell's shared string."""
        is_index = _INDEX.fullmatch(self._value) and self._length == len(self._value)
        if not is_index or self._values != 1:
            raise damaged()
        return int(self._value)


def column_number(letters: str) -> int:
    """Number of a column, from 0."""
    number = 0
    for letter in letters:
        number = _LETTERS * number + ord(letter) - ord("A") + 1
    return number - 1
