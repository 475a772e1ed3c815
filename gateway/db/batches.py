"""Gather concurrent calls of one statement into sets: at most 16 in a set, 2 sets under way.

There is no timer: a call that finds less than two sets under way goes at once, and what comes meanwhile
makes the next set. Calls of the same key (one client about one enterprise) never share a set and are
never under way at once. A caller that gives up takes nothing with it: its set goes on.

What a set did not write, and every call of a set that PostgreSQL refused, is carried out by itself: a row
that has changed, or a value that PostgreSQL refuses, costs its own call alone. A call that finds a row
locked tries again a little later and holds neither a connection nor a place meanwhile.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import asyncpg

from gateway.db.statements import SetStatement
from gateway.db.unavailable import LOCK_NOT_AVAILABLE, UnavailableError, makes_unfit, sqlstate_of

LARGEST_SET: Final = 16
SETS_UNDER_WAY: Final = 2
FIRST_PAUSE: Final = 0.005
"""Seconds until a call that found a row locked tries again; then twice as long, up to `LONGEST_PAUSE`."""
LONGEST_PAUSE: Final = 0.1

Row: TypeAlias = asyncpg.Record | None
Values = Mapping[str, Any]
RunSingle = Callable[[Values], Awaitable[Row]]
RunSet = Callable[[Sequence[Values]], Awaitable[Sequence[asyncpg.Record]]]


@dataclass(slots=True, kw_only=True)
class QueuedCall:
    """A call that waits for its row; `until`: the time at which it gives up waiting for a lock."""

    values: Values
    key: Hashable
    row: asyncio.Future[Row]
    until: float
    pause: float = FIRST_PAUSE


@dataclass(slots=True, kw_only=True)
class Batcher:
    """The calls of one statement."""

    statement: SetStatement
    run_single: RunSingle
    run_set: RunSet
    most_waiting: int
    lock_timeout: float
    """Seconds for which a call waits for a locked row."""
    largest: int = LARGEST_SET
    under_way: int = SETS_UNDER_WAY
    _waiting: deque[QueuedCall] = field(default_factory=deque)
    _postponed: int = 0
    _busy: set[Hashable] = field(default_factory=set)
    _workers: set[asyncio.Task[None]] = field(default_factory=set)

    def submit(self, values: Values) -> asyncio.Future[Row]:
        """The row of a call, to come; `UnavailableError` if too many wait."""
        if len(self._waiting) + self._postponed >= self.most_waiting:
            raise UnavailableError
        loop, names = asyncio.get_running_loop(), self.statement.key
        call = QueuedCall(
            values=values,
            key=tuple(values[name] for name in names) if names else None,
            row=loop.create_future(),
            until=loop.time() + self.lock_timeout,
        )
        self._queue(call)
        return call.row

    async def close(self) -> None:
        """Wait for the calls under way."""
        await asyncio.gather(*self._workers, return_exceptions=True)

    def _queue(self, call: QueuedCall) -> None:
        self._waiting.append(call)
        self._employ()

    def _employ(self) -> None:
        """Start a worker, if one may be started."""
        if self._waiting and len(self._workers) < self.under_way:
            self._workers.add(asyncio.create_task(self._work()))

    async def _work(self) -> None:
        try:
            while calls := self._next_set():
                await self._handle(calls)
        finally:  # at once: a call queued later would wait for a worker that has ended
            if (worker := asyncio.current_task()) is not None:
                self._workers.discard(worker)

    async def _handle(self, calls: list[QueuedCall]) -> None:
        """Carry out these calls; whatever happens, each is answered, failed or postponed."""
        keys = {call.key for call in calls if call.key is not None}
        self._busy |= keys
        try:
            await self._carry_out(calls)
        except (Exception, asyncio.CancelledError) as error:
            for call in calls:
                _fail(call, error if isinstance(error, Exception) else UnavailableError())
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise  # the loop is closing
        finally:
            self._busy -= keys

    def _next_set(self) -> list[QueuedCall]:
        """The oldest calls that may go together; the others wait on, in their order."""
        chosen: list[QueuedCall] = []
        left: list[QueuedCall] = []
        keys = set(self._busy)
        while self._waiting and len(chosen) < self.largest:
            call = self._waiting.popleft()
            if call.row.done():
                continue  # its caller has gone
            if call.key in keys:
                left.append(call)
                continue
            if call.key is not None:
                keys.add(call.key)
            chosen.append(call)
        self._waiting.extendleft(reversed(left))
        return chosen

    async def _carry_out(self, calls: list[QueuedCall]) -> None:
        """Carry out each call: in one set, what that leaves out by itself."""
        alone = calls if len(calls) == 1 else await self._as_set(calls)
        if len(alone) == 1:
            await self._alone(alone[0])
        elif alone:
            await asyncio.gather(*map(self._alone, alone))

    async def _as_set(self, calls: list[QueuedCall]) -> list[QueuedCall]:
        """Carry out the set; the calls that are still to be carried out."""
        asked = self._distinct(calls) if self.statement.shared else [[call] for call in calls]
        try:
            rows = await self.run_set([same[0].values for same in asked])
        except Exception as error:  # noqa: BLE001  # any error is the answer to each call
            if isinstance(error, asyncpg.PostgresError | ValueError) and not makes_unfit(error):
                return calls  # nothing of it was carried out
            for call in calls:
                _fail(call, error)
            return []
        for row in rows:
            same = asked[row["place"] - 1]
            for call in same:
                _answer(call, row)
            same.clear()
        left_out = [call for same in asked for call in same]
        if not self.statement.reads:
            return left_out
        for call in left_out:
            _answer(call, None)
        return []

    def _distinct(self, calls: Sequence[QueuedCall]) -> list[list[QueuedCall]]:
        """The calls by their values."""
        same: dict[Hashable, list[QueuedCall]] = {}
        for call in calls:
            values = tuple(call.values[name] for name in self.statement.names)
            same.setdefault(values, []).append(call)
        return list(same.values())

    async def _alone(self, call: QueuedCall) -> None:
        if call.row.done():
            return  # its caller has gone
        try:
            row = await self.run_single(call.values)
        except Exception as error:  # noqa: BLE001  # it is the answer to the call
            if sqlstate_of(error) == LOCK_NOT_AVAILABLE and self._postpone(call):
                return
            _fail(call, error)
        else:
            _answer(call, row)

    def _postpone(self, call: QueuedCall) -> bool:
        """Queue the call again after its pause; False if it has waited long enough."""
        loop = asyncio.get_running_loop()
        if loop.time() + call.pause > call.until:
            return False
        self._postponed += 1
        loop.call_later(call.pause, self._resume, call)
        call.pause = min(2 * call.pause, LONGEST_PAUSE)
        return True

    def _resume(self, call: QueuedCall) -> None:
        self._postponed -= 1
        self._queue(call)


def _answer(call: QueuedCall, row: Row) -> None:
    if not call.row.done():
        call.row.set_result(row)


def _fail(call: QueuedCall, error: Exception) -> None:
    if not call.row.done():
        call.row.set_exception(error)
        call.row.exception()  # seen: its caller may have gone
