"""Counting of data quality: figures as they are kept, else counted, each source's month once at a time.

A count goes on when its caller gives up, so that a large source's month is there for a later call; few may
wait, and of one source fewer. Another worker that counts the same is waited for, while others are counted.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.creditfile.catalogue import Catalogue
from gateway.data_quality.kept_figures import (
    KeptFigures,
    SourceInMonth,
    keep,
    read_kept,
    try_lock_month,
)
from gateway.data_quality.month import Month
from gateway.data_quality.rules import QualityRules
from gateway.data_quality.store import figures_of_source
from gateway.db.unavailable import UnavailableError

PATIENCE_SECONDS: Final = 2
"""Wait for a new count where an older one can be told."""
MOST_UNDER_WAY: Final = 16
MOST_OF_ONE_SOURCE: Final = 2
ANOTHER_SECONDS: Final = 0.5
"""Seconds between two looks for the figures that another worker is counting."""
_Counts = dict[SourceInMonth, asyncio.Task[KeptFigures]]


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityContext:
    """Database, catalogue, rules and clock of a count; `engine` allows long statements."""

    engine: AsyncEngine
    catalogue: Catalogue
    rules: QualityRules
    now: Callable[[], datetime]

    def of(self, source_id: str, month: Month) -> SourceInMonth:
        """A source's month under this context's versions."""
        versions = f"{self.rules.version} {self.catalogue.version}"
        return SourceInMonth(source_id=source_id, month=month, versions=versions)


@dataclass(frozen=True, slots=True)
class QualityCounts:
    """Counts under way in this worker, one after another; `close` ends them."""

    _under_way: _Counts = field(default_factory=dict)
    _slot: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))

    async def figures(
        self,
        context: QualityContext,
        source_id: str,
        month: Month,
        *,
        patience: float | None = None,
    ) -> KeptFigures:
        """A source's figures of a month; where a new count takes long, those of an older one."""
        wanted = context.of(source_id, month)
        async with context.engine.connect() as connection:
            kept = await read_kept(connection, wanted)
        now = context.now()
        if kept is not None and kept.is_current(month, now):
            return kept
        usable = kept if kept is not None and kept.is_usable(month, now) else None
        task = self._under_way.get(wanted) or self._begun(context, wanted)
        if task is None:
            if usable is None:
                raise UnavailableError
            return usable
        done, _ = await asyncio.wait({task}, timeout=None if usable is None else patience)
        if usable is not None and (not done or task.exception() is not None):
            return usable
        return task.result()

    def _begun(
        self, context: QualityContext, wanted: SourceInMonth
    ) -> asyncio.Task[KeptFigures] | None:
        """A new count under way, or `None` where too many are."""
        of_source = sum(each.source_id == wanted.source_id for each in self._under_way)
        if len(self._under_way) >= MOST_UNDER_WAY or of_source >= MOST_OF_ONE_SOURCE:
            return None
        task = self._under_way[wanted] = asyncio.create_task(self._count(context, wanted))
        task.add_done_callback(lambda done: self._ended(wanted, done))
        return task

    async def close(self) -> None:
        """Cancel what is under way."""
        for task in [*self._under_way.values()]:
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await task

    async def _count(self, context: QualityContext, wanted: SourceInMonth) -> KeptFigures:
        while True:
            counted = await self._counted_by_us(context, wanted)
            if counted is not None:
                return counted
            await asyncio.sleep(ANOTHER_SECONDS)

    async def _counted_by_us(
        self, context: QualityContext, wanted: SourceInMonth
    ) -> KeptFigures | None:
        """The figures, counted here unless they are there already; `None` while another worker counts."""
        async with self._slot, context.engine.begin() as connection:
            is_ours = await try_lock_month(connection, wanted.month, wanted.source_id)
            kept = await read_kept(connection, wanted)  # another worker may have counted it
            if kept is not None and kept.is_current(wanted.month, context.now()):
                return kept
            if not is_ours:
                return None
            begun, moment = time.monotonic(), context.now()
            figures = await figures_of_source(
                connection,
                wanted.source_id,
                wanted.month,
                catalogue=context.catalogue,
                rules=context.rules,
            )
            counted = KeptFigures(
                figures=figures, counted_at=moment, seconds=time.monotonic() - begun
            )
            await keep(connection, wanted, counted)
        return counted

    def _ended(self, wanted: SourceInMonth, task: asyncio.Task[KeptFigures]) -> None:
        del self._under_way[wanted]
        if not task.cancelled():
            task.exception()  # marked as seen: there may be no caller left to raise it to
