"""Counts of data quality in the background: the two newest months that are over, of each source, once.

So `GET /v1/admin/data-quality` finds them counted. Each worker asks; what one counts others wait for.
"""

from contextlib import AbstractAsyncContextManager, suppress
from functools import partial
from typing import Final

import structlog
from fastapi import FastAPI

from gateway.background.periodic import in_background, run_periodically
from gateway.data_quality.counting import QualityContext
from gateway.data_quality.month import Month
from gateway.data_quality.rules import published_rules
from gateway.data_quality.sources import sources_after
from gateway.db.unavailable import UnavailableError
from gateway.runtime import Runtime

log = structlog.get_logger("gateway.background.quality_counts")

EVERY_SECONDS: Final = 600


async def count_finished_months(runtime: Runtime) -> None:
    """Count, by source, what is not kept yet."""
    context = QualityContext(
        engine=runtime.background,
        catalogue=runtime.catalogue,
        rules=published_rules(),
        now=runtime.now,
    )
    async with runtime.background.connect() as connection:
        sources = [each.source_id async for each in sources_after(connection)]
    last = Month.at(runtime.now()).previous
    for source_id in sources:
        for month in (last, last.previous):
            with suppress(UnavailableError):  # too many wait: in the next round
                await runtime.quality_counts.figures(context, source_id, month)


def counting_quality(app: FastAPI) -> AbstractAsyncContextManager[None]:
    """Count in the background for as long as the block lasts; safe in several workers."""

    async def work() -> None:
        await count_finished_months(app.state.runtime)

    failed = partial(log.warning, "quality_counts_failed")
    return in_background(run_periodically(work, EVERY_SECONDS, failed))
