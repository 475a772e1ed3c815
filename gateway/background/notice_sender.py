"""Notice sender: sends due notices to contact points; decisions within seconds, digests at nine."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog
from fastapi import FastAPI

from gateway.background.periodic import in_background, run_periodically
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.labels import dataset_label
from gateway.notices import contact_points, queue
from gateway.notices.channels import UnsentError
from gateway.notices.contact_points import ContactPoint
from gateway.notices.kinds import NoticeKind
from gateway.notices.outbox import note_expiring_consents
from gateway.notices.queue import DisplayNames, DueNotice
from gateway.notices.templates import NoticeLine, notice_message
from gateway.pages.i18n import Translated
from gateway.privacy.field_encryption import SealBrokenError
from gateway.runtime import Runtime

log = structlog.get_logger("gateway.notices")

ENDING_CHECK_INTERVAL: Final = timedelta(hours=6)


def sending_notices(app: FastAPI) -> AbstractAsyncContextManager[None]:
    """Send in the background for as long as the block lasts; workers share the queue."""
    checked: datetime | None = None

    async def send() -> None:
        nonlocal checked
        runtime: Runtime = app.state.runtime
        if not runtime.channels:
            return
        now = runtime.now()
        if checked is None or now - checked >= ENDING_CHECK_INTERVAL:
            async with runtime.background.begin() as connection:
                await note_expiring_consents(connection, now=now)
            checked = now
        while await send_due(runtime):
            pass

    failed = partial(log.warning, "notices_failed")
    return in_background(
        run_periodically(send, lambda: app.state.runtime.settings.notices_every, failed)
    )


async def send_due(runtime: Runtime) -> int:
    """Send the due notices of one enterprise; returns how many, 0 if none is due."""
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
        confirmed = [
            each
            for each in await contact_points.list_contact_points(connection, uscc)
            if each.confirmed_at
        ]
        clients = sorted({each.client_id for each in due if each.client_id})
        names = await queue.display_names(connection, uscc, clients)
    reached = {each.notice_id: list(each.reached) for each in due}
    failed: set[str] = set()
    for place in confirmed:
        due_here = [each for each in due if _goes_to(place, each)]
        if not due_here or place.channel not in runtime.channels:
            continue
        lines = [_line(each, names, runtime.catalogue) for each in due_here]
        reference = " ".join(each.notice_id for each in due_here)
        message = notice_message(
            names.enterprise,
            lines,
            origin=runtime.settings.issuer,
            reference=f"{reference} {place.place_id}",
        )
        try:
            await runtime.channels[place.channel].send(decrypt_address(runtime, place), message)
        except (UnsentError, SealBrokenError) as error:
            log.warning("notice_unsent", channel=place.channel, kind=str(error))
            failed |= {each.notice_id for each in due_here}
        else:
            for each in due_here:
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


def decrypt_address(runtime: Runtime, contact_point: ContactPoint) -> str:
    """Decrypted address of a contact point."""
    row = f"{contact_point.uscc}/{contact_point.place_id}"
    return runtime.vault.open(
        contact_point.address, table="notice_place", column="address", row=row
    ).decode()


def _goes_to(contact_point: ContactPoint, notice: DueNotice) -> bool:
    wanted = not contact_point.outdated or notice.kind is NoticeKind.REPRESENTATIVE_CHANGED
    return wanted and contact_point.place_id not in notice.reached


def _line(notice: DueNotice, names: DisplayNames, catalogue: Catalogue) -> NoticeLine:
    unnamed = notice.client_id or ""
    client_zh, client_en = names.clients.get(unnamed, (unnamed, unnamed))
    dataset = Translated("", "")
    if notice.dataset in catalogue.codes:
        dataset = dataset_label(notice.dataset, catalogue, names.kind)
    return NoticeLine(
        kind=notice.kind,
        moment=notice.moment,
        client_zh=client_zh,
        client_en=client_en,
        dataset_zh=dataset.zh,
        dataset_en=dataset.en,
        repairable_on=notice.repairable_on,
    )
