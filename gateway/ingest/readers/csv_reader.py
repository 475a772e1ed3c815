"""Rows of a CSV file (RFC 4180), or one with tabs, semicolons or bars in place of commas.

Skipping rows does not parse their lines where that is possible.
"""

import csv
import io
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, islice
from typing import Any, Final

from gateway.creditfile.field_problems import WHOLE_ROW, FieldProblem, ProblemCode
from gateway.ingest.readers.cells import BLANKS, cells_parser, has_text
from gateway.ingest.readers.decompression import (
    MAX_LINE_BYTES,
    DecompressedFile,
    FileRefused,
    OversizedLine,
)
from gateway.ingest.readers.header import HEADER_ROWS, HeaderReader
from gateway.ingest.readers.row_reader import RowReader
from gateway.ingest.readers.text_encoding import (
    DeclaredEncoding,
    TextBlocks,
    decode_block,
    oversized_row,
)

_QUOTE: Final = '"'
_ENDS: Final = "\r\n"
SEPARATORS: Final = (",", "\t", ";", "|")
_EMPTY_LINE: Final = {
    each: re.compile(rf"\n[ \t\xa0\u3000{re.escape(each)}]*(?:\n|(?<!\n)\Z)") for each in SEPARATORS
}
"""Matches a line without text; it begins with a literal, for which a search is fast."""


NO_HEADER: Final = ("The file has no header that can be read.", "文件没有可识别的表头。")


def read_csv(
    source: DecompressedFile, header: HeaderReader, encoding: DeclaredEncoding
) -> RowReader:
    """The rows of a delimited text file with a header; the header shows its separator."""
    csv.field_size_limit(MAX_LINE_BYTES)
    return _CsvRows(source, header, encoding)


class _CsvRows(RowReader):
    """Row reader over CSV cells; empty lines and those of separators alone are ignored."""

    def __init__(
        self, source: DecompressedFile, header: HeaderReader, encoding: DeclaredEncoding
    ) -> None:
        self._rows = 0
        self._passed = 0
        """Skipped lines that `csv` has not read."""
        self._line = 0
        """Line number on which the last row ended."""
        self._block = io.StringIO()
        blocks = self._blocks(source, encoding)
        first = next(blocks, self._block)
        separator, titles = _layout(first.getvalue(), header)
        self._blanks = BLANKS + separator
        self._empty_line = _EMPTY_LINE[separator]
        self._lines = chain.from_iterable(chain((first,), blocks))
        self._reader = csv.reader(self._lines, delimiter=separator, strict=True)
        found = header.read(self._header(titles))
        super().__init__(source, iter(()), cells_parser(found, header), found)

    def _header(self, titles: int) -> list[str]:
        """The first row with text after so many titles; it is not counted."""
        try:
            for cells in islice(filter(has_text, self._reader), titles, None):
                self._line = self._reader.line_num
                return cells
        except csv.Error:
            pass
        raise FileRefused(*NO_HEADER)

    def _take(self, taken: list[Any], most: int) -> None:
        while len(taken) < most:
            try:
                for cells in self._reader:
                    if has_text(cells):
                        self._rows += 1
                        self._line = self._reader.line_num + self._passed
                        taken.append(cells)
                        if len(taken) == most or self._is_large():
                            return
            except csv.Error:
                self._rows += 1
                taken.append(self._misquoted())
            else:
                return

    def pass_over(self, count: int) -> int:
        """Skip rows, see `RowReader`. A line without a quotation mark is one row and is not parsed."""
        begun = self._rows
        while (left := begun + count - self._rows) > 0:
            position, line = self._block.tell(), self._block.readline()
            if not line:
                position, line = 0, next(self._lines, "")
                if not line:
                    break
                if self._pass_over_block(left):
                    continue
            cells = line.rstrip(_ENDS)
            if _QUOTE not in cells and "\r" not in cells:
                self._pass(lines=1, rows=1 if cells.strip(self._blanks) else 0)
                continue
            self._block.seek(position)
            if not self.take(1):
                break
        return self._rows - begun

    def _pass_over_block(self, most: int) -> bool:
        """Skip the current block if each of its lines is a row, and at most `most` rows."""
        text = self._block.getvalue()
        rows = text.count("\n") + (not text.endswith("\n"))
        if rows > most or _QUOTE in text or "\r" in text or not self._has_only_rows(text):
            return False
        self._block.seek(len(text))
        self._pass(lines=rows, rows=rows)
        return True

    def _has_only_rows(self, text: str) -> bool:
        """True if each line of a block without quotes has text."""
        first, _, _ = text.partition("\n")
        return bool(first.strip(self._blanks)) and not self._empty_line.search(text)

    def _pass(self, *, lines: int, rows: int) -> None:
        self._passed += lines
        self._rows += rows
        if rows:
            self._line = self._reader.line_num + self._passed

    def _misquoted(self) -> FieldProblem:
        """Problem of a row with an unclosed quotation, with its line numbers."""
        first, self._line = self._line + 1, self._reader.line_num + self._passed
        return FieldProblem(
            field=WHOLE_ROW, code=ProblemCode.QUOTATION_MARKS, numbers=(first, self._line)
        )

    def _blocks(
        self, source: DecompressedFile, encoding: DeclaredEncoding
    ) -> Iterator[io.StringIO]:
        blocks = TextBlocks(source, encoding)
        for block in blocks:
            if isinstance(block, OversizedLine):
                raise oversized_row(self._rows + 1)
            self._block = io.StringIO(decode_block(block, blocks.encoding), newline="\n")
            yield self._block


def _layout(text: str, header: HeaderReader) -> tuple[str, int]:
    """The separator with which a first row names the USCC, and the rows before that one."""
    for separator in SEPARATORS:
        rows: list[list[str]] = []
        lines = io.StringIO(text, newline="\n")
        with suppress(csv.Error):
            reader = csv.reader(lines, delimiter=separator, strict=True)
            rows.extend(islice(filter(has_text, reader), HEADER_ROWS))
        titles = header.find(rows)
        if titles is not None:
            return separator, titles
    return SEPARATORS[0], 0
