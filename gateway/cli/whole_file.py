"""Files that commands write: each takes its name only when it is whole, in the place of an earlier one."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """A text file to write; it takes the place of `path` at the end of the block. Raises `OSError`.

    A device or a pipe is written to as it is.
    """
    if is_stream(path):
        with path.open("w", encoding="utf-8", newline="") as stream:
            yield stream
        return
    target = path.resolve()
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    try:
        with partial.open("x", encoding="utf-8", newline="") as file:
            if target.exists():
                os.fchmod(file.fileno(), target.stat().st_mode & 0o777)
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def is_stream(path: Path) -> bool:
    """True for a device, a pipe, and whatever is open under a name in /dev or /proc."""
    return path.absolute().parts[1:2] in {("dev",), ("proc",)} or (
        path.exists() and not path.is_file()
    )


def write_whole(path: Path, text: str) -> None:
    """Write a text in the place of what is at `path`. Raises `OSError`."""
    with whole_file(path) as file:
        file.write(text)
