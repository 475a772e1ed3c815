"""Rows of the department's own file, numbered as the gateway numbers them, to join with its lists.

Rows count from 1, without titles, header and empty lines. What is read stays on this machine.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

GZIP: Final = b"\x1f\x8b"
ZSTD: Final = b"\x28\xb5\x2f\xfd"
_FORMATS: Final = {
    **dict.fromkeys((".csv", ".tsv", ".txt"), "csv"),
    **dict.fromkeys((".ndjson", ".jsonl", ".json"), "ndjson"),
    **dict.fromkeys((".xlsx", ".xlsm"), "xlsx"),
    ".xls": "xls",
    ".parquet": "parquet",
}
WORKBOOKS: Final = frozenset({"xlsx", "xls"})
_PACKED: Final = frozenset({".gz", ".zst", ".zstd"})
_WINDOW: Final = 1 << 27


class UnreadableError(Exception):
    """The file cannot be read here; the key of a sentence says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """Options with which the file was delivered."""

    path: Path
    format: str
    encoding: str = "auto"
    sheet: str | None = None
    uscc_names: frozenset[str] = frozenset()
    """Folded names of the column of the USCC, by which the header is found."""


@dataclass(slots=True)
class OwnRows:
    """Rows in order: `select` yields the wanted ones; `count` is how many were read. Close it."""

    columns: Sequence[str]
    items: Iterable[Any] = field(repr=False)
    cells: Callable[[Any], Sequence[str]] = field(repr=False)
    close: Callable[[], None] = field(repr=False)
    count: int = 0

    def select(self, numbers: Container[int]) -> Iterator[tuple[int, Sequence[str]]]:
        """Numbers and cells of the rows with these numbers."""
        for number, item in enumerate(self.items, start=1):
            self.count = number
            if number in numbers:
                yield number, self.cells(item)


def format_of(path: Path, declared: str | None) -> str:
    """Format as declared or by the file's name; empty if neither says it."""
    if declared:
        return declared
    endings = [each.lower() for each in path.suffixes]
    while endings and endings[-1] in _PACKED:
        endings.pop()
    return _FORMATS.get(endings[-1], "") if endings else ""


def open_unpacked(path: Path) -> BinaryIO:
    """The file's bytes, unpacked; `UnreadableError` where nothing here unpacks Zstandard."""
    raw = path.open("rb")
    head = raw.read(4)
    raw.seek(0)
    if head == ZSTD:
        return _open_zstd(raw)
    if not head.startswith(GZIP):
        return raw
    raw.close()
    return cast("BinaryIO", gzip.open(path))


def _open_zstd(raw: BinaryIO) -> BinaryIO:
    with suppress(ModuleNotFoundError):  # Python 3.14 has it
        return cast("BinaryIO", import_module("compression.zstd").ZstdFile(raw))
    try:
        zstandard = import_module("zstandard")
    except ModuleNotFoundError:
        raw.close()
        raise UnreadableError("no_zstd") from None
    unpacked = zstandard.ZstdDecompressor(max_window_size=_WINDOW).stream_reader(
        raw, read_across_frames=True
    )
    return cast("BinaryIO", io.BufferedReader(unpacked))


def whole_lines(stream: BinaryIO, longest: int) -> Iterator[bytes | None]:
    """Lines with their newlines; None for a longer one. A damaged file ends where it breaks."""
    try:
        while line := stream.readline(longest):
            if len(line) < longest or line.endswith(b"\n"):
                yield line
                continue
            while line and not line.endswith(b"\n"):
                line = stream.readline(longest)
            yield None
    except (EOFError, OSError, zlib.error):
        return


def read_rows(options: ReadOptions, numbers: Container[int]) -> OwnRows:
    """The file's rows; `UnreadableError` where this machine or format does not allow it."""
    from . import parquet_rows, text_rows, workbook_rows  # noqa: PLC0415 - they import this module

    readers: Mapping[str, Callable[[ReadOptions, Container[int]], OwnRows]] = {
        "csv": text_rows.read_csv,
        "ndjson": text_rows.read_ndjson,
        **dict.fromkeys(WORKBOOKS, workbook_rows.read_workbook),
        "parquet": parquet_rows.read_parquet,
    }
    if options.format not in readers:
        raise UnreadableError("unknown_format")
    return readers[options.format](options, numbers)
