"""Waiting for events in tests: for other tasks, processes and sessions, never for a time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

T = TypeVar("T")

PATIENCE: Final = 300.0
"""Seconds to wait for an event on a busy machine."""

_WAITING: Final = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'",
)


async def eventually(look: Callable[[], Awaitable[T]]) -> T:
    """First truthy result of `look`."""
    async with asyncio.timeout(PATIENCE):
        while not (found := await look()):  # noqa: ASYNC110  # others' doing, which tells nobody
            await asyncio.sleep(0.02)
        return found


async def lock_waits(engine: AsyncEngine, sessions: int = 1) -> None:
    """Wait until so many sessions of the engine's database wait for a lock."""

    async def enough() -> bool:
        async with engine.connect() as connection:
            waiting: int = (await connection.execute(_WAITING)).scalar_one()
        return waiting >= sessions

    await eventually(enough)
