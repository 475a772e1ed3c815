"""Rows of a CSV file (RFC 4180). Skipping rows does not parse their lines where that is possible."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Final

from gateway.creditfile.catalogue_schema import DatasetDefinition
from gateway.creditfile.record_mapping import FieldProblem
from gateway.ingest.decompression import (
    MAX_LINE_BYTES,
    DecompressedFile,
    FileRefused,
    OversizedLine,
)
from gateway.ingest.header import cell_parsers, columns_of_header
from gateway.ingest.row_reader import RowReader
from gateway.ingest.text_encoding import Encoding, decode_block, oversized_row, read_text_blocks
from gateway.ingest.validate_columns import Columns, Row, RowParser

_QUOTE: Final = '"'
_ENDS: Final = "\r\n"
_NOT_PLAIN: Final = re.compile(r'["\r]|\A\n|\n\n')
"""Matches a block in which lines and rows may differ: quotes, CR, empty lines."""


def read_csv(source: DecompressedFile, dataset: DatasetDefinition, encoding: Encoding) -> RowReader:
    """The rows of a CSV file with a header."""
    csv.field_size_limit(MAX_LINE_BYTES)
    return _CsvRows(source, dataset, encoding)


def _csv_parser(columns: tuple[str, ...], dataset: DatasetDefinition) -> RowParser:
    width, from_text = len(columns), tuple(cell_parsers(columns, dataset).items())

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

    def read_columns(items: Sequence[list[str] | FieldProblem]) -> Columns | None:
        try:
            cells = zip(*items, strict=True)
            by_name: dict[str, Sequence[Any]] = dict(zip(columns, cells, strict=True))
        except (TypeError, ValueError):
            return None
        for name, read_text in from_text:
            known = {text: read_text(text) if text else text for text in set(by_name[name])}
            by_name[name] = [known[text] for text in by_name[name]]
        return by_name

    return RowParser(read=read, columns=read_columns)


class _CsvRows(RowReader):
    """Row reader over CSV cells; empty lines are ignored."""

    def __init__(
        self, source: DecompressedFile, dataset: DatasetDefinition, encoding: Encoding
    ) -> None:
        self._block = io.StringIO()
        self._lines = chain.from_iterable(self._blocks(source, encoding))
        self._reader = csv.reader(self._lines, strict=True)
        self._rows = 0
        self._passed = 0
        """Skipped lines that `csv` has not read."""
        self._line = 0
        """Line number on which the last row ended."""
        super().__init__(
            source, iter(()), _csv_parser(columns_of_header(self._header(), dataset), dataset)
        )

    def _header(self) -> list[str]:
        """The first non-empty row; it is not counted."""
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
                        if len(taken) == most or self._is_large():
                            return
            except csv.Error:
                self._rows += 1
                taken.append(FieldProblem(field="?", reason=self._misquoted()))
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
            if _QUOTE not in line:
                self._pass(lines=1, rows=1 if line.strip(_ENDS) else 0)
                continue
            self._block.seek(position)
            if not self.take(1):
                break
        return self._rows - begun

    def _pass_over_block(self, most: int) -> bool:
        """Skip the current block if each of its lines is a row, and at most `most` rows."""
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
        """Reason for a row with an unclosed quotation, with its line numbers."""
        first, self._line = self._line + 1, self._reader.line_num + self._passed
        return f"quotation marks that do not fit, in the lines {first} to {self._line}"

    def _blocks(self, source: DecompressedFile, encoding: Encoding) -> Iterator[io.StringIO]:
        for block in read_text_blocks(source, encoding):
            if isinstance(block, OversizedLine):
                raise oversized_row(self._rows + 1)
            self._block = io.StringIO(decode_block(block, encoding), newline="\n")
            yield self._block
