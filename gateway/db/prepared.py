"""Prepared single statements on asyncpg, for the hottest paths: one round trip, autocommit.

SQLAlchemy's checkout and result objects cost more than these statements themselves. Everything else
goes through `engine`.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from sqlalchemy.engine import make_url

from gateway.db.generation import SessionGeneration
from gateway.db.statements import Statement
from gateway.db.unavailable import UnavailableError
from gateway.db.waiting import MAX_WAITING_PER_CONNECTION, session_options
from gateway.settings import REQUEST_TIMEOUT


class HotDatabase:
    """Connection pool that runs `Statement`s, each in its own transaction."""

    def __init__(self, pool: asyncpg.Pool, generation: SessionGeneration) -> None:
        self._pool = pool
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
    ) -> "HotDatabase":
        """Connect to `url` (SQLAlchemy's form, `?ssl=` and all); at most `size` connections.

        PostgreSQL ends a statement after `statement_timeout` seconds.
        """
        address = make_url(url)
        _, arguments = address.get_dialect()().create_connect_args(address)
        pool = await asyncpg.create_pool(
            **arguments,
            min_size=0,  # else asyncpg goes on connecting by itself, and logs each failure
            max_size=size,
            reset=_no_reset,
            **session_options("xinqiao-hot", statement_timeout),
        )
        return cls(pool, generation or SessionGeneration())

    async def row(self, statement: Statement, values: Mapping[str, Any]) -> asyncpg.Record | None:
        """Run `statement` and return its single row, or `None`."""
        arguments = [values[name] for name in statement.names]
        connection = await self._connection()
        try:
            row = await connection.fetchrow(statement.positional, *arguments)
        except BaseException as error:
            self._generation.note(error)
            # A cancelled caller need not wait until the server has noticed.
            self._release_later(connection)
            raise
        await self._pool.release(connection)
        return row

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.gather(*self._releasing, return_exceptions=True)
        await self._pool.close()

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


def certain(row: asyncpg.Record | None) -> asyncpg.Record:
    """The row of a SELECT without FROM, which always gives one."""
    if row is None:
        raise RuntimeError("a SELECT without FROM gives one row")
    return row


async def _no_reset(_connection: object) -> None:
    """No session state to undo: each use is one autocommit statement."""
