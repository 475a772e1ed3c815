"""Lines to a program's standard input and from its standard output, at once and within bounds.

The program may read everything before it writes, or answer line by line; it may die, write without end or
say nothing. It has a process group of its own, which is killed at the end.
"""

import contextlib
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Final

LONGEST_LINE: Final = 64 * 1024
"""Bytes of a line that are read; the rest of a longer one is another line."""
_LINES_AHEAD: Final = 100


class SilentError(Exception):
    """The program wrote nothing for the time that it had."""


class LineExchange:
    """A running program, its output as lines of bytes; after `close` its exit status."""

    def __init__(self, command: Sequence[str], lines: Iterable[str], *, patience: float) -> None:
        """Start the program and send it the lines; raises `OSError` if it cannot be started."""
        self._patience = patience
        self._process = subprocess.Popen(  # noqa: S603 - the caller's own command
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        self._read: queue.Queue[bytes | None] = queue.Queue(_LINES_AHEAD)
        self._stopped = threading.Event()
        self._threads = (
            threading.Thread(target=self._write_all, args=(lines,), daemon=True),
            threading.Thread(target=self._read_all, daemon=True),
        )
        for each in self._threads:
            each.start()

    def lines(self) -> Iterator[bytes]:
        """Each line of output until its end; raises `SilentError` after too long a silence."""
        while True:
            try:
                line = self._read.get(timeout=self._patience)
            except queue.Empty:
                raise SilentError from None
            if line is None:
                return
            yield line

    def ended(self) -> int | None:
        """The exit status, waited for as long as for a line; `None` where it goes on."""
        try:
            return self._process.wait(self._patience)
        except subprocess.TimeoutExpired:
            return None

    def close(self) -> None:
        """Kill what is left of the program and of what it started."""
        self._stopped.set()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for each in self._threads:
            each.join()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                _opened(pipe).close()

    def _write_all(self, lines: Iterable[str]) -> None:
        pipe = _opened(self._process.stdin)
        with contextlib.suppress(OSError):  # it died: what it said decides
            for line in lines:
                pipe.write(f"{line}\n".encode())
            pipe.close()

    def _read_all(self) -> None:
        pipe = _opened(self._process.stdout)
        while line := pipe.readline(LONGEST_LINE):
            self._put(line)
        self._put(None)

    def _put(self, line: bytes | None) -> None:
        while not self._stopped.is_set():
            with contextlib.suppress(queue.Full):
                self._read.put(line, timeout=0.1)
                return


def _opened(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # noqa: S101 - both are asked for
    return pipe
