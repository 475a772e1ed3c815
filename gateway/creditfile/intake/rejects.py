"""The rejected rows of a file, in a file beside it: as long as its job says, and no longer."""

import os
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from gateway.creditfile.intake.unpacking import FileRefused

HEADER: Final = b"row,field,reason\n"


class Rejects:
    """CSV of row, field and reason; its owner's alone. `length` counts the lines without the header.

    What a killed run wrote after its last commit is cut off.
    """

    def __init__(self, path: Path, length: int) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            self._file = os.fdopen(os.open(path, flags, 0o600), "r+b")
        except OSError as error:
            raise FileRefused(
                f"The file for rejected rows cannot be written ({type(error).__name__})."
            ) from None
        if self._file.read(len(HEADER)) not in (b"", HEADER):
            self._file.close()
            raise FileRefused(f"{path.name} is there already and is no list of rejected rows.")
        if self._file.seek(0, os.SEEK_END) < len(HEADER) + length:
            # It was taken away, or is another's: what was said before is not said again.
            length = 0
        self._file.truncate(len(HEADER) + length)
        self._file.seek(0)
        self._file.write(HEADER)
        self._file.seek(0, os.SEEK_END)
        self.length = length

    def add(self, lines: bytes) -> None:
        """Write lines, so that they outlast this process and the machine."""
        if lines:
            self._file.write(lines)
            self._file.flush()
            os.fsync(self._file.fileno())
            self.length += len(lines)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
