"""Spool folder for uploaded files until they are ingested: one file per upload id, mode 0600.

All workers share the folder. A part is written after the bytes recorded as received, so that bytes
of an interrupted part are ignored.
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
"""Disk space in bytes that uploads never use."""


class PartTooLongError(Exception):
    """More bytes arrived than were announced."""


class SpoolFullError(Exception):
    """The disk has no room; nothing of the part was kept."""


@dataclass(slots=True, kw_only=True)
class ReceivedPart:
    """Length and hashes of a received part, complete or interrupted."""

    hashes: dict[str, "hashlib._Hash"]
    length: int = 0
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class Spool:
    """The spool folder, and the disk space it keeps free."""

    folder: Path
    reserve: int = RESERVED_BYTES

    def file(self, upload_id: str) -> Path:
        """Path of the uploaded file."""
        return self.folder / f"{_checked_id(upload_id)}.part"

    def rejects(self, upload_id: str) -> Path:
        """Path of its list of rejected rows."""
        return self.folder / f"{_checked_id(upload_id)}.rejects.csv"

    def warnings(self, upload_id: str) -> Path:
        """Path of its list of warnings, under the name that earlier versions gave it."""
        return self.folder / f"{_checked_id(upload_id)}.masked.csv"

    def has_room_for(self, length: int) -> bool:
        """True if the disk has room; other processes may fill it concurrently."""
        return shutil.disk_usage(self.folder).free - length > self.reserve

    async def write(
        self,
        upload_id: str,
        offset: int,
        max_length: int,
        chunks: AsyncIterator[bytes],
        algorithms: Collection[str],
        *,
        max_seconds: float,
    ) -> ReceivedPart:
        """Write the chunks at `offset`; returns what arrived in time, fsynced.

        `is_whole` is false if the sender disconnected or took longer than `max_seconds`. Raises
        `PartTooLongError` after `max_length` bytes, `SpoolFullError` if the disk is full.
        """
        part = ReceivedPart(hashes={name: hashlib.new(name) for name in algorithms})
        file = await asyncio.to_thread(_open_at, self.file(upload_id), offset)
        try:
            async with asyncio.timeout(max_seconds):
                async for piece in _pieces(chunks):
                    if part.length + len(piece) > max_length:
                        raise PartTooLongError
                    if not self.has_room_for(len(piece)):
                        os.ftruncate(file, offset)
                        raise SpoolFullError
                    await asyncio.to_thread(_append, file, piece, part)
            part.is_whole = True
        except (TimeoutError, ConnectionError):
            pass
        finally:
            await asyncio.to_thread(_sync_and_close, file)
        return part

    def remove(self, upload_id: str, *, lists_too: bool) -> None:
        """Delete the file, and on request its lists."""
        self.file(upload_id).unlink(missing_ok=True)
        if lists_too:
            self.rejects(upload_id).unlink(missing_ok=True)
            self.warnings(upload_id).unlink(missing_ok=True)

    def strays(self, before: float) -> list[str]:
        """Ids of files not modified since `before` (Unix time)."""
        return sorted(
            {
                name
                for entry in os.scandir(self.folder)
                if UPLOAD_ID.fullmatch(name := entry.name.partition(".")[0])
                and entry.stat(follow_symlinks=False).st_mtime < before
            }
        )


def _checked_id(upload_id: str) -> str:
    if not UPLOAD_ID.fullmatch(upload_id):
        raise ValueError("not an upload's id")
    return upload_id


def _open_at(path: Path, offset: int) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    file = os.open(path, flags, 0o600)
    os.ftruncate(file, offset)  # discard an interrupted part
    os.lseek(file, offset, os.SEEK_SET)
    return file


def _append(file: int, piece: bytes, part: ReceivedPart) -> None:
    view = memoryview(piece)
    while view:
        view = view[os.write(file, view) :]
    for each in part.hashes.values():
        each.update(piece)
    part.length += len(piece)


def _sync_and_close(file: int) -> None:
    try:
        os.fsync(file)
    finally:
        os.close(file)


async def _pieces(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Chunks joined into pieces worth a disk write; the rest is yielded even if the sender fails."""
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
