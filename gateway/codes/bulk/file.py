"""NDJSON file of a bulk issue: appended page by page, and continued after the last whole line."""

import os
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

import orjson

from gateway.codes.bulk.line import bulk_line
from gateway.codes.ids import code_url
from gateway.codes.model import Code

LONGEST_LINE: Final = 16_384
"""Bytes from the end in which the last whole line begins."""
BEGINNING: Final = b'{"code_id":"'
PRIVATE: Final = 0o600


class BulkFileError(Exception):
    """The file cannot be continued; the message says why."""


class BulkFile:
    """The file of one batch, open for appending; `last_uscc` is the enterprise of its last line."""

    def __init__(self, path: Path, batch_id: str, issuer: str) -> None:
        self._issuer = issuer
        self._file: IO[bytes] = os.fdopen(
            os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, PRIVATE), "r+b"
        )
        try:
            self.last_uscc: Final = _continue_after(self._file, batch_id, issuer)
        except BaseException:
            self._file.close()
            raise

    def append(self, codes: list[Code]) -> None:
        """Append the lines of these codes, and have them on disk."""
        self._file.write(b"".join(bulk_line(each, self._issuer) for each in codes))
        self._file.flush()
        os.fsync(self._file.fileno())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


def _continue_after(file: IO[bytes], batch_id: str, issuer: str) -> str:
    """Cut a last line that is not whole; the USCC of the last whole one, or an empty text.

    Nothing is cut from a file that is not this batch's.
    """
    size = file.seek(0, os.SEEK_END)
    start = max(0, size - LONGEST_LINE)
    file.seek(start)
    tail = file.read()
    whole, broken = tail[: tail.rfind(b"\n") + 1], tail[tail.rfind(b"\n") + 1 :]
    if not (broken.startswith(BEGINNING) or BEGINNING.startswith(broken)):
        raise BulkFileError("Its last line is not a code's.")
    uscc = _uscc_in(whole.rstrip(b"\n").rpartition(b"\n")[2], batch_id, issuer) if whole else ""
    file.truncate(start + len(whole))
    file.seek(start + len(whole))
    return uscc


def _uscc_in(line: bytes, batch_id: str, issuer: str) -> str:
    try:
        found = orjson.loads(line)
        uscc, found_batch = str(found["uscc"]), found["batch_id"]
        address, expected = found["address"], code_url(issuer, str(found["code_id"]))
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise BulkFileError("Its last line is not a code's.") from None
    if found_batch != batch_id:
        raise BulkFileError("Its last line is of another batch.")
    if address != expected:
        raise BulkFileError("Its addresses are of another issuer: give the same, or another file.")
    return uscc
