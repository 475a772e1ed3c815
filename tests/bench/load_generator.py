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
from tests.bench.pacing import Closed, Open, Pace

PATIENCE: Final = 30.0  # seconds that answers may be late when a window ends
SHOWN: Final = 600
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_END: Final = b"\r\n\r\n"


class LoadFailedError(RuntimeError):
    """A call was not answered, or not as expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One window of at most `seconds` over `connections`.

    Each answer must contain all of `told`, each at least `times` times. `again`: the requests are sent
    over and over. `rate`: they are sent at so many a second, instead of as fast as they are answered.
    """

    title: str
    port: int
    seconds: float
    connections: int
    requests: RequestSource
    again: bool = False
    told: tuple[bytes, ...] = ()
    times: int = 1
    rate: float | None = None

    @property
    def pace(self) -> Pace:
        """Pacing of its requests."""
        if self.rate is None:
            return Closed(seconds=self.seconds)
        return Open(rate=self.rate, seconds=self.seconds)

    def accepts(self, answer: bytes) -> bool:
        """True if an answer is a good one."""
        is_ok = answer.startswith(b"HTTP/1.1 200 ")
        return is_ok and all(answer.count(told) >= self.times for told in self.told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Result of a window, in seconds: its length, each good answer's latency, the generator's CPU."""

    seconds: float
    latencies: tuple[float, ...]
    cpu: float

    @property
    def per_second(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.seconds


def run(job: Job) -> Window:
    """Build the requests, then send them; raises `LoadFailedError`."""
    requests = job.requests.build()
    load = _Run(job, cycle(requests) if job.again else iter(requests))
    uvloop.run(load.run())
    if load.failures:
        raise LoadFailedError(f"{job.title}: {dict(load.failures)}\n{load.sample}")
    return Window(seconds=load.ended - load.began, latencies=tuple(load.latencies), cpu=load.cpu)


@dataclass(slots=True)
class _Run:
    """State of a running window: requests left, latencies, failures."""

    job: Job
    requests: Iterator[bytes]
    latencies: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    sample: str = ""
    began: float = 0.0
    ended: float = 0.0
    cpu: float = 0.0
    pace: Pace = field(init=False)

    def __post_init__(self) -> None:
        self.pace = self.job.pace

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        connections = [_Connection(self, loop.create_future()) for _ in range(self.job.connections)]
        for connection in connections:
            await loop.create_connection(partial(_same, connection), HOST, self.job.port)
        self.began, cpu = time.perf_counter(), time.process_time()
        self.pace.begin(list(connections))
        async with asyncio.timeout(self.job.seconds + PATIENCE):
            await asyncio.gather(*(connection.done for connection in connections))
        self.cpu = time.process_time() - cpu

    def note(self, answer: bytes, due: float, now: float) -> None:
        self.ended = now
        if self.job.accepts(answer):
            self.latencies.append(now - due)
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
        self._due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is not a subclass

    def send_next(self) -> None:
        due = self._run.pace.due(self, time.perf_counter())
        if due is None:
            return
        request = next(self._run.requests, None)
        if request is None:
            self.finish()
            return
        self._due = due
        self._transport.write(request)

    def finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(_END)
        if head < 0:
            return
        length = _LENGTH.search(self._buffer, 0, head + 2)
        if length is None or len(self._buffer) < head + len(_END) + int(length[1]):
            return
        answer, self._buffer = self._buffer, b""
        self._run.note(answer, self._due, time.perf_counter())
        self.send_next()

    def connection_lost(self, _: Exception | None) -> None:
        if not self.done.done():
            self._run.failures["connection lost"] += 1
            self.done.set_result(None)
