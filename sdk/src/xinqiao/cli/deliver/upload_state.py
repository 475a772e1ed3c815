"""Store of unfinished uploads in the user's own folder, so that a second start goes on.

An entry is named by a hash of gateway, client, file and options: a changed file is another upload.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xinqiao import Client

_JOB_ID: Final = re.compile(r"upl_[a-z0-9]{1,64}")


class UploadState:
    """The stored id of one upload; reading and writing never fail, the upload only begins anew."""

    def __init__(self, client: Client, metadata: Mapping[str, str]) -> None:
        said = json.dumps([client.issuer, client.client_id, metadata], sort_keys=True)
        name = hashlib.sha256(said.encode()).hexdigest()
        self._path = Path(typer.get_app_dir("xinqiao")) / "uploads" / name

    def job_id(self) -> str | None:
        """The id, if one is stored."""
        try:
            found = self._path.read_text(encoding="ascii")
        except (OSError, ValueError):
            return None
        return found if _JOB_ID.fullmatch(found) else None

    def store(self, job_id: str) -> bool:
        """Store the id; false if there is no place for it."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(job_id)
        except OSError:
            return False
        return True

    def forget(self) -> None:
        """Delete the id."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
