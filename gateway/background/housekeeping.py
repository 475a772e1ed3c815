"""Housekeeping: deletes expired rows, advances objections and applications for repair,
notices of consents and of catalogue changes, retention.

Deleted rows are codes, assertions, stored answers and sessions, never evidence: disclosures, consents and
operators' acts are kept for years.
"""

from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from functools import partial
from typing import Final

import structlog
from fastapi import FastAPI

from gateway.background.periodic import in_background, run_periodically
from gateway.background.scan_writer import close_ended_days
from gateway.creditfile.catalogue import notices as catalogue_notices
from gateway.creditfile.objections.service import advance_deadlines
from gateway.creditfile.repairs import service as repairs
from gateway.creditfile.retention.daily_run import run_daily
from gateway.creditfile.retention.delete import Deleter
from gateway.db.statements import Statement
from gateway.disclosure.withdrawal_notices import MAX_EXPIRED, write_expiry_notices
from gateway.identity import sessions
from gateway.notices.outbox import NOTICE_RETENTION
from gateway.runtime import Runtime

log = structlog.get_logger("gateway.background.housekeeping")

EVERY_SECONDS: Final = 300
REPORT_FILE_RETENTION: Final = timedelta(days=30)
"""After the term of an own report."""
# Column and grace period. An interaction outlives its pushed request; a token's row must stay as long
# as the token could be presented; stored answers are valid for a day; who asked for an act on a record
# and who approved it is in the record's history.
EXPIRING_TABLES: Final = {
    "assertion_jti": ("expires_at", timedelta(minutes=5)),
    "pushed_request": ("expires_at", timedelta(hours=1)),
    "interaction": ("expires_at", timedelta(days=1)),
    "access_token": ("expires_at", timedelta(days=1)),
    "refresh_token": ("expires_at", timedelta(days=1)),
    "authorization_code": ("expires_at", timedelta(days=1)),
    "idempotency": ("at", timedelta(days=1)),
    "verification_batch": ("created_at", timedelta(days=30)),
    "notice": ("at", NOTICE_RETENTION),
    "record_action": ("lapses_at", timedelta(days=7)),
    "credit_report": ("valid_until", timedelta(days=730)),
    "credit_report_locator": ("valid_until", timedelta(days=730)),
    "code_report": ("at", timedelta(days=365)),
    "code_report_case": ("last_at", timedelta(days=365)),
    "code_scan_day": ("day", timedelta(days=90)),
    "client_activity": ("day", timedelta(days=2)),
    "anomaly": ("day", timedelta(days=365)),
}

# A reused code revokes the tokens issued for it, so it stays as long as they do.
RETENTION_CONDITIONS: Final = {
    "authorization_code": " AND ".join(
        f"NOT EXISTS (SELECT 1 FROM {issued} g WHERE g.code_digest = authorization_code.digest)"  # noqa: S608  # constants
        for issued in ("refresh_token", "access_token")
    ),
    "code_report_case": "uscc IS NULL",  # no code of ours; the others stay as long as their codes
}


_DELETE_REPORT_FILES: Final = Statement("""
    UPDATE credit_report SET file = NULL
     WHERE valid_until < CAST(:before AS timestamptz) AND file IS NOT NULL""")


async def delete_expired(runtime: Runtime) -> int:
    """Delete expired rows, one transaction per table; the number of rows."""
    deleted = 0
    for table, (column, grace) in EXPIRING_TABLES.items():
        condition = RETENTION_CONDITIONS.get(table, "true")
        statement = Statement(f"DELETE FROM {table} WHERE {column} < :before AND {condition}")  # noqa: S608  # constants
        async with runtime.background.begin() as connection:
            done = await connection.execute(statement, {"before": runtime.now() - grace})
            deleted += done.rowcount
    return deleted


async def delete_sessions(runtime: Runtime) -> None:
    """Delete the sessions that ended or were left idle."""
    async with runtime.background.begin() as connection:
        await sessions.delete_expired(connection, now=runtime.now())


async def delete_report_files(runtime: Runtime) -> int:
    """Delete the files of own reports whose term is over; the reports' state can still be looked up."""
    async with runtime.background.begin() as connection:
        done = await connection.execute(
            _DELETE_REPORT_FILES, {"before": runtime.now() - REPORT_FILE_RETENTION}
        )
    return done.rowcount


async def advance_objections(runtime: Runtime) -> int:
    """Close objections whose term for a review has passed; the number of acts."""
    async with runtime.background.begin() as connection:
        return await advance_deadlines(connection, runtime.catalogue, now=runtime.now())


async def advance_repairs(runtime: Runtime) -> int:
    """Close applications whose record was repaired or withdrawn otherwise; the number of acts."""
    async with runtime.background.begin() as connection:
        return await repairs.advance(connection, runtime.catalogue, now=runtime.now())


async def notify_expired_consents(runtime: Runtime) -> int:
    """Write notices to clients of newly expired consents; how many."""
    total = 0
    while True:
        async with runtime.background.begin() as connection:
            written = await write_expiry_notices(connection, now=runtime.now())
        total += written
        if written < MAX_EXPIRED:
            return total


async def run_retention(runtime: Runtime) -> int:
    """Delete records whose retention is over, once a day; how many."""
    deleter = Deleter(
        engine=runtime.background,
        keys=runtime.keys,
        catalogue=runtime.catalogue,
        issuer=runtime.settings.issuer,
    )
    return await run_daily(deleter, now=runtime.now())


async def notify_catalogue_change(runtime: Runtime) -> int:
    """Write notices on what the catalogue in force discloses no more, or again; how many."""
    return await catalogue_notices.run(runtime.background, runtime.catalogue, now=runtime.now())


def housekeeping(app: FastAPI) -> AbstractAsyncContextManager[None]:
    """Do these tasks in the background for as long as the block lasts; safe in several workers."""

    async def work() -> None:
        runtime: Runtime = app.state.runtime  # each time, for the current catalogue
        await delete_expired(runtime)
        await delete_sessions(runtime)
        await delete_report_files(runtime)
        await advance_objections(runtime)
        await advance_repairs(runtime)
        await notify_expired_consents(runtime)
        await run_retention(runtime)
        await close_ended_days(runtime)
        await notify_catalogue_change(runtime)

    failed = partial(log.warning, "sweeping_failed")
    return in_background(run_periodically(work, EVERY_SECONDS, failed))
