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
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import BinaryIO, Final

from gateway.creditfile.intake.chunks import Chunk, Reading, chunks_of
from gateway.creditfile.intake.unpacking import FileRefused

LANES: Final = min(2, os.cpu_count() or 1)
MOST_MEMORY: Final = 4 << 30
"""Bytes of address space of a reader; what it really uses is far less."""
_SELDOM: Final = (200_000, 50, 100)
_LENGTH: Final = struct.Struct("!Q")
# Not multiprocessing: it would import the whole command into each reader first.
_PROGRAM: Final = """
import pickle, sys
sys.path[:] = pickle.load(sys.stdin.buffer)
from gateway.creditfile.intake.lanes import read
read(sys.stdin.buffer, sys.stdout.buffer)
"""

Got = Chunk | FileRefused | None


class Reader:
    """One lane's process; `next` gives its chunks in order, then `None`."""

    def __init__(self, reading: Reading) -> None:
        self._process = subprocess.Popen(  # noqa: S603  # our own program
            [sys.executable, "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a traceback could show a row
        )
        with suppress(BrokenPipeError), self._stdin as stdin:
            pickle.dump(sys.path, stdin)
            pickle.dump(reading, stdin)

    @property
    def _stdin(self) -> BinaryIO:
        return _there(self._process.stdin)

    def next(self) -> Got:
        """Wait for the next chunk; or why there is none."""
        stdout = _there(self._process.stdout)
        head = stdout.read(_LENGTH.size)
        if len(head) == _LENGTH.size:
            (length,) = _LENGTH.unpack(head)
            content = stdout.read(length)
            if len(content) == length:
                got: Got = pickle.loads(content)  # noqa: S301  # our own program's
                return got
        return FileRefused(
            "The process that read the file ended; it may have needed too much memory."
        )

    def kill(self) -> None:
        """End the process, whatever it is doing; whoever waits in `next` is told at once."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Let go of the pipe, when nobody waits any more."""
        _there(self._process.stdout).close()


@asynccontextmanager
async def chunks_in_order(
    reading: Reading, lanes: int = LANES
) -> AsyncIterator[AsyncIterator[Chunk]]:
    """A file's chunks, each read while those before it are merged. Raises `FileRefused`."""
    readers = [Reader(replace(reading, lane=lane, lanes=lanes)) for lane in range(lanes)]
    ahead: list[asyncio.Queue[Got]] = [asyncio.Queue(maxsize=1) for _ in readers]
    tasks = [asyncio.create_task(_read_ahead(*each)) for each in zip(readers, ahead, strict=True)]
    try:
        yield _in_turn(ahead, reading.skip // reading.chunk_rows % lanes)
    finally:
        for reader in readers:
            reader.kill()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for reader in readers:
            reader.close()


async def _in_turn(ahead: list[asyncio.Queue[Got]], lane: int) -> AsyncIterator[Chunk]:
    while (got := await ahead[lane].get()) is not None:
        if isinstance(got, FileRefused):
            raise got
        yield got
        if got.is_last_part:
            lane = (lane + 1) % len(ahead)


async def _read_ahead(reader: Reader, ahead: asyncio.Queue[Got]) -> None:
    while True:
        got = await asyncio.to_thread(reader.next)
        await ahead.put(got)
        if not isinstance(got, Chunk):
            return


def read(orders: BinaryIO, results: BinaryIO) -> None:
    """What a reader does."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    gc.set_threshold(*_SELDOM)  # millions of rows, and no circles among them
    reading: Reading = pickle.load(orders)  # noqa: S301  # our own command's
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
    content = pickle.dumps(got, protocol=pickle.HIGHEST_PROTOCOL)
    results.write(_LENGTH.pack(len(content)))
    results.write(content)
    results.flush()


def _there(pipe: object) -> BinaryIO:
    if pipe is None:
        raise RuntimeError("the process was started with its pipes")
    return pipe  # type: ignore[return-value]  # Popen's, as it was asked for
