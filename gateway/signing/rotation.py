"""The next key is in everybody's hands before it signs, and the last one is never taken away.

A file of keys is replaced as a whole, under a lock, and stays its owner's: whoever reads it finds
the old keys or the new ones, never half of them.
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

from gateway.signing.keys import Use, new_key, read_keys

Document = Mapping[str, Any]


class RotationError(Exception):
    """The keys were left as they are. The message is a sentence for the operator."""


def rotated(
    document: Document,
    uses: Iterable[Use],
    *,
    begins: datetime,
    now: datetime,
) -> dict[str, Any]:
    """`document` with a new key for each of `uses`; the one before it retires as it begins.

    A coming key is waited for; one that begins at once takes its place, for it lay in the same file.
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


def rewrite(
    path: Path,
    change: Callable[[Any], Document],
    *,
    check: Callable[[Path], object] = read_keys,
) -> None:
    """Put what `change` makes of the file of keys in its place; raises before anything is changed.

    `check` reads a file of this sort, or raises.
    Raises `KeysUnreadableError`, `OSError`, and what `change` raises.
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
    """A new file (mode 0600) that is on the disk, not on its way there."""
    descriptor, name = tempfile.mkstemp(prefix=".signing-keys-", dir=folder)
    with os.fdopen(descriptor, "w") as file:
        if os.geteuid() == 0:
            os.fchown(descriptor, *owner)
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    return Path(name)


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Of several operators at once, one after the other; what was replaced is on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
