"""Prepared single statements on asyncpg, for the hottest paths: one round trip, autocommit.

SQLAlchemy's checkout and result objects cost more than these statements themselves. Everything else
goes through `engine`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal, TypeVar

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from sqlalchemy.engine import make_url

from gateway.db.batches import LARGEST_SET, SETS_UNDER_WAY, Batcher
from gateway.db.distribution import IS_DISTRIBUTED
from gateway.db.generation import SessionGeneration
from gateway.db.statements import SetStatement, Statement
from gateway.db.unavailable import UnavailableError, makes_unfit
from gateway.db.waiting import MAX_WAITING_PER_CONNECTION, session_options
from gateway.settings import REQUEST_TIMEOUT

T = TypeVar("T")
SINGLES_UNDER_WAY: Final = 2
"""Statements that a set is carried out by at once where sets are off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sets:
    """Bounds of sets: calls that share a statement, and such statements under way."""

    largest: int = LARGEST_SET
    under_way: int = SETS_UNDER_WAY


class HotDatabase:
    """Connection pool that runs `Statement`s, each in its own transaction."""

    _sets: Sets | None = None
    """`None`: each call is a statement by itself."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        generation: SessionGeneration,
        *,
        statement_timeout: float,
        sets: Sets | None,
    ) -> None:
        self._pool = pool
        self._statement_timeout = statement_timeout
        self._sets = sets
        self._batchers: dict[SetStatement, Batcher] = {}
        self._waiting = 0
        self._max_waiting = MAX_WAITING_PER_CONNECTION * pool.get_max_size()
        self._generation = generation
        self._opened_in = generation.number
        self._releasing: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        size: int,
        statement_timeout: float = REQUEST_TIMEOUT,
        generation: SessionGeneration | None = None,
        sets: Sets | None = None,
    ) -> "HotDatabase":
        """Connect to `url` (SQLAlchemy's form, `?ssl=` and all); at most `size` connections.

        PostgreSQL ends a statement after `statement_timeout` seconds. With `sets` concurrent calls of
        a `SetStatement` share a statement.
        """
        session = session_options("xinqiao-hot", statement_timeout)
        # Each finds its rows by keys: what planning anew would find is not worth its time.
        # A set is taken for a hundred calls, for which a whole table might be hashed: not in these sessions.
        session["server_settings"] |= {
            "plan_cache_mode": "force_generic_plan",
            "enable_hashjoin": "off",
            "enable_mergejoin": "off",
        }
        address = make_url(url)
        _, arguments = address.get_dialect()().create_connect_args(address)
        pool = await asyncpg.create_pool(
            **arguments,
            min_size=0,  # else asyncpg goes on connecting by itself, and logs each failure
            max_size=size,
            reset=_no_reset,
            **session,
        )
        return cls(
            pool,
            generation or SessionGeneration(),
            statement_timeout=statement_timeout,
            sets=sets,
        )

    def use_sets(self, sets: Sets | None) -> None:
        """From now on, let concurrent calls share a statement, or not."""
        self._sets = sets
        self._batchers = {}

    @property
    def has_sets(self) -> bool:
        """True if calls share statements."""
        return self._sets is not None

    def submit(
        self, statement: SetStatement, values: Mapping[str, Any]
    ) -> asyncio.Future[asyncpg.Record | None]:
        """The single row of a call, to come; calls that are under way together may share a statement."""
        if self._sets is None:
            return _seen(asyncio.create_task(self.row(statement.single, values)))
        batcher = self._batchers.get(statement)
        if batcher is None:
            alone = statement.single if statement.impatient is None else statement.impatient
            batcher = self._batchers[statement] = Batcher(
                statement=statement,
                run_single=partial(self.row, alone),
                run_set=partial(self._rows, statement),
                most_waiting=self._max_waiting,
                lock_timeout=self._statement_timeout,
                largest=self._sets.largest,
                under_way=self._sets.under_way,
            )
        return batcher.submit(values)

    async def run_set(
        self, statement: SetStatement, calls: Sequence[Mapping[str, Any]]
    ) -> list[asyncpg.Record | None]:
        """The row of each call, in order: in one statement where sets are on; `None` for a call without.

        For a caller that makes its sets itself, of any size.
        """
        if self._sets is None:
            return await self._one_by_one(statement, calls)
        found: list[asyncpg.Record | None] = [None] * len(calls)
        for row in await self._rows(statement, calls) if calls else ():
            found[row["place"] - 1] = row
        return found

    async def _one_by_one(
        self, statement: SetStatement, calls: Sequence[Mapping[str, Any]]
    ) -> list[asyncpg.Record | None]:
        rows: list[asyncpg.Record | None] = []
        for first in range(0, len(calls), SINGLES_UNDER_WAY):
            few = calls[first : first + SINGLES_UNDER_WAY]
            done = await asyncio.gather(
                *(self.row(statement.single, each) for each in few), return_exceptions=True
            )
            rows += [_row_or_none(statement, each) for each in done]
        return rows

    async def row(self, statement: Statement, values: Mapping[str, Any]) -> asyncpg.Record | None:
        """Run `statement` and return its single row, or `None`."""
        arguments = [values[name] for name in statement.names]
        return await self._run(lambda session: session.fetchrow(statement.positional, *arguments))

    async def _rows(
        self, statement: SetStatement, calls: Sequence[Mapping[str, Any]]
    ) -> Sequence[asyncpg.Record]:
        """Run a set of calls and return the rows of those that it has carried out."""
        argument = statement.calls_json(calls)
        return await self._run(lambda session: session.fetch(statement.many, argument))

    async def close(self) -> None:
        """Close all connections."""
        for batcher in self._batchers.values():
            await batcher.close()
        await asyncio.gather(*self._releasing, return_exceptions=True)
        await self._pool.close()

    async def _run(self, fetch: Callable[[PoolConnectionProxy], Awaitable[T]]) -> T:
        connection = await self._connection()
        try:
            fetched = await fetch(connection)
        except BaseException as error:
            self._generation.note(error)
            # A cancelled caller need not wait until the server has noticed.
            self._release_later(connection)
            raise
        await _give_back(connection)
        return fetched

    async def _connection(self) -> PoolConnectionProxy:
        """Acquire a connection of the present generation; `UnavailableError` if too many wait."""
        if self._opened_in != self._generation.number:
            self._opened_in = self._generation.number
            await self._pool.expire_connections()
        if self._waiting >= self._max_waiting:
            raise UnavailableError
        self._waiting += 1
        try:
            return await self._pool.acquire()
        except Exception as error:
            self._generation.note(error)
            raise
        finally:
            self._waiting -= 1

    def _release_later(self, connection: PoolConnectionProxy) -> None:
        releasing = asyncio.create_task(self._release(connection))
        self._releasing.add(releasing)
        releasing.add_done_callback(self._releasing.discard)

    async def _release(self, connection: PoolConnectionProxy) -> None:
        with suppress(Exception):  # a connection that cannot be reset is closed
            await self._pool.release(connection)


_IS_DISTRIBUTED: Final = Statement(f"SELECT {IS_DISTRIBUTED} AS is_distributed")


async def sets_for(hot: HotDatabase, choice: Literal["auto", "off"]) -> Sets | None:
    """Sets of usual size, unless they are off or the database is a Citus cluster.

    A set names many enterprises, so that it would ask every shard.
    """
    if choice == "off":
        return None
    return None if certain(await hot.row(_IS_DISTRIBUTED, {}))["is_distributed"] else Sets()


def _seen(task: asyncio.Task[asyncpg.Record | None]) -> asyncio.Task[asyncpg.Record | None]:
    """The task, whose error counts as seen: its caller may have gone."""
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task


def _row_or_none(
    statement: SetStatement, row: asyncpg.Record | BaseException | None
) -> asyncpg.Record | None:
    """A call's row; `None` for a call that was undone, as a set leaves it out."""
    if not isinstance(row, BaseException):
        return row
    if isinstance(row, asyncpg.PostgresError) and not statement.reads and not makes_unfit(row):
        return None
    raise row


def certain(row: asyncpg.Record | None) -> asyncpg.Record:
    """The row of a SELECT without FROM, which always gives one."""
    if row is None:
        raise RuntimeError("a SELECT without FROM gives one row")
    return row


async def _give_back(connection: PoolConnectionProxy) -> None:
    """Release a connection whose statement is done.

    `Pool.release` does it in a task, against cancellation; without a reset there is nothing to wait for, and
    a task with its turn of the event loop costs half as much as the statement.
    """
    if connection._con is not None:  # noqa: SLF001  # else it has been closed
        await connection._holder.release(None)  # noqa: SLF001


async def _no_reset(_connection: object) -> None:
    """No session state to undo: each use is one autocommit statement."""
