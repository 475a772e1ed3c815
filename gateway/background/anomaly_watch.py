"""Anomaly watch: counts new calls of the log, flags anomalies, throttles their clients, sends alerts.

One worker at a time counts; each lowers the rate of the clients that are throttled.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Final

import structlog
from fastapi import FastAPI
from prometheus_client import Counter, Gauge
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.anomalies import store
from gateway.anomalies.activity import Activity
from gateway.anomalies.detectors import AnomalyKind, find_anomalies, large_areas
from gateway.anomalies.log_reader import BATCH, take_new_calls
from gateway.anomalies.store import Day
from gateway.anomalies.watch_reader import WatchReader
from gateway.background.periodic import in_background, run_periodically
from gateway.creditfile.local_dates import day_of, end_of
from gateway.db.locks import LockKey, try_lock
from gateway.disclosure.ids import new_id
from gateway.notices.kinds import retry_delay
from gateway.runtime import Runtime
from gateway.safe_fetch import UnfetchableError

log = structlog.get_logger("gateway.background.anomalies")

EVERY_SECONDS: Final = 5.0
BREATH: Final = 250
"""Calls or enterprises that are counted before calls of clients have their turn."""
UNTHROTTLED: Final = 100

FLAGGED: Final = Counter("xinqiao_anomalies", "Anomalies that were flagged", ("kind",))
THROTTLED: Final = Gauge(
    "xinqiao_clients_throttled",
    "Clients whose rate an anomaly has lowered",
    multiprocess_mode="livemostrecent",
)
ALERTS: Final = Counter("xinqiao_anomaly_alerts", "Alerts that the webhook has accepted")
ALERT_FAILURES: Final = Counter("xinqiao_anomaly_alert_failures", "Alerts not accepted, each try")
for _kind in AnomalyKind:
    FLAGGED.labels(kind=_kind)


@dataclass(slots=True, kw_only=True)
class AnomalyWatch:
    """The watch of one worker."""

    batch: int = BATCH
    _registered: dict[tuple[str, date], int] = field(default_factory=dict)
    """Sizes of areas, each counted once a day."""
    _watches: WatchReader = field(default_factory=WatchReader)

    async def count(self, runtime: Runtime) -> bool:
        """Count the next calls or watch list, and flag what they show; true while more wait."""
        key = runtime.digests.key("activity")
        async with runtime.background.begin() as connection:
            if not await try_lock(connection, LockKey.ANOMALIES):
                return False
            new = await take_new_calls(connection, batch=self.batch)
            watched = await self._watches.next_list(connection, now=runtime.now())
            touched = [(each.client_id, each.day) for each in new.calls]
            if watched is not None:
                touched.append((watched.client_id, day_of(watched.at)))
            days = await store.load_days(connection, touched)
            for place, each in enumerate(new.calls, 1):
                days[each.client_id, each.day].add(each, key)
                if place % BREATH == 0:
                    await asyncio.sleep(0)
            if watched is not None:
                await _note_all(days[touched[-1]], watched.usccs, key)
            await store.save_days(connection, days)
            flagged = [
                kind
                for client_day, activity in days.items()
                for kind in await self._flag(connection, runtime, client_day, activity)
            ]
        for kind in flagged:
            FLAGGED.labels(kind=kind).inc()
        return new.is_full or watched is not None

    async def _flag(
        self, connection: AsyncConnection, runtime: Runtime, client_day: Day, activity: Activity
    ) -> list[AnomalyKind]:
        """Flag a day's anomalies; the kinds that are new."""
        now = runtime.now()
        registered = {
            area: await self._size_of(connection, area, now) for area in large_areas(activity)
        }
        new = []
        for finding in find_anomalies(activity, registered):
            is_new = await store.flag(
                connection,
                client_day,
                finding,
                anomaly_id=new_id("ano"),
                now=now,
                throttled_until=throttle_end(runtime, client_day),
                alert_due_at=now if runtime.alert_hook else None,
            )
            if is_new:
                new.append(finding.kind)
                log.warning("anomaly_flagged", client_id=client_day[0], kind=str(finding.kind))
        return new

    async def _size_of(self, connection: AsyncConnection, area: str, now: datetime) -> int:
        key = area, day_of(now)
        if key not in self._registered:
            self._registered = {k: v for k, v in self._registered.items() if k[1] == key[1]}
            self._registered[key] = await store.registered_in(connection, area)
        return self._registered[key]


async def _note_all(activity: Activity, usccs: Sequence[str], key: bytes) -> None:
    """Count the enterprises of a list; calls go on in between."""
    for place, uscc in enumerate(usccs):
        activity.note(uscc, key)
        if place % BREATH == 0:
            await asyncio.sleep(0)


async def throttle(runtime: Runtime) -> None:
    """Lower the rate of the clients that are throttled now, in this worker; others get theirs back."""
    async with runtime.background.connect() as connection:
        clients = await store.throttled_clients(connection, now=runtime.now())
    runtime.agreements.throttle(clients, percent=runtime.settings.anomaly_rate)
    THROTTLED.set(len(clients))


async def send_due_alert(runtime: Runtime) -> bool:
    """Send an alert that is due, and note when a refused one is tried again; true if one was due."""
    if runtime.alert_hook is None:
        return False
    async with runtime.background.begin() as connection:
        now = runtime.now()
        due = await store.take_due_alert(connection, now=now)
        if due is None:
            return False
        try:
            await runtime.alert_hook.send(due, now=now)
        except UnfetchableError as error:
            ALERT_FAILURES.inc()
            log.error("anomaly_alert_failed", status=error.status)  # noqa: TRY400  # no traceback
            retry_at = now + retry_delay(due["alert_failures"] + 1)
            await store.record_alert(connection, due["anomaly_id"], retry_at=retry_at, failures=1)
        else:
            ALERTS.inc()
            await store.record_alert(connection, due["anomaly_id"], retry_at=None)
    return True


def watching_anomalies(app: FastAPI) -> AbstractAsyncContextManager[None]:
    """Watch in the background for as long as the block lasts; safe in several workers."""
    watch = AnomalyWatch()

    async def count() -> bool:
        return await watch.count(app.state.runtime)

    async def act() -> None:
        await throttle(app.state.runtime)
        while await send_due_alert(app.state.runtime):
            pass

    return in_background(
        run_periodically(count, EVERY_SECONDS, partial(log.error, "anomalies_not_counted")),
        run_periodically(
            act, EVERY_SECONDS, partial(log.error, "anomalies_not_acted_on"), delay_first=False
        ),
    )


def throttle_end(runtime: Runtime, client_day: Day) -> datetime | None:
    """The end of the day in Beijing, where anomalies throttle."""
    if runtime.settings.anomaly_rate == UNTHROTTLED:
        return None
    return end_of(client_day[1])
