"""Reader processes for a file: they parse ahead while PostgreSQL merges.

Each has a bounded address space, whatever the file contains, and ends when its pipe is closed.
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

from gateway.ingest.chunk_reader import Chunk, ReadPlan, read_chunks
from gateway.ingest.readers.decompression import FileRefused

READERS: Final = min(2, os.cpu_count() or 1)
SMALL_FILE_BYTES: Final = 256 << 10
"""Up to this size, a second process takes longer to start than it saves."""
MAX_READER_MEMORY: Final = 4 << 30
"""Address space limit of a reader in bytes; actual use is far lower."""
MAX_WORKBOOK_MEMORY: Final = 1536 << 20
"""The same of a workbook, which its library holds in memory."""
MAX_WORKBOOK_SECONDS: Final = 180
"""CPU time limit of a workbook's reader."""
_GC_THRESHOLDS: Final = (200_000, 50, 100)
_HEAD: Final = struct.Struct("!QQ")
"""Lengths of the pickle and of the payload that follow; the payload is not pickled."""
# Not multiprocessing, which would import the whole command into each reader.
_PROGRAM: Final = """
import pickle, sys
sys.path[:] = pickle.load(sys.stdin.buffer)
from gateway.ingest.reader_processes import run_reader
run_reader(sys.stdin.buffer, sys.stdout.buffer)
"""

ReadResult = Chunk | FileRefused | None


class ReaderProcess:
    """One reader process; `next` returns its chunks in order, then `None`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._ended = False

    @classmethod
    async def start(cls, plan: ReadPlan) -> Self:
        """Start a process and send it the configuration."""
        orders = pickle.dumps(sys.path) + pickle.dumps(plan)  # first: a process would wait for them
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _PROGRAM,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # a traceback could show a row
        )
        if process.stdin is not None:
            process.stdin.write(orders)
            process.stdin.write_eof()
        return cls(process)

    async def next(self) -> ReadResult:
        """The next chunk, `None` at the end, or why the file is refused."""
        stdout = self._process.stdout
        try:
            if stdout is None:
                raise EOFError
            about, payload = _HEAD.unpack(await stdout.readexactly(_HEAD.size))
            got: ReadResult = pickle.loads(await stdout.readexactly(about))  # noqa: S301  # our own program's
            content = await stdout.readexactly(payload)
        except (EOFError, ConnectionError):
            self._ended = True
            return FileRefused(
                "The process that read the file ended; it may have needed too much memory.",
                "读取文件的进程已中止，可能是所需内存过大。",
            )
        if isinstance(got, Chunk):
            return replace(got, payload=content)
        self._ended = True
        return got

    async def stop(self) -> None:
        """Wait until the process has ended; one that still reads is killed. No `next` may be pending."""
        # One that ends by itself is not killed: Popen.kill would reap it while asyncio waits for it.
        if not self._ended:
            with suppress(ProcessLookupError):
                self._process.kill()
        # Drain its output: with a full pipe asyncio would wait for ever (python/cpython#119710).
        await self._process.communicate()


@asynccontextmanager
async def chunks_in_order(
    plan: ReadPlan, count: int | None = None
) -> AsyncIterator[AsyncIterator[Chunk]]:
    """A file's chunks in order, read ahead by one or more processes. Raises `FileRefused`."""
    if plan.is_workbook:
        count = 1
    if count is None:
        count = READERS if plan.path.stat().st_size > SMALL_FILE_BYTES else 1
    readers = [
        await ReaderProcess.start(replace(plan, reader=n, readers=count)) for n in range(count)
    ]
    ahead: list[asyncio.Queue[ReadResult]] = [asyncio.Queue(maxsize=1) for _ in readers]
    tasks = [asyncio.create_task(_read_ahead(*each)) for each in zip(readers, ahead, strict=True)]
    try:
        yield _in_turn(ahead, plan.skip // plan.config.chunk_rows % count)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(each.stop() for each in readers), return_exceptions=True)


async def _in_turn(ahead: list[asyncio.Queue[ReadResult]], turn: int) -> AsyncIterator[Chunk]:
    while (got := await ahead[turn].get()) is not None:
        if isinstance(got, FileRefused):
            raise got
        yield got
        if got.is_last_part:
            turn = (turn + 1) % len(ahead)


async def _read_ahead(reader: ReaderProcess, ahead: asyncio.Queue[ReadResult]) -> None:
    while True:
        got = await reader.next()
        await ahead.put(got)
        if not isinstance(got, Chunk):
            return


def run_reader(orders: BinaryIO, results: BinaryIO) -> None:
    """Main function of a reader process."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_READER_MEMORY, MAX_READER_MEMORY))
    gc.set_threshold(*_GC_THRESHOLDS)  # millions of rows without reference cycles
    plan: ReadPlan = pickle.load(orders)  # noqa: S301  # our own command's
    if plan.is_workbook:
        resource.setrlimit(resource.RLIMIT_AS, (MAX_WORKBOOK_MEMORY, MAX_WORKBOOK_MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (MAX_WORKBOOK_SECONDS, MAX_WORKBOOK_SECONDS))
    with suppress(BrokenPipeError):  # the parent has closed the pipe
        try:
            for chunk in read_chunks(plan):
                _send(chunk, results)
            _send(None, results)
        except FileRefused as refused:
            _send(refused, results)
        except MemoryError:
            too_large = "A row of the file needs more memory than it may take."
            _send(FileRefused(too_large, "文件中有一行所需内存过大。"), results)


def _send(got: ReadResult, results: BinaryIO) -> None:
    payload = got.payload if isinstance(got, Chunk) else b""
    about = pickle.dumps(replace(got, payload=b"") if isinstance(got, Chunk) else got)
    results.write(_HEAD.pack(len(about), len(payload)))
    results.write(about)
    results.write(payload)
    results.flush()
