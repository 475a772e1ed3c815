"""Key rotation: adds the next signing key to the key file and retires the present one at its start.

The next key is published before it signs; retired keys stay. The file is replaced atomically, under a
lock, and keeps its owner.
"""

import fcntl
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway.signing.keys import FileUse, new_key, read_keys

Document = Mapping[str, Any]


class RotationError(Exception):
    """The keys were left as they are. The message is a sentence for the operator."""


def rotate_keys(
    document: Document, uses: Iterable[FileUse], *, begins: datetime, now: datetime
) -> dict[str, Any]:
    """`document` with a new key for each of `uses`; the previous key retires when the new one begins.

    Refused if a future key exists, unless the new one begins at once and replaces it.
    """
    begins = begins.replace(microsecond=0)
    entries = [dict(entry) for entry in document["keys"]]
    for use in uses:
        own = [entry for entry in entries if entry["use"] == use]
        coming = [each for each in own if datetime.fromisoformat(each["not_before"]) > now]
        if coming and begins > now:
            raise RotationError(
                f"The next key for {use} is there already, from {coming[0]['not_before']} on."
            )
        entries = [entry for entry in entries if entry not in coming]
        for entry in own:
            if not _retired_by(entry, begins):
                entry["retired_at"] = begins.isoformat()
        entries.append(new_key(use, begins))
    return {**document, "keys": entries}


def _retired_by(entry: Mapping[str, Any], moment: datetime) -> bool:
    retired: str | None = entry.get("retired_at")
    return retired is not None and datetime.fromisoformat(retired) <= moment


def rewrite_key_file(
    path: Path, change: Callable[[Any], Document], *, check: Callable[[Path], object] = read_keys
) -> None:
    """Replace a key file by `change(content)`; raises before anything is changed.

    `check` reads such a file or raises. Raises `KeysUnreadableError`, `OSError`, and what `change` raises.
    """
    path = path.resolve()
    with _only_one(path.parent):
        check(path)
        before = path.stat()
        text = json.dumps(change(json.loads(path.read_text())), indent=1)
        fresh = _written(path.parent, text, owner=(before.st_uid, before.st_gid))
        try:
            check(fresh)
            fresh.replace(path)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise


def _written(folder: Path, text: str, *, owner: tuple[int, int]) -> Path:
    """Write a new file (mode 0600) durably."""
    descriptor, name = tempfile.mkstemp(prefix=".signing-keys-", dir=folder)
    fresh = Path(name)
    try:
        with os.fdopen(descriptor, "w") as file:
            if os.geteuid() == 0:
                os.fchown(descriptor, *owner)
            file.write(text)
            file.flush()
            os.fsync(descriptor)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    return fresh


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Exclusive lock on a folder; synced to disk at the end."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
