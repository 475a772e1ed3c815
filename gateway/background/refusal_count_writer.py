"""Writer of refusal counts: each worker adds its counts of refused attempts to hourly rows.

A killed worker loses the counts of at most `EVERY_SECONDS`.
"""

import structlog

from gateway.background.periodic import run_periodically
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
    """Write this worker's counts in one statement; returns the number of rows."""
    taken = runtime.refusal_counter.take()
    if not taken:
        return 0
    lines = sorted(taken)  # one lock order for all workers
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
    """Write periodically until cancelled. Counts that cannot be written are kept."""
    await run_periodically(lambda: write_counts(runtime), EVERY_SECONDS, _log_failure)


async def write_last_counts(runtime: Runtime) -> None:
    """Write the counts at shutdown; a failure is logged."""
    try:
        await write_counts(runtime)
    except Exception as error:  # noqa: BLE001  # shutdown goes on
        _log_failure(kind=name_of(error))


def _log_failure(kind: str) -> None:
    log.error("turned_away_failed", kind=kind)
