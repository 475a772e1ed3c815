"""Hold of a batch under its key: one call answers it at a time, so that none of its lines is charged twice.

It is renewed while the call answers, by the database's clock; that of a killed worker expires.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from gateway.db.prepared import HotDatabase
from gateway.verifications.batch import store
from gateway.verifications.batch.store import HOLD_SECONDS, OpenBatch

RENEWAL_SECONDS: Final = HOLD_SECONDS / 4


@asynccontextmanager
async def holding(hot: HotDatabase, batch: OpenBatch) -> AsyncIterator[None]:
    """Keep the hold inside the block, and end it after."""
    renewing = asyncio.create_task(_renew(hot, batch))
    try:
        yield
    finally:
        renewing.cancel()
        with suppress(asyncio.CancelledError):
            await renewing
        with suppress(Exception):  # else it expires
            await store.release(hot, batch)


async def _renew(hot: HotDatabase, batch: OpenBatch) -> None:
    while True:
        await asyncio.sleep(RENEWAL_SECONDS)
        with suppress(Exception):  # the next time
            await store.renew(hot, batch)
