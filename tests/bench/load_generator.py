"""Load generator in a separate process; a window with one bad answer is discarded."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from typing import Final, cast

import uvloop

from tests.bench.http_requests import RequestSource
from tests.bench.options import HOST

PATIENCE: Final = 30.0  # seconds that answers may be late when a window ends
SHOWN: Final = 600
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_END: Final = b"\r\n\r\n"


class LoadFailedError(RuntimeError):
    """A call was not answered, or not as expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One window of at most `seconds` over `connections`; each answer must contain all of `told`.

    `again`: the requests are sent over and over.
    """

    title: str
    port: int
    seconds: float
    connections: int
    requests: RequestSource
    again: bool = False
    told: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Result of a window: its length and the latency of each 200, in seconds."""

    seconds: float
    latencies: tuple[float, ...]

    @property
    def per_second(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.seconds


def run(job: Job) -> Window:
    """Build the requests, then send them; raises `LoadFailedError`."""
    requests = job.requests.build()
    load = _Run(cycle(requests) if job.again else iter(requests), job.seconds, job.told)
    uvloop.run(load.run(job))
    if load.failures:
        raise LoadFailedError(f"{job.title}: {dict(load.failures)}\n{load.sample}")
    return Window(seconds=load.ended - load.began, latencies=tuple(load.latencies))


@dataclass(slots=True)
class _Run:
    """State of a running window: requests left, latencies, failures."""

    requests: Iterator[bytes]
    seconds: float
    told: tuple[bytes, ...]
    latencies: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    sample: str = ""
    began: float = 0.0
    ended: float = 0.0

    async def run(self, job: Job) -> None:
        loop = asyncio.get_running_loop()
        connections = [_Connection(self, loop.create_future()) for _ in range(job.connections)]
        for connection in connections:
            await loop.create_connection(partial(_same, connection), HOST, job.port)
        self.began = time.perf_counter()
        for connection in connections:
            connection.send_next()
        async with asyncio.timeout(job.seconds + PATIENCE):
            await asyncio.gather(*(connection.done for connection in connections))

    def next(self, now: float) -> bytes | None:
        return None if now - self.began > self.seconds else next(self.requests, None)

    def note(self, answer: bytes, sent: float, now: float) -> None:
        self.ended = now
        if answer.startswith(b"HTTP/1.1 200 ") and all(told in answer for told in self.told):
            self.latencies.append(now - sent)
            return
        self.failures[answer[9:12].decode()] += 1
        self.sample = self.sample or answer[-SHOWN:].decode("utf-8", "replace")


def _same(connection: "_Connection") -> "_Connection":
    """Protocol factory: the connection object exists beforehand."""
    return connection


class _Connection(asyncio.Protocol):
    """A keep-alive connection with one request in flight."""

    def __init__(self, load: _Run, done: asyncio.Future[None]) -> None:
        self.done = done
        self._run = load
        self._buffer = b""
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is not a subclass

    def send_next(self) -> None:
        now = time.perf_counter()
        request = self._run.next(now)
        if request is None:
            self.done.set_result(None)
            self._transport.close()
            return
        self._sent = now
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(_END)
        if head < 0:
            return
        length = _LENGTH.search(self._buffer, 0, head + 2)
        if length is None or len(self._buffer) < head + len(_END) + int(length[1]):
            return
        answer, self._buffer = self._buffer, b""
        self._run.note(answer, self._sent, time.perf_counter())
        self.send_next()

    def connection_lost(self, _: Exception | None) -> None:
        if not self.done.done():
            self._run.failures["connection lost"] += 1
            self.done.set_result(None)
