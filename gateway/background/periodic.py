"""Background loop: run a coroutine every few seconds until cancelled; failures are logged."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress

from gateway.db.unavailable import name_of


async def run_periodically(
    work: Callable[[], Awaitable[object]],
    seconds: float | Callable[[], float],
    on_failure: Callable[..., object],
    *,
    delay_first: bool = True,
    until: asyncio.Event | None = None,
) -> None:
    """Call `work` every `seconds` until an event, and again at once while it returns `True`.

    A round that raises is reported as `on_failure(kind=…)`, the kind of its error, never with data, and
    the next one tries again.
    """
    delay = delay_first
    while until is None or not until.is_set():
        await asyncio.sleep((seconds() if callable(seconds) else seconds) if delay else 0)
        delay = True
        try:
            delay = await work() is not True
        except Exception as error:  # noqa: BLE001  # whatever it was, the next round tries again
            on_failure(kind=name_of(error))


@asynccontextmanager
async def in_background(*loops: Coroutine[object, object, object]) -> AsyncIterator[None]:
    """Run coroutines as tasks for as long as the block lasts; cancel them at its end."""
    tasks = [asyncio.create_task(each) for each in loops]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
