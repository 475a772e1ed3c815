"""A file is read by processes of their own, which work ahead while PostgreSQL merges.

Whatever a file does to its reader, a bounded part of the machine's memory is all that it can do it
with. A reader ends by itself when nobody takes its chunks any more.
"""

import asyncio
import gc
import os
import pickle
import resource
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import BinaryIO, Final, Self

from gateway.ingest.chunk_reader import Chunk, ReadingOptions, chunks_of
from gateway.ingest.decompression import FileRefused

LANES: Final = min(2, os.cpu_count() or 1)
SMALL: Final = 256 << 10
"""Bytes of a file for which a second process would take longer to start than it has to do."""
MOST_MEMORY: Final = 4 << 30
"""Bytes of address space of a reader; what it really uses is far less."""
_SELDOM: Final = (200_000, 50, 100)
_HEAD: Final = struct.Struct("!QQ")
"""How many bytes of pickle follow, and then of payload: that one is not copied again."""
# Not multiprocessing: it would import the whole command into each reader first.
_PROGRAM: Final = """
import pickle, sys
sys.path[:] = pickle.load(sys.stdin.buffer)
from gateway.ingest.reader_processes import read
read(sys.stdin.buffer, sys.stdout.buffer)
"""

Got = Chunk | FileRefused | None


class ReaderProcess:
    """One lane's process; `next` gives its chunks in order, then `None`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, reading: ReadingOptions) -> Self:
        """Start it, and tell it what to read."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _PROGRAM,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # a traceback could show a row
        )
        if process.stdin is not None:
            process.stdin.write(pickle.dumps(sys.path) + pickle.dumps(reading))
            process.stdin.write_eof()
        return cls(process)

    async def next(self) -> Got:
        """Wait for the next chunk; or why there is none."""
        stdout = self._process.stdout
        try:
            if stdout is None:
                raise EOFError
            about, payload = _HEAD.unpack(await stdout.readexactly(_HEAD.size))
            got: Got = pickle.loads(await stdout.readexactly(about))  # noqa: S301  # our own program's
            content = await stdout.readexactly(payload)
        except (EOFError, ConnectionError):
            return FileRefused(
                "The process that read the file ended; it may have needed too much memory."
            )
        return replace(got, payload=content) if isinstance(got, Chunk) else got

    async def kill(self) -> None:
        """End the process, whatever it is doing; nobody may be waiting for its next chunk."""
        with suppress(ProcessLookupError):
            self._process.kill()
        # What it had written is read to its end: with a full pipe asyncio would wait for ever
        # (python/cpython#119710).
        await self._process.communicate()


@asynccontextmanager
async def chunks_in_order(
    reading: ReadingOptions, lanes: int | None = None
) -> AsyncIterator[AsyncIterator[Chunk]]:
    """A file's chunks, each read while those before it are merged. Raises `FileRefused`."""
    if lanes is None:
        lanes = LANES if reading.path.stat().st_size > SMALL else 1
    readers = [
        await ReaderProcess.start(replace(reading, lane=n, lanes=lanes)) for n in range(lanes)
    ]
    ahead: list[asyncio.Queue[Got]] = [asyncio.Queue(maxsize=1) for _ in readers]
    tasks = [asyncio.create_task(_read_ahead(*each)) for each in zip(readers, ahead, strict=True)]
    try:
        yield _in_turn(ahead, reading.skip // reading.chunk_rows % lanes)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(each.kill() for each in readers), return_exceptions=True)


async def _in_turn(ahead: list[asyncio.Queue[Got]], lane: int) -> AsyncIterator[Chunk]:
    while (got := await ahead[lane].get()) is not None:
        if isinstance(got, FileRefused):
            raise got
        yield got
        if got.is_last_part:
            lane = (lane + 1) % len(ahead)


async def _read_ahead(reader: ReaderProcess, ahead: asyncio.Queue[Got]) -> None:
    while True:
        got = await reader.next()
        await ahead.put(got)
        if not isinstance(got, Chunk):
            return


def read(orders: BinaryIO, results: BinaryIO) -> None:
    """What a reader does."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    gc.set_threshold(*_SELDOM)  # millions of rows, and no circles among them
    reading: ReadingOptions = pickle.load(orders)  # noqa: S301  # our own command's
    with suppress(BrokenPipeError):  # nobody takes them any more
        try:
            for chunk in chunks_of(reading):
                _send(chunk, results)
            _send(None, results)
        except FileRefused as refused:
            _send(refused, results)
        except MemoryError:
            _send(FileRefused("A row of the file needs more memory than it may take."), results)


def _send(got: Got, results: BinaryIO) -> None:
    payload = got.payload if isinstance(got, Chunk) else b""
    about = pickle.dumps(replace(got, payload=b"") if isinstance(got, Chunk) else got)
    results.write(_HEAD.pack(len(about), len(payload)))
    results.write(about)
    results.write(payload)
    results.flush()
