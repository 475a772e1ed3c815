"""While the gateway serves, a sealer runs in each worker; the lock lets one of them seal."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from gateway.disclosure.checkpoints import origin_of
from gateway.disclosure.sealer import Sealer
from gateway.runtime import Runtime


@asynccontextmanager
async def sealing(runtime: Runtime) -> AsyncIterator[None]:
    """Seal in the background; at the end seal what is left, then stop."""
    sealer = Sealer(
        engine=runtime.engine,
        keys=runtime.keys,
        origin=origin_of(runtime.settings.issuer),
        now=runtime.now,
    )
    running = asyncio.create_task(sealer.run())
    try:
        yield
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await sealer.last_round()
