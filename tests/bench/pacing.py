"""Pacing of a window's requests: as soon as a connection is free, or at a fixed rate.

At a fixed rate the load does not wait for slow answers: a request that finds no free connection waits
in line, and its latency counts from the moment when it should have been sent.
"""

import asyncio
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol


class Connection(Protocol):
    """A connection of the load generator."""

    def send_next(self) -> None:
        """Send the next request that is due."""

    def finish(self) -> None:
        """Close it: no request is left."""


class Pace(Protocol):
    """The moments at which requests are due."""

    def begin(self, connections: list[Connection]) -> None:
        """Start the clock; every connection is free."""

    def due(self, connection: Connection, now: float) -> float | None:
        """Moment of this connection's next request; none if it has to wait or was finished."""


@dataclass(slots=True, kw_only=True)
class Closed:
    """A closed loop of `seconds`: each connection sends again once it was answered."""

    seconds: float
    _until: float = 0.0

    def begin(self, connections: list[Connection]) -> None:
        """See `Pace`."""
        self._until = time.perf_counter() + self.seconds
        for connection in connections:
            connection.send_next()

    def due(self, connection: Connection, now: float) -> float | None:
        """See `Pace`."""
        if now <= self._until:
            return now
        connection.finish()
        return None


@dataclass(slots=True, kw_only=True)
class Open:
    """An open loop of `seconds`: requests arrive `rate` times a second, whatever is answered."""

    rate: float
    seconds: float
    _waiting: deque[float] = field(default_factory=deque)
    _idle: list[Connection] = field(default_factory=list)
    _is_over: bool = False

    def begin(self, connections: list[Connection]) -> None:
        """See `Pace`."""
        self._idle = list(connections)
        loop = asyncio.get_running_loop()
        # A thread's clock, because the event loop's timers are exact to a millisecond only.
        threading.Thread(target=self._announce, args=(loop,), daemon=True).start()

    def due(self, connection: Connection, now: float) -> float | None:  # noqa: ARG002
        """See `Pace`."""
        if self._waiting:
            return self._waiting.popleft()
        if self._is_over:
            connection.finish()
        else:
            self._idle.append(connection)
        return None

    def _announce(self, loop: asyncio.AbstractEventLoop) -> None:
        began = time.perf_counter()
        for number in range(int(self.rate * self.seconds)):
            moment = began + number / self.rate
            time.sleep(max(0.0, moment - time.perf_counter()))
            loop.call_soon_threadsafe(self._arrive, moment)
        loop.call_soon_threadsafe(self._end)

    def _arrive(self, moment: float) -> None:
        self._waiting.append(moment)
        if self._idle:
            self._idle.pop().send_next()

    def _end(self) -> None:
        self._is_over = True
        for connection in self._idle:
            connection.finish()
