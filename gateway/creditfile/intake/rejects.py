"""The rejected rows of a file, in a file beside it: as long as its job says, and no longer."""

import os
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from gateway.creditfile.intake.unpacking import FileRefused

HEADER: Final = b"row,field,reason\n"


class Rejects:
    """CSV of row, field and reason; its owner's alone. `length` counts the lines without the header.

    What a killed run wrote after its last commit is cut off; where nothing is rejected there is no
    such file.
    """

    def __init__(self, path: Path, length: int) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self.length = length
        if path.exists() or path.is_symlink():
            self._cut_off()
        else:
            self.length = 0  # it was taken away: what was said before is not said again

    def add(self, lines: bytes) -> None:
        """Write lines, so that they outlast this process and the machine."""
        if not lines:
            return
        if self._file is None:
            self._file = self._opened(os.O_CREAT | os.O_EXCL)
            self._file.write(HEADER)
        self._file.write(lines)
        self._file.flush()
        os.fsync(self._file.fileno())
        self.length += len(lines)

    def _cut_off(self) -> None:
        file = self._opened(0)
        if file.read(len(HEADER)) not in (b"", HEADER):
            file.close()
            raise FileRefused(
                f"{self._path.name} is there already and is no list of rejected rows."
            )
        if file.seek(0, os.SEEK_END) < len(HEADER) + self.length:
            self.length = 0
        if self.length:
            file.truncate(len(HEADER) + self.length)
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
                f"The file for rejected rows cannot be written ({type(error).__name__})."
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
