"""Each worker adds its own counts of refused attempts to the rows of the hour.

A worker that is killed loses what it counted since it last wrote: at most `EVERY_SECONDS`.
"""

import asyncio

import structlog

from gateway.db.statements import Statement
from gateway.db.unavailable import name_of
from gateway.runtime import Runtime

log = structlog.get_logger("gateway.turned_away")

EVERY_SECONDS = 10
ADD = Statement("""
    INSERT INTO turned_away AS t (uscc, client_id, kind, reason, hour, times)
    SELECT * FROM unnest(
        CAST(:usccs AS text[]), CAST(:clients AS text[]), CAST(:kinds AS text[]),
        CAST(:reasons AS text[]), CAST(:hours AS timestamptz[]), CAST(:times AS bigint[]))
    ON CONFLICT (uscc, client_id, kind, reason, hour) DO UPDATE
        SET times = t.times + excluded.times""")


async def write_counts(runtime: Runtime) -> int:
    """Write what this worker has counted, in one statement; how many rows that touched."""
    taken = runtime.refusal_counter.take()
    if not taken:
        return 0
    lines = sorted(taken)  # one order for all workers: they wait for each other in no circle
    values = {
        "usccs": [line.uscc for line in lines],
        "clients": [line.client_id for line in lines],
        "kinds": [line.kind for line in lines],
        "reasons": [line.reason for line in lines],
        "hours": [line.hour for line in lines],
        "times": [taken[line] for line in lines],
    }
    try:
        async with runtime.background.begin() as connection:
            await connection.execute(ADD, values)
    except BaseException:
        runtime.refusal_counter.give_back(taken)
        raise
    return len(lines)


async def keep_writing(runtime: Runtime) -> None:
    """Write until cancelled. What cannot be written stays counted."""
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        await try_to_write(runtime)


async def try_to_write(runtime: Runtime) -> None:
    """Write, or say that it failed."""
    try:
        await write_counts(runtime)
    except Exception as error:  # noqa: BLE001  # whatever it was, the next round tries again
        log.error("turned_away_failed", kind=name_of(error))  # noqa: TRY400  # no data
