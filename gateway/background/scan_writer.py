"""Writer of scan counts: each worker adds its counts to the day's rows, and closes ended days.

Without the limiter nothing is counted and what was counted is dropped: its salt may be gone.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import structlog
from fastapi import FastAPI

from gateway.background.periodic import in_background, run_periodically
from gateway.codes.reports.store import list_unusual_days
from gateway.codes.scans import store
from gateway.codes.scans.counter import ScanCounter
from gateway.creditfile.local_dates import day_of
from gateway.db.unavailable import name_of
from gateway.runtime import Runtime

log = structlog.get_logger("gateway.background.scans")

EVERY_SECONDS: Final = 60


async def write_scans(runtime: Runtime, counter: ScanCounter) -> int:
    """Write this worker's counts; returns the number of codes."""
    day, counts = counter.take()
    is_same_salt = await counter.salt.refresh(runtime.limiter, runtime.now())
    if day is None or not counts or not is_same_salt:
        return 0
    async with runtime.background.begin() as connection:
        await store.add(connection, day, counts)
    return len(counts)


async def close_ended_days(runtime: Runtime) -> int:
    """Turn ended days into bands and list the unusual ones for the operator; how many days of codes."""
    total = 0
    while True:
        async with runtime.background.begin() as connection:
            closed, unusual = await store.close_days(connection, day_of(runtime.now()))
            await list_unusual_days(connection, unusual, now=runtime.now())
        total += closed
        if closed < store.BATCH:
            return total


@asynccontextmanager
async def counting_scans(app: FastAPI) -> AsyncIterator[None]:
    """Count for as long as the block lasts; the last counts are written at its end."""
    counter: ScanCounter = app.state.scan_counter

    async def work() -> None:
        await write_scans(app.state.runtime, counter)

    failed = partial(log.warning, "scans_not_counted")
    async with in_background(run_periodically(work, EVERY_SECONDS, failed, delay_first=False)):
        yield
    try:
        await work()
    except Exception as error:  # noqa: BLE001  # shutdown goes on
        failed(kind=name_of(error))
