"""Rows of a CSV file (RFC 4180): most lines that are passed over are never taken apart."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any, Final, Self

from gateway.creditfile.intake.columns import Columns, Form, Row
from gateway.creditfile.intake.header import columns_of_file, readers_of_text
from gateway.creditfile.intake.rows import Rows
from gateway.creditfile.intake.texts import Encoding, checked_blocks, decoded, too_long
from gateway.creditfile.intake.unpacking import MOST_LINE, FileRefused, TooLong, Unpacked
from gateway.creditfile.mapping import Problem
from gateway.creditfile.schema import DatasetOf

_QUOTE: Final = '"'
_ENDS: Final = "\r\n"


def rows_of_csv(source: Unpacked, dataset: DatasetOf, encoding: Encoding) -> Rows:
    """The rows of a file with a header."""
    csv.field_size_limit(MOST_LINE)
    cells = _Cells(source, encoding)
    columns = columns_of_file(cells.header(), dataset)
    return Rows(items=cells, form=_form(columns, dataset), skip=cells.pass_over)


def _form(columns: tuple[str, ...], dataset: DatasetOf) -> Form:
    width, from_text = len(columns), tuple(readers_of_text(columns, dataset).items())

    def read(cells: list[str] | Problem) -> Row:
        if isinstance(cells, Problem):
            return cells
        if len(cells) != width:
            return Problem(field="?", reason=f"{len(cells)} cells in place of {width}")
        row: dict[str, Any] = dict(zip(columns, cells, strict=True))
        for name, read_text in from_text:
            if row[name]:
                row[name] = read_text(row[name])
        return row

    def read_columns(some: Sequence[list[str] | Problem]) -> Columns | None:
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


class _Cells:
    """The cells of each row, without empty lines."""

    def __init__(self, source: Unpacked, encoding: Encoding) -> None:
        self._lines = _Lines(self._decoded(source, encoding))
        self._reader = csv.reader(self._lines, strict=True)
        self._rows = 0
        self._last_line = 0

    def header(self) -> list[str]:
        """The first row, which counts as none."""
        try:
            for cells in self._reader:
                if cells:
                    self._last_line = self._lines.number
                    return cells
        except csv.Error:
            pass
        raise FileRefused("The file has no header that can be read.")

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> list[str] | Problem:
        cells: list[str] | Problem = []
        while not cells:
            try:
                cells = next(self._reader)
            except csv.Error:
                cells = Problem(field="?", reason=self._misquoted())
        self._count()
        return cells

    def pass_over(self, count: int) -> int:
        """Pass over so many rows; how many there were. Without a quotation mark, a line is a row."""
        wanted = self._rows + count
        while self._rows < wanted:
            line = next(self._lines, None)
            if line is None:
                break
            if _QUOTE in line:
                self._lines.back(line)
                next(self)
            elif line.strip(_ENDS):
                self._count()
        return count - (wanted - self._rows)

    def _count(self) -> None:
        self._rows += 1
        self._last_line = self._lines.number

    def _misquoted(self) -> str:
        """A quotation that is not closed swallows lines: it is said which."""
        first, last = self._last_line + 1, self._lines.number
        return f"quotation marks that do not fit, in the lines {first} to {last}"

    def _decoded(self, source: Unpacked, encoding: Encoding) -> Iterator[str]:
        for block in checked_blocks(source, encoding):
            if isinstance(block, TooLong):
                raise too_long(self._rows + 1)
            yield from io.StringIO(decoded(block, encoding), newline="\n")


class _Lines:
    """Lines, counted; the last one may be given back."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._back: list[str] = []
        self.number = 0

    def back(self, line: str) -> None:
        """It has not been read."""
        self._back.append(line)
        self.number -= 1

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = self._back.pop() if self._back else next(self._lines)
        self.number += 1
        return line
