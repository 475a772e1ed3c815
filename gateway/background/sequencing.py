"""While the gateway serves, a sealer runs in each worker; the lock lets one of them seal."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from gateway.background.key_event_writer import KeyEventWriter
from gateway.background.refusal_count_writer import keep_writing, try_to_write
from gateway.disclosure import feed
from gateway.runtime import Runtime
from gateway.transparency.checkpoint_stores import store_for
from gateway.transparency.checkpoints import origin_of
from gateway.transparency.publication import Publisher
from gateway.transparency.sequencer import Sequencer


def publisher_of(runtime: Runtime) -> Publisher:
    """What compares this gateway's log with what is kept outside its database."""
    settings = runtime.settings
    return Publisher(
        engine=runtime.background,
        keys=runtime.keys,
        origin=origin_of(settings.issuer),
        stores=[store_for(each, loopback=settings.demo) for each in settings.log_checkpoints],
        now=runtime.now,
        status=runtime.log_status,
    )


def sequencer_of(runtime: Runtime) -> Sequencer:
    """This gateway's sealer."""
    publisher = publisher_of(runtime)
    return Sequencer(
        engine=runtime.background,
        keys=runtime.keys,
        origin=publisher.origin,
        publisher=publisher,
        number_notices=feed.assign_cursors,
        now=runtime.now,
    )


@asynccontextmanager
async def sequencing(runtime: Runtime) -> AsyncIterator[None]:
    """Seal in the background; at the end seal what is left, then stop.

    Nothing is served before the log was compared with what is kept outside (else `LogForkedError` or
    `StoreError`), and has heard of every key.
    """
    sealer = sequencer_of(runtime)
    await sealer.publisher.check()
    events = KeyEventWriter(engine=runtime.background, keys=runtime.keys, now=runtime.now)
    await events.note()
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
        if not runtime.log_status.forked.is_set():
            await try_to_write(runtime)
            await sealer.last_round()
