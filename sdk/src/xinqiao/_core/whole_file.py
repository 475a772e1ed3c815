"""Files that are written whole or not at all."""

import os
import secrets
from pathlib import Path


def write_private(path: Path, text: str, *, overwrite: bool = False, mode: int = 0o600) -> None:
    """Write a new file; raises `FileExistsError` where there is one, or a link.

    With `overwrite` it takes the place of the one that is there, which stays until the new one is whole; a
    device or a pipe is written to as it is. Raises `OSError`, and then leaves nothing of the new file.
    """
    if not overwrite:
        _write_new(path, text, mode)
        return
    if path.absolute().parts[1:2] in {("dev",), ("proc",)} or (
        path.exists() and not path.is_file()
    ):
        path.write_text(text, encoding="utf-8")
        return
    target = path.resolve()
    fresh = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    _write_new(fresh, text, mode)
    try:
        fresh.replace(target)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


def _write_new(path: Path, text: str, mode: int) -> None:
    # O_EXCL: fails if a file or a link has been created at this path in the meantime.
    made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(made, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(made)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
