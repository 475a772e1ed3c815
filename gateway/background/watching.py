"""Watched answers: changes are told within seconds of the record, and at the moment a clock ends.

Each worker asks every two seconds; a lock lets one of them work. A worker that has not yet switched to
the newest catalogue leaves the work to others.
"""

from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Final

import structlog
from fastapi import FastAPI
from prometheus_client import Counter, Gauge

from gateway.background.periodic import in_background, run_periodically
from gateway.creditfile.catalogue.versions import newest_version
from gateway.creditfile.watches.follow import Follower
from gateway.runtime import Runtime

log = structlog.get_logger("gateway.background.watching")

POLL_SECONDS: Final = 2.0
NOTICES: Final = Counter("xinqiao_watch_notices", "Notices that an answer may have changed")
WAITING: Final = Gauge(
    "xinqiao_changed_files_waiting",
    "Changed enterprises not yet compared for those who watch, by the hundred",
    multiprocess_mode="livemostrecent",
)


async def follow_watches(runtime: Runtime) -> bool:
    """One round; True if there may be more to do at once."""
    newest = await newest_version(runtime.hot)
    if newest not in {None, runtime.catalogue.version}:
        return False
    follower = Follower(
        engine=runtime.background, catalogue=runtime.catalogue, digests=runtime.digests
    )
    done = await follower.round(runtime.now())
    if done is None:
        return False
    NOTICES.inc(done.notices)
    WAITING.set(done.waiting)
    return done.has_more


def watching(app: FastAPI) -> AbstractAsyncContextManager[None]:
    """Follow what is watched for as long as the block lasts; safe in several workers."""

    async def work() -> bool:
        return await follow_watches(app.state.runtime)  # each time, for the current catalogue

    failed = partial(log.warning, "watching_failed")
    return in_background(run_periodically(work, POLL_SECONDS, failed))
