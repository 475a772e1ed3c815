"""Purges of changed pages at the CDN: sent as soon as they are committed, and once more a little later.

The second one is for a page that was being fetched from the gateway when it changed. A CDN that cannot be
reached is tried again with growing pauses; its pages end by themselves.
"""

from collections.abc import Iterable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Final

import orjson
import structlog
from fastapi import FastAPI
from prometheus_client import Counter, Gauge, Histogram
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.background.periodic import in_background, run_periodically
from gateway.codes.public_page.summary import public_datasets
from gateway.codes.purges import outbox, triggers
from gateway.creditfile.catalogue import Catalogue
from gateway.pages.cdn import ALL_PAGES, PageCdn
from gateway.runtime import Runtime
from gateway.safe_fetch import send

log = structlog.get_logger("gateway.background.page_purges")

POLL_SECONDS: Final = 0.5
LONGEST_PAUSE: Final = 60.0
RENEWAL_SECONDS: Final = 60
AFTER_TIMEOUT: Final = 5
"""Seconds after which a request that was answered in time has reached the CDN."""
ACCEPTED: Final = frozenset({200, 201, 202, 204})

PURGED: Final = Counter("xinqiao_page_purges", "Purges of pages that the CDN has accepted")
FAILURES: Final = Counter("xinqiao_page_purge_failures", "Calls that the CDN has not accepted")
LAG: Final = Histogram(
    "xinqiao_page_purge_lag_seconds",
    "From a change to the purge of its pages",
    buckets=(0.5, 1, 2, 5, 10, 30, 60, 300, 3600),
)
OVERDUE: Final = Gauge(
    "xinqiao_page_purge_overdue_seconds",
    "For how long the oldest purge has been due",
    multiprocess_mode="livemostrecent",
)


@dataclass(slots=True)
class Pause:
    """Seconds until the next round: doubled by each failure, up to a minute."""

    seconds: float = POLL_SECONDS

    @contextmanager
    def grows_with_failures(self) -> Iterator[None]:
        """Longer if the block raises, else the shortest again."""
        try:
            yield
        except Exception:
            self.seconds = min(2 * self.seconds, LONGEST_PAUSE)
            raise
        self.seconds = POLL_SECONDS


@dataclass(slots=True, kw_only=True)
class PagePurger:
    """Renews the lease and sends the purges that are due, with growing pauses while the CDN fails."""

    engine: AsyncEngine
    cdn: PageCdn
    repeat_after: int
    """Seconds."""
    lease_pause: Pause = field(default_factory=Pause)
    send_pause: Pause = field(default_factory=Pause)
    _leased: tuple[float, Catalogue] | None = field(default=None, repr=False)

    async def renew_lease(self, catalogue: Catalogue) -> bool:
        """Renew the lease where it is time; False while pages may not be given to the CDN yet."""
        now = self.cdn.clock()
        if (
            self._leased
            and self._leased[1] is catalogue
            and now - self._leased[0] < RENEWAL_SECONDS
        ):
            return True
        datasets = public_datasets(catalogue)
        with self.lease_pause.grows_with_failures():
            async with self.engine.begin() as connection:
                await triggers.attach(connection)
                is_effective = await outbox.renew_lease(connection, datasets)
        if is_effective:
            self.cdn.trust_lease(datasets)
            self._leased = now, catalogue
        return is_effective

    async def send_due(self) -> bool:
        """Send the purges that are due; False if there are none.

        What cannot be sent stays as it is.
        """
        with FAILURES.count_exceptions(), self.send_pause.grows_with_failures():
            async with self.engine.begin() as connection:
                backlog = await outbox.read_backlog(connection)
                OVERDUE.set(backlog.overdue.total_seconds())
                if backlog.is_too_long:
                    # To delete so many takes seconds; what is noted until then needs the call below.
                    await self._call([self.cdn.surrogate_key(ALL_PAGES)])
                due = await outbox.take_due(connection, backlog)
                if due is None:
                    return False
                await self._call(map(self.cdn.surrogate_key, due.usccs))
                await outbox.mark_sent(connection, due, repeat_after=self.repeat_after)
        PURGED.inc(len(due.usccs))
        for noted_at in due.noted:
            LAG.observe((datetime.now(UTC) - noted_at).total_seconds())
        return True

    async def _call(self, keys: Iterable[str]) -> None:
        tags = sorted(keys)
        await send(
            "POST",
            self.cdn.url,
            orjson.dumps({"tags": tags}),
            {
                "Authorization": f"Bearer {self.cdn.token}",
                "Content-Type": "application/json",
                "Surrogate-Key": " ".join(tags),
            },
            accepted=ACCEPTED,
            loopback=True,
            private=True,
        )


def purging_pages(app: FastAPI) -> AbstractAsyncContextManager[None]:
    """Purge in the background for as long as the block lasts, where a CDN is set."""
    runtime: Runtime = app.state.runtime
    if runtime.cdn is None:
        return nullcontext()
    purger = PagePurger(
        engine=runtime.background,
        cdn=runtime.cdn,
        repeat_after=runtime.settings.request_timeout + AFTER_TIMEOUT,
    )

    async def lease() -> None:
        await purger.renew_lease(app.state.runtime.catalogue)

    return in_background(
        run_periodically(
            lease,
            lambda: purger.lease_pause.seconds,
            partial(log.error, "page_purges_not_noted"),
            delay_first=False,
        ),
        run_periodically(
            purger.send_due,
            lambda: purger.send_pause.seconds,
            partial(log.error, "page_purges_failed"),
            delay_first=False,
        ),
    )
