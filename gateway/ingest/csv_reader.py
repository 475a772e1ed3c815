"""Rows of a CSV file (RFC 4180): most lines that are passed over are never taken apart."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Final

from gateway.creditfile.catalogue_schema import DatasetOf
from gateway.creditfile.record_mapping import FieldProblem
from gateway.ingest.decompression import MOST_LINE, DecompressedFile, FileRefused, TooLong
from gateway.ingest.header import columns_of_file, readers_of_text
from gateway.ingest.row_reader import RowReader
from gateway.ingest.text_encoding import Encoding, checked_blocks, decoded, too_long
from gateway.ingest.validate_columns import Columns, Form, Row

_QUOTE: Final = '"'
_ENDS: Final = "\r\n"
_NOT_PLAIN: Final = re.compile(r'["\r]|\A\n|\n\n')
"""Marks a block in which a line may be no row, or no whole row."""


def rows_of_csv(source: DecompressedFile, dataset: DatasetOf, encoding: Encoding) -> RowReader:
    """The rows of a file with a header."""
    csv.field_size_limit(MOST_LINE)
    return _CsvRows(source, dataset, encoding)


def _form(columns: tuple[str, ...], dataset: DatasetOf) -> Form:
    width, from_text = len(columns), tuple(readers_of_text(columns, dataset).items())

    def read(cells: list[str] | FieldProblem) -> Row:
        if isinstance(cells, FieldProblem):
            return cells
        if len(cells) != width:
            return FieldProblem(field="?", reason=f"{len(cells)} cells in place of {width}")
        row: dict[str, Any] = dict(zip(columns, cells, strict=True))
        for name, read_text in from_text:
            if row[name]:
                row[name] = read_text(row[name])
        return row

    def read_columns(some: Sequence[list[str] | FieldProblem]) -> Columns | None:
        try:
            cells = zip(*some, strict=True)
            of: dict[str, Sequence[Any]] = dict(zip(columns, cells, strict=True))
        except (TypeError, ValueError):
            return None
        for name, read_text in from_text:
            known = {text: read_text(text) if text else text for text in set(of[name])}
            of[name] = [known[text] for text in of[name]]
        return of

    return Form(read=read, columns=read_columns)


class _CsvRows(RowReader):
    """The cells of each row, without empty lines."""

    def __init__(self, source: DecompressedFile, dataset: DatasetOf, encoding: Encoding) -> None:
        self._block = io.StringIO()
        self._lines = chain.from_iterable(self._blocks(source, encoding))
        self._reader = csv.reader(self._lines, strict=True)
        self._rows = 0
        self._passed = 0
        """Lines that `csv` has not seen."""
        self._line = 0
        """In which the last row ended."""
        super().__init__(source, iter(()), _form(columns_of_file(self._header(), dataset), dataset))

    def _header(self) -> list[str]:
        """The first row, which counts as none."""
        try:
            for cells in self._reader:
                if cells:
                    self._line = self._reader.line_num
                    return cells
        except csv.Error:
            pass
        raise FileRefused("The file has no header that can be read.")

    def _take(self, taken: list[Any], most: int) -> None:
        while len(taken) < most:
            try:
                for cells in self._reader:
                    if cells:
                        self._rows += 1
                        self._line = self._reader.line_num + self._passed
                        taken.append(cells)
                        if len(taken) == most or self._is_much():
                            return
            except csv.Error:
                self._rows += 1
                taken.append(FieldProblem(field="?", reason=self._misquoted()))
            else:
                return

    def pass_over(self, count: int) -> int:
        """See `RowReader`. Without a quotation mark, a line is a row, and is not taken apart."""
        begun = self._rows
        while (left := begun + count - self._rows) > 0:
            at, line = self._block.tell(), self._block.readline()
            if not line:
                at, line = 0, next(self._lines, "")
                if not line:
                    break
                if self._pass_over_block(left):
                    continue
            if _QUOTE not in line:
                self._pass(lines=1, rows=1 if line.strip(_ENDS) else 0)
                continue
            self._block.seek(at)
            if not self.take(1):
                break
        return self._rows - begun

    def _pass_over_block(self, most: int) -> bool:
        """Pass over the block that has begun, if every line in it is a row, and they are no more
        than so many."""
        text = self._block.getvalue()
        rows = text.count("\n") + (not text.endswith("\n"))
        if rows > most or _NOT_PLAIN.search(text):
            return False
        self._block.seek(len(text))
        self._pass(lines=rows, rows=rows)
        return True

    def _pass(self, *, lines: int, rows: int) -> None:
        self._passed += lines
        self._rows += rows
        if rows:
            self._line = self._reader.line_num + self._passed

    def _misquoted(self) -> str:
        """A quotation that is not closed swallows lines: it is said which."""
        first, self._line = self._line + 1, self._reader.line_num + self._passed
        return f"quotation marks that do not fit, in the lines {first} to {self._line}"

    def _blocks(self, source: DecompressedFile, encoding: Encoding) -> Iterator[io.StringIO]:
        for block in checked_blocks(source, encoding):
            if isinstance(block, TooLong):
                raise too_long(self._rows + 1)
            self._block = io.StringIO(decoded(block, encoding), newline="\n")
            yield self._block
