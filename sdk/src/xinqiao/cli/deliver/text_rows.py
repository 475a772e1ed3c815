"""Rows of delimited text and of NDJSON, as the gateway finds and counts them."""

from __future__ import annotations

import csv
import json
import re
import unicodedata
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final

from .own_rows import OwnRows, ReadOptions, UnreadableError, open_unpacked, whole_lines

if TYPE_CHECKING:
    from typing import BinaryIO

HEADER_ROWS: Final = 10
"""Rows among which the header is looked for."""
SEPARATORS: Final = (",", "\t", ";", "|")
BLANKS: Final = " \t\r\n\xa0\u3000"
_BOM: Final = b"\xef\xbb\xbf"
_FIRST_BLOCK: Final = 1 << 20
_LONGEST_FIELD: Final = 1 << 20
_LONGEST_LINE: Final = 2 << 20
_INSIGNIFICANT: Final = re.compile(r"[\s*]+")
_BRACKETS: Final = str.maketrans("〔〕[]【】｛｝{}〈〉<>", "()()()()()()()")
RAW_LINE: Final = "…"
"""Column of a line that is no JSON object."""


def fold_name(name: str) -> str:
    """Name of a column without its width, blanks, kind of brackets, asterisks and case."""
    visible = "".join(each for each in name if unicodedata.category(each) != "Cf")
    plain = unicodedata.normalize("NFKC", visible)
    return _INSIGNIFICANT.sub("", plain).translate(_BRACKETS).casefold()


def has_text(cells: Sequence[str]) -> bool:
    """True if a row has more than separators and blanks."""
    return bool(cells) and (bool(cells[0].strip()) or bool("".join(cells).strip(BLANKS)))


def find_header(rows: Iterable[Sequence[str]], names: Container[str]) -> int | None:
    """Index of the first row that names the USCC."""
    for index, cells in enumerate(rows):
        if any(fold_name(each) in names for each in cells):
            return index
    return None


def header_names(cells: Sequence[str]) -> list[str]:
    """Names in a header, without the empty ones that separators at the line's end make."""
    names = [each.strip() for each in cells]
    while names and not names[-1]:
        names.pop()
    return names


def read_csv(options: ReadOptions, _numbers: Container[int]) -> OwnRows:
    """Rows below the header of a delimited text file."""
    csv.field_size_limit(_LONGEST_FIELD)
    stream = open_unpacked(options.path)
    try:
        first, lines, encoding = _begin(stream, options.encoding)
        separator, titles = _layout(_decoded(first, encoding), options.uscc_names)
        text = _decoded(chain(first, lines), encoding)
        reader = csv.reader(text, delimiter=separator, strict=True)
        header = next(islice(filter(has_text, reader), titles, None))
    except (csv.Error, StopIteration, UnreadableError):
        stream.close()
        raise UnreadableError("no_header") from None
    return OwnRows(header_names(header), _csv_items(reader), list, stream.close)


def _csv_items(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    """Cells of each row; none for one whose quotation marks do not fit, which counts too."""
    while True:
        try:
            for cells in reader:
                if has_text(cells):
                    yield cells
        except csv.Error:
            yield []
        else:
            return


def _layout(lines: Iterable[str], names: Container[str]) -> tuple[str, int]:
    """The separator with which a first row names the USCC, and the rows before that one."""
    listed = list(lines)
    for separator in SEPARATORS:
        rows: list[list[str]] = []
        with suppress(csv.Error):
            reader = csv.reader(listed, delimiter=separator, strict=True)
            rows.extend(islice(filter(has_text, reader), HEADER_ROWS))
        titles = find_header(rows, names)
        if titles is not None:
            return separator, titles
    raise UnreadableError("no_header")


def read_ndjson(options: ReadOptions, numbers: Container[int]) -> OwnRows:
    """Rows of a file with one JSON object per line; its columns are the members of the wanted rows."""
    columns: dict[str, None] = {}
    with open_unpacked(options.path) as stream:
        for number, line in enumerate(_json_lines(stream, options.encoding), start=1):
            if number in numbers:
                columns |= dict.fromkeys(_members(line))
    names = list(columns)

    def cells(line: str) -> list[str]:
        members = _members(line)
        return [_shown(members.get(name)) for name in names]

    stream = open_unpacked(options.path)
    return OwnRows(names, _json_lines(stream, options.encoding), cells, stream.close)


def _json_lines(stream: BinaryIO, declared: str) -> Iterator[str]:
    first, lines, encoding = _begin(stream, declared)
    for line in chain(first, lines):
        if line is None:
            yield ""
        elif not line.isspace():
            yield line.decode(encoding, "surrogateescape").strip(" \t\r\n")


def _members(line: str) -> dict[str, Any]:
    """Members of the object on a line; the line itself where it is none."""
    with suppress(ValueError, RecursionError):
        found = json.loads(line)
        if isinstance(found, dict):
            return found
    return {RAW_LINE: line}


def _shown(value: Any) -> str:
    """A member as a cell."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _begin(
    stream: BinaryIO, declared: str
) -> tuple[list[bytes | None], Iterator[bytes | None], str]:
    """The first block of lines without a byte order mark, the other lines, the encoding."""
    lines = whole_lines(stream, _LONGEST_LINE)
    first: list[bytes | None] = []
    length = 0
    for line in lines:
        first.append(line)
        length += len(line or b"")
        if line is None or length > _FIRST_BLOCK:
            break
    has_mark = bool(first) and (first[0] or b"").startswith(_BOM)
    if has_mark:
        first[0] = (first[0] or b"").removeprefix(_BOM)
        first = first if first[0] else first[1:]
    shown = b"".join(filter(None, first[:-1] if length > _FIRST_BLOCK else first))
    if declared == "auto":
        is_other = not has_mark and not _decodes(shown, "utf-8") and _decodes(shown, "gb18030")
        declared = "gb18030" if is_other else "utf-8"
    return first, lines, declared


def _decoded(lines: Iterable[bytes | None], encoding: str) -> Iterator[str]:
    """Text of the lines, up to one that the gateway finds too long."""
    for line in lines:
        if line is None:
            return
        yield line.decode(encoding, "surrogateescape")


def _decodes(block: bytes, encoding: str) -> bool:
    try:
        block.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
