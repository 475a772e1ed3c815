"""Batch concurrent Redis commands: at most 128 in a round trip, 2 round trips in flight.

Callers wait in this process for a turn, not for a connection; each round trip has its own bound. The
answer to a caller that hung up is read all the same. Commands are packed by hiredis, at once: redis-py
does it in Python, argument by argument.

After an unexpected error every connection is dropped: a server that answers READONLY, LOADING or OOM
may have been replaced, and a new connection finds out.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import redis
from hiredis import pack_command
from redis.asyncio import Connection, ConnectionPool
from redis.exceptions import NoScriptError, ResponseError

CONCURRENCY: Final = 2  # connections, and round trips in flight
BATCH_SIZE: Final = 128  # commands in one round trip
ROUND_TRIP_TIMEOUT: Final = 2.0  # seconds, with connecting

Reply = Any  # what Redis answered
TIMEOUTS: Final = (TimeoutError, redis.TimeoutError)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedCommand:
    """A Redis command that waits for its answer."""

    packed: bytes
    answer: asyncio.Future[Reply]


@dataclass(slots=True)
class Pipeline:
    """Batched commands to one Redis; `pool` has at least `CONCURRENCY` connections."""

    pool: ConnectionPool
    _waiting: deque[QueuedCommand] = field(default_factory=deque)
    _workers: set[asyncio.Task[None]] = field(default_factory=set)

    async def call(self, *command: str | int) -> Reply:
        """Redis' answer to `command`; raises redis-py's errors, or at once if it cannot be packed."""
        packed = pack_command(command)  # type: ignore[arg-type]  # any length
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting.append(QueuedCommand(packed=packed, answer=answer))
        if len(self._workers) < CONCURRENCY:
            self._workers.add(asyncio.create_task(self._work()))
        return await answer

    async def close(self) -> None:
        """Wait for the round trips in flight, then close the connections."""
        await asyncio.gather(*self._workers, return_exceptions=True)
        await self.pool.aclose()

    async def _work(self) -> None:
        try:
            while self._waiting:
                size = min(len(self._waiting), BATCH_SIZE)
                batch = [self._waiting.popleft() for _ in range(size)]
                if wanted := [each for each in batch if not each.answer.done()]:
                    await self._execute(wanted)
        finally:  # at once: a command queued later would wait for a worker that has ended
            if (worker := asyncio.current_task()) is not None:
                self._workers.discard(worker)

    async def _execute(self, batch: list[QueuedCommand]) -> None:
        try:
            answers = await self._round_trip([each.packed for each in batch])
        except Exception as error:  # noqa: BLE001  # any error is the answer to each command
            if isinstance(error, TIMEOUTS):  # a silent Redis: the queue need not wait for it
                batch += self._waiting
                self._waiting.clear()
            answers = [error] * len(batch)
        if any(map(is_unexpected, answers)):
            await self._drop_connections()
        for command, answer in zip(batch, answers, strict=True):
            if command.answer.done():
                continue  # its caller has hung up
            if isinstance(answer, Exception):
                command.answer.set_exception(answer)
            else:
                command.answer.set_result(answer)

    async def _round_trip(self, packed: Sequence[bytes]) -> list[Reply]:
        """The answers in order, errors of the server among them; raises if the connection fails."""
        async with asyncio.timeout(ROUND_TRIP_TIMEOUT):
            connection = await self.pool.get_connection()  # type: ignore[no-untyped-call]
            try:
                await connection.send_packed_command(b"".join(packed))
                return [await _answer(connection) for _ in packed]
            finally:
                await self.pool.release(connection)

    async def _drop_connections(self) -> None:
        """Close every connection; one that is in use closes when it is given back."""
        with suppress(Exception):  # a connection that fails to close is gone as well
            await self.pool.update_active_connections_for_reconnect()  # type: ignore[no-untyped-call]
            await self.pool.disconnect(inuse_connections=False)


async def _answer(connection: Connection) -> Reply:
    """The next answer on a connection; redis-py closes it where it cannot be read."""
    try:
        return await connection.read_response()
    except ResponseError as error:
        return error


def is_unexpected(answer: Reply) -> bool:
    """True for any error of the server but a missing script."""
    return isinstance(answer, Exception) and not isinstance(answer, NoScriptError)
