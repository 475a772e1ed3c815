"""What has had its day is deleted: spent codes, old assertions, kept answers, ended sessions.

Nothing here is evidence: disclosures, consents and acts are kept elsewhere, for years.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Final

import structlog
from fastapi import FastAPI

from gateway.creditfile.objections.service import advance_deadlines
from gateway.creditfile.retention.daily_run import run_daily
from gateway.creditfile.retention.delete import Deleter
from gateway.db.statements import Statement
from gateway.db.unavailable import name_of
from gateway.disclosure import withdrawal_notices
from gateway.notices.outbox import NOTICE_RETENTION
from gateway.runtime import Runtime

log = structlog.get_logger("gateway.background.housekeeping")

EVERY_SECONDS: Final = 300
# An interaction outlives its pushed request; a token's row must stay as long as the token could
# be shown; kept answers are good for a day.
EXPIRING_TABLES: Final = {
    "assertion_jti": ("expires_at", timedelta(minutes=5)),
    "pushed_request": ("expires_at", timedelta(hours=1)),
    "interaction": ("expires_at", timedelta(days=1)),
    "access_token": ("expires_at", timedelta(days=1)),
    "refresh_token": ("expires_at", timedelta(days=1)),
    "authorization_code": ("expires_at", timedelta(days=1)),
    "session": ("expires_at", timedelta(hours=1)),
    "idempotency": ("at", timedelta(days=1)),
    "notice": ("at", NOTICE_RETENTION),
}

# A code that is used again, however late, still ends what it gave: so it stays as long as that.
RETENTION_CONDITIONS: Final = {
    "authorization_code": " AND ".join(
        f"NOT EXISTS (SELECT 1 FROM {given} g WHERE g.code_digest = authorization_code.digest)"  # noqa: S608  # constants
        for given in ("refresh_token", "access_token")
    ),
}


async def delete_expired(runtime: Runtime) -> int:
    """Delete what has ended, each table in a transaction of its own; how many rows that were."""
    deleted = 0
    for table, (column, grace) in EXPIRING_TABLES.items():
        spared = RETENTION_CONDITIONS.get(table, "true")
        statement = Statement(f"DELETE FROM {table} WHERE {column} < :before AND {spared}")  # noqa: S608  # constants
        async with runtime.background.begin() as connection:
            done = await connection.execute(statement, {"before": runtime.now() - grace})
            deleted += done.rowcount
    return deleted


async def advance_objections(runtime: Runtime) -> int:
    """Close the objections whose time for a review has passed; how many acts that took."""
    async with runtime.background.begin() as connection:
        return await advance_deadlines(connection, runtime.catalogue, now=runtime.now())


async def notify_expired_consents(runtime: Runtime) -> int:
    """Let clients hear of the consents that have run out since; how many."""
    total = 0
    while True:
        async with runtime.background.begin() as connection:
            told = await withdrawal_notices.notify_expired_consents(connection, now=runtime.now())
        total += told
        if told < withdrawal_notices.MAX_EXPIRED:
            return total


async def run_retention(runtime: Runtime) -> int:
    """Delete the records whose retention has ended, once a day; how many that were."""
    deleter = Deleter(
        engine=runtime.background,
        keys=runtime.keys,
        catalogue=runtime.catalogue,
        issuer=runtime.settings.issuer,
    )
    return await run_daily(deleter, now=runtime.now())


@asynccontextmanager
async def housekeeping(app: FastAPI) -> AsyncIterator[None]:
    """Sweep now and then for as long as the block lasts; several workers may do so at once."""
    task = asyncio.create_task(_for_ever(app))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _for_ever(app: FastAPI) -> None:
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        runtime: Runtime = app.state.runtime  # with the catalogue that counts by now
        try:
            await delete_expired(runtime)
            await advance_objections(runtime)
            await notify_expired_consents(runtime)
            await run_retention(runtime)
        except Exception as error:  # noqa: BLE001  # whatever it was, the next round tries again
            log.warning("sweeping_failed", kind=name_of(error))
