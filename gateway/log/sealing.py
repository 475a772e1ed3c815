"""While the gateway serves, a sealer runs in each worker; the lock lets one of them seal."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from gateway.disclosure.checkpoints import origin_of
from gateway.disclosure.sealer import Sealer
from gateway.log.key_events import KeyEvents
from gateway.log.turned_away import keep_writing, try_to_write
from gateway.runtime import Runtime


@asynccontextmanager
async def sealing(runtime: Runtime) -> AsyncIterator[None]:
    """Seal in the background; at the end seal what is left, then stop.

    Nothing is served before the log has heard of every key.
    """
    events = KeyEvents(engine=runtime.engine, keys=runtime.keys, now=runtime.now)
    await events.note()
    sealer = Sealer(
        engine=runtime.engine,
        keys=runtime.keys,
        origin=origin_of(runtime.settings.issuer),
        now=runtime.now,
    )
    running = [
        asyncio.create_task(each) for each in (sealer.run(), events.run(), keep_writing(runtime))
    ]
    try:
        yield
    finally:
        for task in running:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await try_to_write(runtime)
        await sealer.last_round()
