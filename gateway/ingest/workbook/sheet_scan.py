"""Scan of the XML parts of an .xlsx (ECMA-376 part 1, 18.3): what calamine would need to read a sheet.

Each part is streamed through expat once, without document types. The scan also finds the cells of
which calamine tells nothing: errors, and formulas that were never calculated.
"""

import re
from array import array
from collections.abc import Iterable
from typing import Final
from xml.parsers import expat

from gateway.ingest.decompression import FileRefused
from gateway.ingest.workbook.extent import Extent, SheetScan
from gateway.ingest.workbook.limits import (
    MAX_CELLS,
    MAX_COLUMNS,
    MAX_MERGED,
    MAX_ROWS,
    MAX_TOKEN_BYTES,
    damaged,
    too_large,
    too_many_merged,
)
from gateway.ingest.workbook.unfit_cells import UnfitCell

_REFERENCE: Final = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})", re.ASCII)
_ROW: Final = re.compile(r"[1-9]\d{0,6}", re.ASCII)
_DIGITS: Final = "0123456789"
_INDEX_DIGITS: Final = 8
_LETTERS: Final = 26


def scan_xml(pieces: Iterable[bytes], handler: "PartHandler") -> bool:
    """Parse one XML part; false if its root is not the handler's, which then sees nothing of it.

    Raises `FileRefused` for what is not well-formed or has a document type.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    is_handled: list[bool] = []

    def root(name: str, attributes: dict[str, str]) -> None:
        is_handled.append(local_name(name) == handler.root)
        parser.StartElementHandler = None
        if is_handled[0]:
            parser.StartElementHandler = handler.start
            parser.CharacterDataHandler = handler.characters
            handler.start(name, attributes)

    parser.StartElementHandler = root
    parser.StartDoctypeDeclHandler = _refuse_document_type
    fed = 0
    try:
        for piece in pieces:
            parser.Parse(piece, False)  # noqa: FBT003  # expat's own signature
            fed += len(piece)
            if fed - parser.CurrentByteIndex > MAX_TOKEN_BYTES:
                raise damaged()
        parser.Parse(b"", True)  # noqa: FBT003
        handler.end()
    except (expat.ExpatError, ValueError, LookupError):
        raise damaged() from None
    return is_handled[0]


class PartHandler:
    """Handler of the elements of one kind of part; names may have a prefix."""

    root = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def characters(self, text: str) -> None:
        """Text behind the start of the element that began last."""

    def end(self) -> None:
        """The part has ended."""


class SharedStrings(PartHandler):
    """Lengths of the shared strings, in bytes of UTF-8."""

    root = "sst"

    def __init__(self) -> None:
        self.lengths = array("Q")
        self._extent = Extent()

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """A string begins; its runs are texts within it."""
        del attributes
        if local_name(name) == "si":
            self.lengths.append(0)
            if len(self.lengths) > MAX_CELLS:
                raise too_large()

    def characters(self, text: str) -> None:
        """Text of the string."""
        length = byte_length(text)
        self._extent.add_text(length)
        if self.lengths:
            self.lengths[-1] += length


class Worksheet(PartHandler):
    """Cells of one sheet, in the order of the part; those without a value are not counted."""

    root = "worksheet"

    def __init__(self, strings: SharedStrings) -> None:
        self.scan = SheetScan()
        self._lengths = strings.lengths
        self._columns: dict[str, int] = {}
        self._row = self._column = -1
        self._type: str | None = None
        self._value = ""
        self._length = self._merged = 0
        self._has_formula = self._is_value = self._is_open = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """A row, a cell or a part of a cell begins; the cell before has ended."""
        local = name if ":" not in name else local_name(name)
        self._is_value = local in {"v", "t"}
        if local == "c":
            self._finish()
            self._begin(attributes)
        elif local == "row":
            self._finish()
            given = attributes.get("r")
            if given is not None and not _ROW.fullmatch(given):
                raise damaged()
            self._row = self._row + 1 if given is None else int(given) - 1
            self._column = -1
        elif local == "f":
            self._has_formula = True
        elif local == "mergeCell":
            self._merged += 1
            if self._merged > MAX_MERGED:
                raise too_many_merged()

    def characters(self, text: str) -> None:
        """Text of the cell's value."""
        if self._is_value and self._is_open:
            self._length += byte_length(text)
            if len(self._value) < _INDEX_DIGITS:
                self._value += text

    def end(self) -> None:
        """The last cell has ended."""
        self._finish()

    def _begin(self, attributes: dict[str, str]) -> None:
        self._is_open, self._has_formula, self._value, self._length = True, False, "", 0
        self._type = attributes.get("t")
        given = attributes.get("r")
        if given is None:
            self._column += 1
        else:
            self._row, self._column = self._place(given)
        if not (0 <= self._row < MAX_ROWS and self._column < MAX_COLUMNS):
            raise damaged()

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
        if not self._is_open:
            return
        self._is_open = False
        scan, value = self.scan, self._value.strip()
        if self._has_formula and not value and self._type != "str":
            scan.mark(self._row, self._column, UnfitCell.NOT_CALCULATED)
        if not value and not self._length:
            return
        scan.extent.add(self._row, self._column)
        if self._type == "e":
            scan.mark(self._row, self._column, UnfitCell.ERROR)
        if self._type == "s":
            scan.extent.add_text(self._lengths[int(value)])
        elif self._type is not None:
            scan.extent.add_text(self._length)


def byte_length(text: str) -> int:
    """The length of a text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


def local_name(name: str) -> str:
    """The name of an element without its prefix."""
    return name.rpartition(":")[2]


def column_number(letters: str) -> int:
    """Number of a column, from 0."""
    number = 0
    for letter in letters:
        number = _LETTERS * number + ord(letter) - ord("A") + 1
    return number - 1


def _refuse_document_type(*_: object) -> None:
    raise FileRefused(
        "A part of the workbook has a document type (DTD), which none has: save it anew in Excel or WPS.",
        "工作簿中含有文档类型声明（DTD），正常工作簿没有：请用 Excel 或 WPS 重新保存。",
    )
