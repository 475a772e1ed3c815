"""What is to be said of a file's rows, in files beside it: as long as its job says, and no longer."""

import os
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from gateway.ingest.decompression import FileRefused

REJECTED_HEADER: Final = b"row,field,reason\n"
"""The header of the list of rejected rows."""
MASKED_HEADER: Final = b"row,field,item,kind,start,length\n"
"""The header of the list of what was masked (`verdicts.Masked`)."""
LARGEST: Final = 32 << 20
"""Bytes of the lines of such a list; what comes after is counted and not listed."""


class RowList:
    """CSV under a header; its owner's alone. `length` counts the lines without the header, in bytes.

    What a killed run wrote after its last commit is cut off; where there is nothing to list there is
    no such file.
    """

    def __init__(self, path: Path, length: int, header: bytes) -> None:
        self._path = path
        self._header = header
        self._file: BinaryIO | None = None
        self.length = length
        if path.exists() or path.is_symlink():
            self._cut_off()
        else:
            self.length = 0  # it was taken away: what was said before is not said again

    def add(self, lines: bytes) -> None:
        """Write lines, so that they outlast this process and the machine; whole ones, while there is room."""
        room = LARGEST - self.length
        if len(lines) > room:
            lines = lines[: lines.rfind(b"\n", 0, room) + 1]
        if not lines:
            return
        if self._file is None:
            self._file = self._opened(os.O_CREAT | os.O_EXCL)
            self._file.write(self._header)
        self._file.write(lines)
        self._file.flush()
        os.fsync(self._file.fileno())
        self.length += len(lines)

    def _cut_off(self) -> None:
        file = self._opened(0)
        if file.read(len(self._header)) not in (b"", self._header):
            file.close()
            raise FileRefused(f"{self._path.name} is there already and is no list of this kind.")
        if file.seek(0, os.SEEK_END) < len(self._header) + self.length:
            self.length = 0
        if self.length:
            file.truncate(len(self._header) + self.length)
            file.seek(0, os.SEEK_END)
            self._file = file
        else:
            file.close()
            self._path.unlink()

    def _opened(self, how: int) -> BinaryIO:
        try:
            flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | how
            return os.fdopen(os.open(self._path, flags, 0o600), "r+b")
        except OSError as error:
            raise FileRefused(
                f"The list of rows cannot be written ({type(error).__name__})."
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()
