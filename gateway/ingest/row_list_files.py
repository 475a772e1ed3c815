"""CSV list of rejected rows or warnings, as long as its job has committed."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Self

from gateway.ingest.decompression import FileRefused

_LONGEST_HEADER: Final = 200
MAX_LIST_BYTES: Final = 32 << 20
"""Maximum bytes of a list; further rows are counted but not listed."""


def _as_stored(lines: bytes) -> bytes:
    return lines


@dataclass(frozen=True, slots=True, kw_only=True)
class ListForm:
    """Header of a list, that of earlier versions, and the encoding of its stored lines."""

    header: bytes
    earlier: bytes
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
        self.length = length
        if path.exists() or path.is_symlink():
            self._truncate()
        else:
            self.length = 0  # removed by its owner: earlier lines are not restored

    def add(self, lines: bytes) -> None:
        """Append whole stored lines and fsync; lines beyond `MAX_LIST_BYTES` are dropped."""
        lines = self._form.encode(lines)
        room = MAX_LIST_BYTES - self.length
        if len(lines) > room:
            lines = lines[: lines.rfind(b"\n", 0, room) + 1]
        if not lines:
            return
        if self._file is None:
            self._file = self._open(os.O_CREAT | os.O_EXCL)
            self._file.write(self._header)
        self._file.write(lines)
        self._file.flush()
        os.fsync(self._file.fileno())
        self.length += len(lines)

    def _truncate(self) -> None:
        file = self._open(0)
        begun = file.readline(_LONGEST_HEADER)
        if begun == self._form.earlier:
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
            file.seek(0, os.SEEK_END)
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
