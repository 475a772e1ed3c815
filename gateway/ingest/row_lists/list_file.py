"""CSV list of rejected rows or warnings, as long as its job has committed."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Self

from gateway.ingest.readers.decompression import FileRefused

_LONGEST_HEADER: Final = 200
MAX_LIST_BYTES: Final = 32 << 20
"""Maximum bytes of a list; further rows are counted but not listed, which its last line says."""
ROOM_FOR_CUT: Final = 512
"""Bytes that are kept free for that line."""
_CUT: Final = b",list_cut,"


def _as_stored(lines: bytes) -> bytes:
    return lines


@dataclass(frozen=True, slots=True, kw_only=True)
class ListForm:
    """Header of a list, those of earlier versions, the last line of one that was cut, and the encoding of
    its stored lines."""

    header: bytes
    earlier: tuple[bytes, ...]
    cut: bytes
    encode: Callable[[bytes], bytes] = _as_stored


class RowList:
    """CSV file with a header, mode 0600. `length` is the bytes of its lines without the header.

    Lines written after the last commit of a killed run are truncated; an empty list has no file. A
    list of an earlier version goes on under its own header.
    """

    def __init__(self, path: Path, length: int, form: ListForm) -> None:
        self._path = path
        self._form = form
        self._header = form.header
        self._file: BinaryIO | None = None
        self._is_cut = False
        self.length = length
        if path.exists() or path.is_symlink():
            self._truncate()
        else:
            self.length = 0  # removed by its owner: earlier lines are not restored

    def add(self, lines: bytes) -> None:
        """Append whole stored lines and fsync. Where they are longer than `MAX_LIST_BYTES` in all, the
        list ends with a line that says so, and takes no more."""
        if self._is_cut or not lines:
            return
        lines = self._form.encode(lines)
        room = MAX_LIST_BYTES - ROOM_FOR_CUT - self.length
        if len(lines) > room:
            lines = self._cut(lines, room)
        if self._file is None:
            self._file = self._open(os.O_CREAT | os.O_EXCL)
            self._file.write(self._header)
        self._file.write(lines)
        self._file.flush()
        os.fsync(self._file.fileno())
        self.length += len(lines)

    def _cut(self, lines: bytes, room: int) -> bytes:
        """The whole lines that fit, and the line that names the first row that is missing."""
        end = lines.rfind(b"\n", 0, room) + 1
        while lines.count(b'"', 0, end) % 2:  # within a cell
            end = lines.rfind(b"\n", 0, end - 1) + 1
        row = lines[end : lines.index(b",", end)]
        self._is_cut = True
        return lines[:end] + self._form.encode(self._form.cut % row)

    def _truncate(self) -> None:
        file = self._open(0)
        begun = file.readline(_LONGEST_HEADER)
        if begun in self._form.earlier:
            self._header = begun
        if begun not in (b"", self._header):
            file.close()
            name = self._path.name
            raise FileRefused(
                f"{name} is there already and is no list of this kind.",
                f"{name} 已存在，且不是此类清单。",
            )
        if file.seek(0, os.SEEK_END) < len(self._header) + self.length:
            self.length = 0
        if self.length:
            file.truncate(len(self._header) + self.length)
            file.seek(max(file.seek(0, os.SEEK_END) - ROOM_FOR_CUT, 0))
            self._is_cut = _ends_cut(file.read())
            self._file = file
        else:
            file.close()
            self._path.unlink()

    def _open(self, flags: int) -> BinaryIO:
        try:
            flags |= os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
            return os.fdopen(os.open(self._path, flags, 0o600), "r+b")
        except OSError as error:
            kind = type(error).__name__
            raise FileRefused(
                f"The list of rows cannot be written ({kind}).", f"无法写入行清单（{kind}）。"
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()


def was_cut(path: Path) -> bool:
    """True if a list lacks rows; false if there is no list."""
    try:
        with path.open("rb") as file:
            file.seek(max(file.seek(0, os.SEEK_END) - ROOM_FOR_CUT, 0))
            return _ends_cut(file.read())
    except FileNotFoundError:
        return False


def _ends_cut(tail: bytes) -> bool:
    return _CUT in tail[tail.rfind(b"\n", 0, -1) + 1 :]
