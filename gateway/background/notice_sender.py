"""While the gateway serves, each worker sends what is due; decisions within seconds, digests at nine."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Final

import structlog
from fastapi import FastAPI

from gateway.db.unavailable import name_of
from gateway.notices import contact_points, queue
from gateway.notices.channels import UnsentError
from gateway.notices.contact_points import ContactPoint
from gateway.notices.kinds import NoticeKind
from gateway.notices.outbox import note_expiring_consents
from gateway.notices.queue import DueNotice
from gateway.notices.templates import NoticeLine, notice_message
from gateway.privacy.field_encryption import SealBrokenError
from gateway.runtime import Runtime

log = structlog.get_logger("gateway.notices")

LOOKS_FOR_ENDING: Final = timedelta(hours=6)


@asynccontextmanager
async def sending_notices(app: FastAPI) -> AsyncIterator[None]:
    """Send for as long as the block lasts, where there is a way to send; workers share the work."""
    task = asyncio.create_task(_for_ever(app))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def send_due(runtime: Runtime) -> int:
    """Send what is due for one enterprise; how many notices that were, 0 where nothing is due."""
    async with runtime.background.begin() as connection:
        taken = await queue.claim_due(connection, now=runtime.now())
    if taken is None:
        return 0
    if taken.given_up:
        log.error("notices_given_up", notices=taken.given_up)
    if taken.due:
        await _send(runtime, taken.due)
    return len(taken.due) + taken.given_up


async def _send(runtime: Runtime, due: Sequence[DueNotice]) -> None:
    uscc = due[0].uscc
    async with runtime.background.connect() as connection:
        where = [
            each
            for each in await contact_points.list_contact_points(connection, uscc)
            if each.confirmed_at
        ]
        clients = sorted({each.client_id for each in due if each.client_id})
        name, known = await queue.display_names(connection, uscc, clients)
    reached = {each.notice_id: list(each.reached) for each in due}
    failed: set[str] = set()
    for place in where:
        told = [each for each in due if _goes_to(place, each)]
        if not told or place.channel not in runtime.channels:
            continue
        lines = [_line(each, known) for each in told]
        reference = " ".join(each.notice_id for each in told)
        message = notice_message(
            name, lines, origin=runtime.settings.issuer, reference=f"{reference} {place.place_id}"
        )
        try:
            await runtime.channels[place.channel].send(opened(runtime, place), message)
        except (UnsentError, SealBrokenError) as error:
            log.warning("notice_unsent", channel=place.channel, kind=str(error))
            failed |= {each.notice_id for each in told}
        else:
            for each in told:
                reached[each.notice_id].append(place.place_id)
    async with runtime.background.begin() as connection:
        for each in due:
            await queue.record_result(
                connection,
                each,
                reached=reached[each.notice_id],
                failed=each.notice_id in failed,
                now=runtime.now(),
            )


def opened(runtime: Runtime, place: ContactPoint) -> str:
    """The address of a place."""
    row = f"{place.uscc}/{place.place_id}"
    return runtime.vault.open(
        place.address, table="notice_place", column="address", row=row
    ).decode()


def _goes_to(place: ContactPoint, of: DueNotice) -> bool:
    wanted = not place.outdated or of.kind is NoticeKind.REPRESENTATIVE_CHANGED
    return wanted and place.place_id not in of.reached


def _line(of: DueNotice, clients: dict[str, tuple[str, str]]) -> NoticeLine:
    unnamed = of.client_id or ""
    zh, en = clients.get(unnamed, (unnamed, unnamed))
    return NoticeLine(kind=of.kind, moment=of.at, client_zh=zh, client_en=en)


async def _for_ever(app: FastAPI) -> None:
    looked: datetime | None = None
    while True:
        runtime: Runtime = app.state.runtime
        await asyncio.sleep(runtime.settings.notices_every)
        runtime = app.state.runtime
        if not runtime.channels:
            continue
        try:
            now = runtime.now()
            if looked is None or now - looked >= LOOKS_FOR_ENDING:
                async with runtime.background.begin() as connection:
                    await note_expiring_consents(connection, now=now)
                looked = now
            while await send_due(runtime):
                pass
        except Exception as error:  # noqa: BLE001  # whatever it was, the next round tries again
            log.warning("notices_failed", kind=name_of(error))
