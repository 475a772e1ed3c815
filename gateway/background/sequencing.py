"""Log sequencing in each worker, with key events and refusal counts; a lock lets one worker sequence."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import structlog

from gateway.background.key_event_writer import KeyEventWriter
from gateway.background.periodic import in_background, run_periodically
from gateway.background.refusal_count_writer import keep_writing, write_last_counts
from gateway.disclosure import change_feed
from gateway.runtime import Runtime
from gateway.transparency.checkpoint_stores import StoreError, store_for
from gateway.transparency.checkpoints import origin_of
from gateway.transparency.publication import Publisher
from gateway.transparency.rollback import LogForkedError
from gateway.transparency.sequencer import Sequencer

log = structlog.get_logger("gateway.sealer")

POLL_SECONDS = 0.5  # without a full batch


def publisher_of(runtime: Runtime) -> Publisher:
    """The publisher of checkpoints to stores outside the database."""
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
    """The sequencer of this gateway's log."""
    publisher = publisher_of(runtime)
    return Sequencer(
        engine=runtime.background,
        keys=runtime.keys,
        origin=publisher.origin,
        publisher=publisher,
        number_notices=change_feed.assign_cursors,
        now=runtime.now,
    )


async def run_sequencer(sequencer: Sequencer) -> None:
    """Run rounds until cancelled, or until the log has forked; other failures are retried."""
    status = sequencer.publisher.status

    async def one_round() -> bool:
        try:
            taken = await sequencer.round()
        except LogForkedError as fork:
            status.fork()
            log.critical("log_forked", why=str(fork))
            return False
        except StoreError as trouble:
            if status.fail(str(trouble)):
                log.error("checkpoint_not_kept", why=str(trouble))  # noqa: TRY400  # it says all
            return False
        status.succeed()
        return taken == sequencer.batch

    failed = partial(log.error, "sealing_failed")
    await run_periodically(one_round, POLL_SECONDS, failed, delay_first=False, until=status.forked)


@asynccontextmanager
async def sequencing(runtime: Runtime) -> AsyncIterator[None]:
    """Sequence in the background; at the end sequence the remaining leaves.

    Before anything is served, the log is compared with the checkpoints outside the database
    (`LogForkedError`, `StoreError`), and every key is logged.
    """
    sequencer = sequencer_of(runtime)
    await sequencer.publisher.check()
    events = KeyEventWriter(engine=runtime.background, keys=runtime.keys, now=runtime.now)
    await events.note()
    try:
        async with in_background(run_sequencer(sequencer), events.run(), keep_writing(runtime)):
            yield
    finally:
        if not runtime.log_status.forked.is_set():
            await write_last_counts(runtime)
            await sequencer.last_round()
