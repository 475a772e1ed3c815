"""Runner of verification jobs: one set of lines after the other, in turn between clients.

A set is one turn of its worker's long calls, and jobs rest after each for as long as it took while other
calls wait: so that no job holds up a call. A worker that is killed leaves its job held for some seconds;
then another one answers the set again, with the texts that were committed.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import structlog

from gateway.background.periodic import in_background, run_periodically
from gateway.db.unavailable import is_unavailable, name_of
from gateway.runtime import Runtime
from gateway.verifications.jobs.answer_set import JobWorker, take_next
from gateway.verifications.jobs.deletion import delete_due
from gateway.verifications.jobs.lifecycle import RETRY_SECONDS

log = structlog.get_logger("gateway.verifications.jobs")

POLL_SECONDS: Final = 1.0
SOON_SECONDS: Final = 0.02
"""Between two looks for a second after a set: mostly its job rests for milliseconds."""
HOLD_SECONDS: Final = 30.0
CLEANUP_SECONDS: Final = 60.0
BUSY_SECONDS: Final = 0.005
"""Delay of the event loop from which on other calls are waiting."""


@dataclass(slots=True, kw_only=True)
class JobRunner:
    """Answers sets of jobs until cancelled."""

    current: Callable[[], Runtime]
    name: str = field(default_factory=lambda: secrets.token_hex(16))
    _cleaned: float = 0.0
    _answered: float = 0.0

    async def run(self) -> None:
        """Answer sets until cancelled."""
        failed = partial(log.warning, "job_round_failed")
        await run_periodically(self._work, self._delay, failed, delay_first=False)

    async def _work(self) -> bool:
        if time.monotonic() - self._cleaned > CLEANUP_SECONDS:
            self._cleaned = time.monotonic()
            await delete_due(self.current())
        return await self.round()

    def _delay(self) -> float:
        is_busy = time.monotonic() - self._answered < POLL_SECONDS
        return SOON_SECONDS if is_busy else POLL_SECONDS

    async def round(self) -> bool:
        """Answer one set of one job; false if none is due."""
        runtime = self.current()
        async with runtime.batch_slots.turn:
            holder = f"{self.name}-{secrets.token_hex(8)}"
            worker = await take_next(runtime, holder=holder, seconds=HOLD_SECONDS)
            if worker is None:
                return False
            begun = time.monotonic()
            await self._answer(worker)
        self._answered = time.monotonic()
        await _rest(self._answered - begun)
        return True

    async def _answer(self, worker: JobWorker) -> None:
        try:
            async with asyncio.timeout(HOLD_SECONDS):
                await worker.answer_next_set()
        except asyncio.CancelledError:
            await asyncio.shield(_attempt(worker.give_up(seconds=0)))
            raise
        except Exception as error:  # noqa: BLE001  # it is answered again
            log.warning("job_set_failed", job_id=worker.job.job_id, kind=name_of(error))
            if is_unavailable(error):
                await _attempt(worker.give_up(seconds=RETRY_SECONDS))
            else:
                await _attempt(worker.back_off())


async def _attempt(work: Awaitable[None]) -> None:
    """Do what makes the job free at once; else it is when its hold has expired."""
    with suppress(Exception):
        await work


async def _rest(seconds: float) -> None:
    """Give other calls their turn, and as long as the set took where they are waiting."""
    begun = time.monotonic()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    if time.monotonic() - begun > BUSY_SECONDS:
        await asyncio.sleep(seconds)


def running_jobs(current: Callable[[], Runtime]) -> AbstractAsyncContextManager[None]:
    """Answer jobs in the background for as long as the block lasts."""
    return in_background(JobRunner(current=current).run())
