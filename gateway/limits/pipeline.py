"""Batch concurrent Redis commands: at most 128 in a round trip, 4 round trips in flight.

Callers wait in this process for a turn, not for a connection; Redis' own timeout bounds the wait. The
answer to a caller that hung up is read all the same.

After an unexpected error every connection is dropped: a server that answers READONLY, LOADING or OOM
may have been replaced, and a new connection finds out.
"""

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import NoScriptError, TimeoutError  # noqa: A004  # redis-py's own

CONCURRENCY: Final = 4  # connections, and round trips in flight
BATCH_SIZE: Final = 128  # commands in one round trip

Reply = Any  # what Redis answered


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedCommand:
    """A Redis command that waits for its answer."""

    command: tuple[str | int, ...]
    options: dict[str, Any]  # of redis-py, for reading the answer
    answer: asyncio.Future[Reply]


@dataclass(slots=True)
class Pipeline:
    """Batched commands to one Redis."""

    redis: Redis
    _waiting: deque[QueuedCommand] = field(default_factory=deque)
    _workers: set[asyncio.Task[None]] = field(default_factory=set)

    async def call(self, *command: str | int, **options: Any) -> Reply:
        """Redis' answer to `command`; raises redis-py's errors."""
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting.append(QueuedCommand(command=command, options=options, answer=answer))
        if len(self._workers) < CONCURRENCY:
            self._workers.add(asyncio.create_task(self._work()))
        return await answer

    async def close(self) -> None:
        """Wait for the round trips in flight."""
        await asyncio.gather(*self._workers, return_exceptions=True)

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
            async with self.redis.pipeline(transaction=False) as pipe:
                for each in batch:
                    pipe.execute_command(*each.command, **each.options)
                answers: list[Reply] = await pipe.execute(raise_on_error=False)
        except Exception as error:  # noqa: BLE001  # any error is the answer to each command
            if isinstance(error, TimeoutError):  # a silent Redis: the queue need not wait for it
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

    async def _drop_connections(self) -> None:
        """Close every connection; one that is in use closes when it is given back."""
        pool = self.redis.connection_pool
        with suppress(Exception):  # a connection that fails to close is gone as well
            await pool.update_active_connections_for_reconnect()  # type: ignore[no-untyped-call]
            await pool.disconnect(inuse_connections=False)


def is_unexpected(answer: Reply) -> bool:
    """True for any error of the server but a missing script."""
    return isinstance(answer, Exception) and not isinstance(answer, NoScriptError)
