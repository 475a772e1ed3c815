"""Calls that come together travel together: one pipeline, one round trip, however large the crowd.

So a crowd waits for its turn in this process and not for a connection, and what bounds the waiting is
Redis' own silence. A caller that hangs up takes nothing with it: the lane reads its answer anyway.

After an error that is not expected every connection is dropped: whatever answers READONLY, LOADING or
OOM may have been replaced by now, and a new connection finds out.
"""

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import NoScriptError, TimeoutError  # noqa: A004  # redis-py's own

LANES: Final = 4  # connections, and round trips under way at once
MOST_TOGETHER: Final = 128  # calls in one round trip

Reply = Any  # what Redis answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A command on its way."""

    command: tuple[str | int, ...]
    options: dict[str, Any]  # of redis-py, for reading the answer
    answer: asyncio.Future[Reply]


@dataclass(slots=True)
class Pipeline:
    """The ways to one Redis."""

    redis: Redis
    _waiting: deque[Call] = field(default_factory=deque)
    _lanes: set[asyncio.Task[None]] = field(default_factory=set)

    async def call(self, *command: str | int, **options: Any) -> Reply:
        """What Redis answers to `command`; raises what redis-py raises."""
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting.append(Call(command=command, options=options, answer=answer))
        if len(self._lanes) < LANES:
            self._lanes.add(asyncio.create_task(self._drive()))
        return await answer

    async def close(self) -> None:
        """Let what is under way come to its end."""
        await asyncio.gather(*self._lanes, return_exceptions=True)

    async def _drive(self) -> None:
        try:
            while self._waiting:
                together = min(len(self._waiting), MOST_TOGETHER)
                calls = [self._waiting.popleft() for _ in range(together)]
                if wanted := [each for each in calls if not each.answer.done()]:
                    await self._travel(wanted)
        finally:  # at once: a call that comes in between would wait for a lane that has ended
            if (lane := asyncio.current_task()) is not None:
                self._lanes.discard(lane)

    async def _travel(self, calls: list[Call]) -> None:
        try:
            async with self.redis.pipeline(transaction=False) as pipe:
                for each in calls:
                    pipe.execute_command(*each.command, **each.options)
                answers: list[Reply] = await pipe.execute(raise_on_error=False)
        except Exception as error:  # noqa: BLE001  # whatever it was, it is the answer to each
            if isinstance(error, TimeoutError):  # a silent Redis: those behind need not wait for it
                calls += self._waiting
                self._waiting.clear()
            answers = [error] * len(calls)
        if any(map(is_unexpected, answers)):
            await self._drop_connections()
        for call, answer in zip(calls, answers, strict=True):
            if call.answer.done():
                continue  # its caller has hung up
            if isinstance(answer, Exception):
                call.answer.set_exception(answer)
            else:
                call.answer.set_result(answer)

    async def _drop_connections(self) -> None:
        """Close every connection; one that is in use closes when it is given back."""
        pool = self.redis.connection_pool
        with suppress(Exception):  # what cannot be closed well is gone as well
            await pool.update_active_connections_for_reconnect()  # type: ignore[no-untyped-call]
            await pool.disconnect(inuse_connections=False)


def is_unexpected(answer: Reply) -> bool:
    """Whether this is an error that says something about the server and not about a script."""
    return isinstance(answer, Exception) and not isinstance(answer, NoScriptError)
