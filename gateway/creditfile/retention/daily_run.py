"""Daily retention run: once a day across all workers, resumed if incomplete."""

from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as insert_unless
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from gateway.creditfile.local_dates import day_of
from gateway.creditfile.retention.delete import Deleter
from gateway.creditfile.retention.tables import RetentionDayRow
from gateway.db.engine import autocommit
from gateway.db.locks import LockKey, try_session_lock, unlock_session

ENTERPRISES_PER_ROUND: Final = 2_000  # bounds one round of housekeeping


async def run_daily(
    deleter: Deleter, *, now: datetime, at_most: int | None = ENTERPRISES_PER_ROUND
) -> int:
    """Delete what is due, unless today's run is complete or another worker runs it; the number of
    records.

    The lock is held by the session, so that it ends with the process.
    """
    async with autocommit(deleter.engine).connect() as connection:
        if await _is_done(connection, now):
            return 0
        if not await try_session_lock(connection, LockKey.RETENTION):
            return 0
        try:
            done = await deleter.run(now=now, at_most=at_most)
            if done.whole:
                await _note(connection, done.records, now)
        finally:
            await unlock_session(connection, LockKey.RETENTION)
    return done.records


async def _is_done(connection: AsyncConnection, now: datetime) -> bool:
    day = select(col(RetentionDayRow.day)).where(col(RetentionDayRow.day) == day_of(now))
    return (await connection.execute(day)).scalar_one_or_none() is not None


async def _note(connection: AsyncConnection, records: int, now: datetime) -> None:
    row = {"day": day_of(now), "records": records, "finished_at": now}
    await connection.execute(insert_unless(RetentionDayRow).values(row).on_conflict_do_nothing())
