"""The hot path's way to PostgreSQL: one prepared statement, one round trip, its own transaction.

SQLAlchemy's checkout and result objects cost more than the statements themselves there, so these
few go to asyncpg directly; everything else goes through `engine`.
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
from gateway.db.waiting import WAITING_EACH, session_options
from gateway.settings import REQUEST_TIMEOUT


class HotDatabase:
    """A pool of autocommit connections for `Statement`s."""

    def __init__(self, pool: asyncpg.Pool, generation: SessionGeneration) -> None:
        self._pool = pool
        self._waiting = 0
        self._most_waiting = WAITING_EACH * pool.get_max_size()
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

        A statement ends after `statement_timeout` seconds, whoever still waits for it.
        """
        address = make_url(url)
        _, how = address.get_dialect()().create_connect_args(address)
        pool = await asyncpg.create_pool(
            **how,
            min_size=0,  # else asyncpg goes on connecting by itself, and logs each failure
            max_size=size,
            reset=_nothing_to_reset,
            **session_options("xinqiao-hot", statement_timeout),
        )
        return cls(pool, generation or SessionGeneration())

    async def row(self, statement: Statement, values: Mapping[str, Any]) -> asyncpg.Record | None:
        """The one row that `statement` gives, or `None`."""
        arguments = [values[name] for name in statement.names]
        connection = await self._connection()
        try:
            row = await connection.fetchrow(statement.positional, *arguments)
        except BaseException as error:
            self._generation.note(error)
            # Whoever was cancelled need not wait until the server has heard of it.
            self._release_later(connection)
            raise
        await self._pool.release(connection)
        return row

    async def close(self) -> None:
        """Give the connections back to PostgreSQL."""
        await asyncio.gather(*self._releasing, return_exceptions=True)
        await self._pool.close()

    async def _connection(self) -> PoolConnectionProxy:
        """A connection of the present generation."""
        if self._opened_in != self._generation.number:
            self._opened_in = self._generation.number
            await self._pool.expire_connections()
        if self._waiting >= self._most_waiting:
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
        releasing = asyncio.create_task(self._released(connection))
        self._releasing.add(releasing)
        releasing.add_done_callback(self._releasing.discard)

    async def _released(self, connection: PoolConnectionProxy) -> None:
        with suppress(Exception):  # what cannot be released well is closed
            await self._pool.release(connection)


async def _nothing_to_reset(_connection: object) -> None:
    """Each use is one autocommit statement: there is no session state to undo."""
