"""Where files lie until they are taken: each under an id of ours, its owner's alone.

Every worker must see the same folder. A part is written behind what is known to have arrived, so a
worker that dies in between leaves nothing that counts.
"""

import asyncio
import hashlib
import os
import re
import shutil
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

UPLOAD_ID: Final = re.compile(r"upl_[a-z2-7]{26}")
BUFFER_BYTES: Final = 1 << 20
RESERVED_BYTES: Final = 1 << 30
"""Bytes of the disk that no upload may take."""


class PartTooLongError(Exception):
    """More bytes came than were announced."""


class SpoolFullError(Exception):
    """The disk has no room for more; nothing of the part was kept."""


@dataclass(slots=True, kw_only=True)
class ReceivedPart:
    """What arrived of one part: so many bytes, whole or broken off, and their hashes."""

    hashes: dict[str, "hashlib._Hash"]
    length: int = 0
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class Spool:
    """The folder, and how many bytes of its disk stay free."""

    folder: Path
    reserve: int = RESERVED_BYTES

    def file(self, upload_id: str) -> Path:
        """Where the file of this upload lies."""
        return self.folder / f"{_known(upload_id)}.part"

    def rejects(self, upload_id: str) -> Path:
        """Where its rejected rows are listed."""
        return self.folder / f"{_known(upload_id)}.rejects.csv"

    def masked(self, upload_id: str) -> Path:
        """Where its masked numbers are listed."""
        return self.folder / f"{_known(upload_id)}.masked.csv"

    def has_room_for(self, length: int) -> bool:
        """Whether the disk has: others may fill it at the same time."""
        return shutil.disk_usage(self.folder).free - length > self.reserve

    async def write(
        self,
        upload_id: str,
        offset: int,
        most: int,
        chunks: AsyncIterator[bytes],
        algorithms: Collection[str],
        *,
        within: float,
    ) -> ReceivedPart:
        """Write at `offset` what arrives `within` so many seconds; `most` bytes, else `PartTooLongError`.

        It is on the disk when this returns. Where the sender goes away, `is_whole` is false. The
        disk's room is looked at before each piece: `SpoolFullError`.
        """
        part = ReceivedPart(hashes={name: hashlib.new(name) for name in algorithms})
        file = await asyncio.to_thread(_opened, self.file(upload_id), offset)
        try:
            async with asyncio.timeout(within):
                async for piece in _pieces(chunks):
                    if part.length + len(piece) > most:
                        raise PartTooLongError
                    if not self.has_room_for(len(piece)):
                        os.ftruncate(file, offset)
                        raise SpoolFullError
                    await asyncio.to_thread(_append, file, piece, part)
            part.is_whole = True
        except (TimeoutError, ConnectionError):
            pass
        finally:
            await asyncio.to_thread(_closed, file)
        return part

    def remove(self, upload_id: str, *, lists_too: bool) -> None:
        """Take the file away, and where asked the lists of its rows."""
        self.file(upload_id).unlink(missing_ok=True)
        if lists_too:
            self.rejects(upload_id).unlink(missing_ok=True)
            self.masked(upload_id).unlink(missing_ok=True)

    def strays(self, before: float) -> list[str]:
        """The ids of files that nobody has touched since `before` (seconds since 1970)."""
        return sorted(
            {
                name
                for entry in os.scandir(self.folder)
                if UPLOAD_ID.fullmatch(name := entry.name.partition(".")[0])
                and entry.stat(follow_symlinks=False).st_mtime < before
            }
        )


def _known(upload_id: str) -> str:
    if not UPLOAD_ID.fullmatch(upload_id):
        message = "not an upload's id"
        raise ValueError(message)
    return upload_id


def _opened(path: Path, offset: int) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    file = os.open(path, flags, 0o600)
    os.ftruncate(file, offset)  # what came after it was never counted
    os.lseek(file, offset, os.SEEK_SET)
    return file


def _append(file: int, piece: bytes, part: ReceivedPart) -> None:
    view = memoryview(piece)
    while view:
        view = view[os.write(file, view) :]
    for each in part.hashes.values():
        each.update(piece)
    part.length += len(piece)


def _closed(file: int) -> None:
    try:
        os.fsync(file)
    finally:
        os.close(file)


async def _pieces(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """What arrives, in pieces that are worth a trip to the disk; all of it, however it ends."""
    held = bytearray()
    try:
        async for chunk in chunks:
            held += chunk
            if len(held) >= BUFFER_BYTES:
                yield bytes(held)
                held.clear()
    except ConnectionError:
        yield bytes(held)
        raise
    if held:
        yield bytes(held)
