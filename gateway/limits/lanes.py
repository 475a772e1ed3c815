"""Calls that come together travel together: one pipeline, one round trip, however large the crowd.

So a crowd waits for its turn in this process and not for a connection, and what bounds the waiting is
Redis' own silence. A caller that hangs up takes nothing with it: the lane reads its answer anyway.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import TimeoutError  # noqa: A004  # redis-py's own

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
class Lanes:
    """The ways to one Redis."""

    redis: Redis
    _waiting: deque[Call] = field(default_factory=deque)
    _lanes: set[asyncio.Task[None]] = field(default_factory=set)

    async def call(self, *command: str | int, **options: Any) -> Reply:
        """What Redis answers to `command`; raises what redis-py raises."""
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting.append(Call(command=command, options=options, answer=answer))
        if len(self._lanes) < LANES:
            lane = asyncio.create_task(self._drive())
            self._lanes.add(lane)
            lane.add_done_callback(self._lanes.discard)
        return await answer

    async def close(self) -> None:
        """Let what is under way come to its end."""
        await asyncio.gather(*self._lanes, return_exceptions=True)

    async def _drive(self) -> None:
        while self._waiting:
            together = min(len(self._waiting), MOST_TOGETHER)
            await self._travel([self._waiting.popleft() for _ in range(together)])

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
        for call, answer in zip(calls, answers, strict=True):
            if call.answer.done():
                continue  # its caller has hung up
            if isinstance(answer, Exception):
                call.answer.set_exception(answer)
            else:
                call.answer.set_result(answer)
