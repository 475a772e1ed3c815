"""Lines of a job from the blocks of a text file as they arrive: NDJSON and CSV. No input or output.

A line that cannot be read, in another encoding or too long, is a broken line; the next one is read as
any other. Memory is bounded by one line, and by one block at the beginning, which shows the encoding.
"""

import csv
from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from gateway import strict_json
from gateway.ingest.readers.text_encoding import decode_block
from gateway.strict_json import StrictJsonError
from gateway.verifications.jobs.job_line import MAX_LINE_BYTES, broken_line
from gateway.verifications.jobs.row_lines import (
    HEADER_ROWS,
    HeaderError,
    RowLines,
    is_header,
)
from gateway.verifications.jobs.template import Template

FIRST_BLOCK: Final = 64 << 10
SEPARATORS: Final = (",", "\t", ";", "|")
MAX_QUOTED_LINES: Final = 20
_BOM: Final = b"\xef\xbb\xbf"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
TOO_LONG: Final = f"This line is longer than {MAX_LINE_BYTES:,} bytes."
NOT_TEXT: Final = "This line is not in the file's encoding."
NOT_JSON: Final = "This line is not one JSON object: {why}."
NOT_ITS_PLACE: Final = "`line` is the line's place in the file, counted from 1; or leave it out."
NOT_CELLS: Final = "This line is not an object of texts by the names of columns."
QUOTATION: Final = "A quotation mark of this line is not closed."
NO_HEADER: Final = HeaderError(
    "The file has no header that names 统一社会信用代码 (or uscc).",
    "文件没有包含“统一社会信用代码”（或 uscc）的表头。",
)
NOT_UTF8: Final = HeaderError(
    "The file is UTF-16: save it as UTF-8.", "文件编码为 UTF-16：请另存为 UTF-8。"
)


class RawLines:
    """Physical lines of a file as they arrive; `None` stands for one that is too long."""

    def __init__(self) -> None:
        self._rest = b""
        self._skipping = False

    def feed(self, block: bytes) -> Iterator[bytes | None]:
        """The lines that this block completes, without their ends."""
        *whole, rest = block.split(b"\n")
        for each in whole:
            line, self._rest = self._rest + each, b""
            if self._skipping or len(line) > MAX_LINE_BYTES:
                if not self._skipping:
                    yield None
                self._skipping = False
            else:
                yield line.removesuffix(b"\r")
        if self._skipping:
            return
        self._rest += rest
        if len(self._rest) > MAX_LINE_BYTES:
            self._rest, self._skipping = b"", True
            yield None

    def end(self) -> Iterator[bytes | None]:
        """The last line, where it has no end."""
        if self._rest and not self._skipping:
            yield self._rest.removesuffix(b"\r")
        self._rest = b""


class NdjsonLines:
    """One JSON object a line: a verification as in a batch, or of a template's job a row of cells."""

    def __init__(self, template: Template | None) -> None:
        self._raw = RawLines()
        self._template = template
        self._number = 0
        self._is_first = True
        self._makers: dict[tuple[str, ...], RowLines] = {}

    def feed(self, block: bytes) -> Iterator[bytes]:
        """The lines that this block completes."""
        if self._is_first:
            self._is_first = False
            if block.startswith(_UTF16):
                raise NOT_UTF8
            block = block.removeprefix(_BOM)
        for each in self._raw.feed(block):
            yield from self._line(each)

    def end(self) -> Iterator[bytes]:
        """The last line, where it has no end."""
        for each in self._raw.end():
            yield from self._line(each)

    def _line(self, raw: bytes | None) -> Iterator[bytes]:
        if raw is not None and not raw.strip():
            return
        self._number += 1
        if raw is None:
            yield broken_line(self._number, TOO_LONG)
            return
        try:
            found = strict_json.parse(raw)
        except StrictJsonError as error:
            yield broken_line(self._number, NOT_JSON.format(why=error))
            return
        if type(found) is not dict:
            yield broken_line(self._number, NOT_JSON.format(why="it is another value"))
            return
        place = found.pop("line", self._number)
        if type(place) is not int or place != self._number:
            yield broken_line(self._number, NOT_ITS_PLACE)
        elif self._template is None:
            yield orjson.dumps({"line": self._number, **found})
        else:
            yield self._row(self._template, found)

    def _row(self, template: Template, found: Mapping[str, Any]) -> bytes:
        cells = list(found.values())
        if not all(type(each) is str for each in cells):
            return broken_line(self._number, NOT_CELLS)
        names = tuple(found)
        try:
            maker = self._makers.get(names) or RowLines.below(names, template)
        except HeaderError as error:
            return broken_line(self._number, error.en)
        if len(self._makers) < HEADER_ROWS:
            self._makers[names] = maker
        return maker.line(cells, self._number)


class CsvLines:
    """Rows of a CSV file (RFC 4180) with a header, or one with tabs, semicolons or bars for commas."""

    def __init__(self, template: Template, charset: str | None = None) -> None:
        self._raw = RawLines()
        self._template = template
        self._charset = charset
        self._first = bytearray()
        self._has_begun = False
        self._open: list[str] = []
        """Physical lines of a row whose quotation is not closed yet."""
        self._titles = 0
        self._separator = ","
        self._maker: RowLines | None = None
        self._number = 0

    def feed(self, block: bytes) -> Iterator[bytes]:
        """The lines that this block completes."""
        if not self._has_begun:
            self._first += block
            if len(self._first) < FIRST_BLOCK:
                return
            block = self._begin()
        for each in self._raw.feed(block):
            yield from self._physical(each)

    def end(self) -> Iterator[bytes]:
        """The rows that the end of the file completes."""
        if not self._has_begun:
            for each in self._raw.feed(self._begin()):
                yield from self._physical(each)
        for each in self._raw.end():
            yield from self._physical(each)
        yield from self._give_up_open()
        if self._maker is None:
            raise NO_HEADER

    def _begin(self) -> bytes:
        """The first block without its mark, after its encoding was found."""
        block, self._first, self._has_begun = bytes(self._first), bytearray(), True
        if block.startswith(_UTF16):
            raise NOT_UTF8
        bare = block.removeprefix(_BOM)
        if self._charset is None:
            whole = bare[: bare.rfind(b"\n") + 1] or bare
            is_utf8 = len(bare) < len(block) or _decodes(whole, "utf-8")
            self._charset = "utf-8" if is_utf8 or not _decodes(whole, "gb18030") else "gb18030"
        return bare

    def _physical(self, raw: bytes | None) -> Iterator[bytes]:
        """A physical line: a row, a part of one, or a broken line."""
        text = None if raw is None else self._decoded(raw)
        if text is None:
            yield from self._give_up_open()
            if self._maker is not None:
                self._number += 1
                yield broken_line(self._number, TOO_LONG if raw is None else NOT_TEXT)
            return
        if self._maker is None:
            self._maker = self._header(text)
            return
        self._open.append(text)
        cells = self._cells(self._open)
        if cells is not None:
            self._open.clear()
            yield from self._row(cells)
        elif len(self._open) >= MAX_QUOTED_LINES:
            yield from self._give_up_open()

    def _give_up_open(self) -> Iterator[bytes]:
        """The lines of a row that is never closed: the first is broken, the others are read anew."""
        while self._open:
            others = self._open[1:]
            self._open.clear()
            self._number += 1
            yield broken_line(self._number, QUOTATION)
            for place, each in enumerate(others):
                cells = self._cells([each])
                if cells is None:
                    self._open.extend(others[place:])
                    break
                yield from self._row(cells)

    def _row(self, cells: list[str]) -> Iterator[bytes]:
        if self._maker is not None and any(each.strip() for each in cells):
            self._number += 1
            yield self._maker.line(cells, self._number)

    def _header(self, text: str) -> RowLines | None:
        """The maker for the header, if this line is it; its separator is the one that shows the code."""
        for separator in SEPARATORS:
            self._separator = separator
            cells = self._cells([text])
            if cells is not None and is_header(cells):
                return RowLines.below(_without_trailing(cells), self._template)
        self._titles += bool(text.strip())
        if self._titles >= HEADER_ROWS:
            raise NO_HEADER
        return None

    def _cells(self, lines: list[str]) -> list[str] | None:
        """The cells of a row over these physical lines; `None` while a quotation is open."""
        if len(lines) == 1 and '"' not in lines[0]:
            return lines[0].split(self._separator)
        try:
            return next(
                csv.reader([f"{each}\n" for each in lines], delimiter=self._separator, strict=True),
                [],
            )
        except csv.Error:
            return None

    def _decoded(self, raw: bytes) -> str | None:
        charset = self._charset or "utf-8"
        if not _decodes(raw, charset) or b"\0" in raw:
            return None
        return decode_block(raw, "gb18030" if charset == "gb18030" else "utf-8")


def _without_trailing(cells: list[str]) -> list[str]:
    """The header without empty cells at its end."""
    found = list(cells)
    while found and not found[-1].strip():
        found.pop()
    return found


def _decodes(block: bytes, charset: str) -> bool:
    try:
        block.decode(charset)
    except UnicodeDecodeError:
        return False
    return True
