"""Lines of a job from a workbook, which a process of its own reads (`workbook_process`)."""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any, Final

import orjson

from gateway.access.errors import PayloadTooLargeError
from gateway.verifications.jobs.job_line import broken_line
from gateway.verifications.jobs.row_lines import HeaderError, RowLines
from gateway.verifications.jobs.template import Template

MAX_WORKBOOK_BYTES: Final = 64 << 20
LONGEST_ROW: Final = 4 << 20
UNFIT: Final = "A cell of this row is merged, an error, a date, or a number that has lost digits."
ENDED: Final = HeaderError(
    "The process that read the workbook ended; it may have needed too much memory. Send it as CSV.",
    "读取工作簿的进程已中止，可能是所需内存过大：请以 CSV 格式上传。",
)
LONG_ROW: Final = HeaderError(
    f"A row of the workbook holds more than {LONGEST_ROW >> 20} MiB of text: send it as CSV.",
    f"工作簿中有一行文本超过 {LONGEST_ROW >> 20} MiB：请以 CSV 格式上传。",
)
# Its own settings: the gateway's environment holds secrets.
_PROGRAM: Final = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from gateway.verifications.jobs.workbook_process import main
main()
"""


class WorkbookLines:
    """One workbook: its bytes are written to the process, then its lines are read."""

    def __init__(self, template: Template) -> None:
        self._template = template
        self._process: asyncio.subprocess.Process | None = None
        self._written = 0

    async def write(self, block: bytes) -> None:
        """Hand on the next bytes of the file."""
        self._written += len(block)
        if self._written > MAX_WORKBOOK_BYTES:
            raise PayloadTooLargeError("A workbook has at most 64 MiB: send it as CSV.")
        process = await self._started()
        if process.stdin is not None:
            try:
                process.stdin.write(block)
                await process.stdin.drain()
            except ConnectionError:
                raise ENDED from None

    async def lines(self) -> AsyncIterator[bytes]:
        """The lines of the rows below the header. Raises `HeaderError`."""
        process = await self._started()
        if process.stdin is not None:
            process.stdin.write_eof()
        maker: RowLines | None = None
        number = 0
        async for row in _rows(process):
            if isinstance(row, dict):
                if "refused" in row:
                    raise HeaderError(*row["refused"])
                return
            if maker is None:
                maker = RowLines.below([each or "" for each in row], self._template)
                continue
            number += 1
            yield _line(maker, row, number)
        raise ENDED

    async def close(self) -> None:
        """Kill the process if it still runs, and wait until it has ended."""
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            try:
                process.kill()
            except ProcessLookupError:
                return
        # Drain its output: with a full pipe asyncio would wait for ever (python/cpython#119710).
        await process.communicate()

    async def _started(self) -> asyncio.subprocess.Process:
        if self._process is None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                _PROGRAM,
                orjson.dumps(sys.path).decode(),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,  # a traceback could show a row
                env={},
                limit=LONGEST_ROW,
            )
        return self._process


def _line(maker: RowLines, row: list[Any], number: int) -> bytes:
    used = {maker.code, *maker.places.values()}
    if any(place < len(row) and row[place] is None for place in used):
        return broken_line(number, UNFIT)
    cells = [each or "" for each in row]
    return maker.line(cells + [""] * (maker.width - len(cells)), number)


async def _rows(process: asyncio.subprocess.Process) -> AsyncIterator[Any]:
    if process.stdout is None:
        return
    while line := await _next_row(process.stdout):
        yield orjson.loads(line)


async def _next_row(stdout: asyncio.StreamReader) -> bytes:
    try:
        return await stdout.readline()
    except ValueError:  # longer than `limit`
        raise LONG_ROW from None
