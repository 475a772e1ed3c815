"""Rows of a CSV or NDJSON file, one after the other: what cannot be read is a row with a problem.

Rows are counted from 1, without the header and without empty lines, so that they have the same
numbers whenever the file is read again.
"""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from gateway.creditfile.intake.columns import Columns, Form, Row, columns_of
from gateway.creditfile.intake.header import columns_of_file, readers_of_text
from gateway.creditfile.intake.texts import Encoding, checked_blocks, decoded, too_long
from gateway.creditfile.intake.unpacking import MOST_LINE, FileRefused, TooLong, Unpacked
from gateway.creditfile.mapping import Problem
from gateway.creditfile.schema import DatasetOf

NOT_JSON: Final = Problem(field="?", reason="not JSON in UTF-8")
NOT_AN_OBJECT: Final = Problem(field="?", reason="not a JSON object")
LINE_TOO_LONG: Final = Problem(field="?", reason=f"a line longer than {MOST_LINE} bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """A file's rows as they stand in it, and their form: to pass one over costs little."""

    items: Iterator[Any]
    form: Form

    def __iter__(self) -> Iterator[Row]:
        return map(self.form.read, self.items)


def rows_of_csv(source: Unpacked, dataset: DatasetOf, encoding: Encoding) -> Rows:
    """The rows of a CSV file (RFC 4180) with a header."""
    csv.field_size_limit(MOST_LINE)
    counted = _Count()
    reader = csv.reader(_lines(source, encoding, counted), strict=True)
    columns = columns_of_file(_header(reader), dataset)
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

    return Rows(items=_cells(reader, counted), form=Form(read=read, columns=read_columns))


def rows_of_ndjson(source: Unpacked, encoding: Encoding) -> Rows:
    """The rows of a file with one JSON object per line."""

    def read(line: bytes | Problem) -> Row:
        if isinstance(line, Problem):
            return line
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError:
            return NOT_JSON
        return row if type(row) is dict else NOT_AN_OBJECT

    return Rows(items=_json_lines(source, encoding), form=_by_row(read))


def _by_row(read: Callable[[Any], Row]) -> Form:
    return Form(read=read, columns=lambda items: columns_of(list(map(read, items))))


def _json_lines(source: Unpacked, encoding: Encoding) -> Iterator[bytes | Problem]:
    """In UTF-8; bytes that are no characters stay such that their line is no JSON."""
    is_first = True
    for block in checked_blocks(source, encoding):
        if isinstance(block, TooLong):
            yield LINE_TOO_LONG
            continue
        if is_first and block.lstrip()[:1] == b"[":
            raise FileRefused("The file is a JSON array: write one object per line (NDJSON).")
        is_first = False
        text = (
            block
            if encoding == "utf-8"
            else decoded(block, encoding).encode("utf-8", "surrogatepass")
        )
        for line in text.split(b"\n"):
            if line and not line.isspace():
                yield line


def _cells(reader: Any, counted: "_Count") -> Iterator[list[str] | Problem]:
    """Without empty lines; `reader` is csv's, which has no public type."""
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            counted.rows += 1
            yield Problem(field="?", reason=_unquoted(reader, counted))
            continue
        if cells:
            counted.rows += 1
            counted.line = reader.line_num
            yield cells


class _Count:
    """Where in the file the reader is."""

    rows = 0
    line = 1


def _lines(source: Unpacked, encoding: Encoding, counted: _Count) -> Iterator[str]:
    for block in checked_blocks(source, encoding):
        if isinstance(block, TooLong):
            raise too_long(counted.rows + 1)
        yield from io.StringIO(decoded(block, encoding), newline="\n")


def _header(reader: Iterator[list[str]]) -> list[str]:
    try:
        for cells in reader:
            if cells:
                return cells
    except csv.Error:
        pass
    raise FileRefused("The file has no header that can be read.")


def _unquoted(reader: Any, counted: _Count) -> str:
    """A quotation that is not closed swallows lines: it is said which."""
    first, counted.line = counted.line + 1, reader.line_num
    return f"quotation marks that do not fit, in the lines {first} to {reader.line_num}"
