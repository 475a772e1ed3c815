"""The consent of a pushed request: found, or requested when its decision page is first opened.

Before that it is a pushed request, of which the enterprise learns nothing. It lapses with its
interaction.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from secrets import token_bytes

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

import consent
from consent import Channel, Consent, Refused, Status, consent_id_from, status_at
from consent import store as consents
from consent.ids import RANDOM_BYTES
from gateway.clients import registry
from gateway.disclosure import consent_log_writer
from gateway.disclosure.consent_request_writer import write_consent_request
from gateway.identity import interactions
from gateway.identity.interactions import Interaction
from gateway.identity.session_dependency import Visitor
from gateway.limits.model import Admission, Limited
from gateway.limits.quotas import counters_for, distinct_for
from gateway.notices.outbox import forget_undecided, note_unless_decided
from gateway.pages.page_route import EarlyResponse, PageMessage
from gateway.portal.consents import labels
from gateway.portal.consents.apply_decision import cooling_refusal
from gateway.portal.consents.decision_page import cool_down_page
from gateway.portal.page_queries import ClientCard, EnterpriseCard
from gateway.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenInteraction:
    """An interaction that this person may decide now, for one of `enterprises`."""

    interaction_id: str
    interaction: Interaction
    enterprises: list[EnterpriseCard]
    client: ClientCard


def resume_url(interaction_id: str) -> str:
    """The address that takes a decision back to the client."""
    return f"/oauth/resume?interaction={interaction_id}"


async def find_or_request(
    connection: AsyncConnection,
    runtime: Runtime,
    visitor: Visitor,
    found: OpenInteraction,
    card: EnterpriseCard,
    *,
    deciding: bool = False,
) -> Consent | Response:
    """The open consent of this pushed request, written now if there was none; or the page in its place.

    Where the client has named no enterprise it is written with the decision only: before that the client
    must not learn whose page was opened.
    """
    interaction, now = found.interaction, runtime.now()
    if await interactions.is_request_decided(connection, interaction.request_digest):
        return visitor.message_page(labels.DECIDED)
    writes = deciding or interaction.asked.uscc is not None
    if writes and not deciding:
        await consents.in_turn(
            connection, interaction.client_id, card.uscc, interaction.asked.purpose
        )
    digest = interaction.request_digest
    names = await interactions.consents_requested(connection, digest, card.uscc)
    earlier = [each for name in names if (each := await consents.by_id(connection, name))]
    open_ones = [each for each in earlier if status_at(each, now) is Status.REQUESTED]
    cooling = await _end_in_cool_down(connection, visitor, interaction, card.uscc, open_ones, now)
    if cooling is not None:
        return cool_down_page(
            visitor, found.client, cooling, onward=resume_url(found.interaction_id)
        )
    if open_ones:
        consent_id = open_ones[0].consent_id
        if not deciding and consent_id != interaction.consent_id:  # of another tab
            await interactions.set_consent(connection, interaction, card.uscc, consent_id)
        return open_ones[0]
    if earlier:
        return visitor.message_page(_closed(earlier[0], now))
    if writes:
        await _count_request(connection, runtime, visitor, found.client, card.uscc)
        asked = await request_by_redirect(connection, interaction, card.uscc, now=now)
    else:
        asked = _unwritten(interaction, card.uscc, now)
    return asked or visitor.message_page(labels.EXPIRED)


def _closed(asked: Consent, now: datetime) -> PageMessage:
    """The reason why a request that is not open cannot be decided."""
    match status_at(asked, now):
        case Status.WITHDRAWN if asked.decided_at is None:
            return labels.TAKEN_BACK
        case Status.EXPIRED if asked.decided_at is None:
            return labels.EXPIRED
        case _:
            return labels.DECIDED


def _unwritten(interaction: Interaction, uscc: str, now: datetime) -> Consent | None:
    """The consent that a decision for this enterprise would request; `None` if its term is over."""
    asked = consent.request(
        replace(interaction.asked, uscc=uscc),
        consent_id=consent_id_from(token_bytes(RANDOM_BYTES)),
        channel=Channel.REDIRECT,
        now=now,
        answer_within=interaction.expires_at - now,
    )
    return None if isinstance(asked, Refused) else asked.consent


async def _end_in_cool_down(
    connection: AsyncConnection,
    visitor: Visitor,
    interaction: Interaction,
    uscc: str,
    open_ones: list[Consent],
    now: datetime,
) -> Consent | None:
    """A refusal that cools down, which ends interaction and request as refused; `None` without one."""
    client_id, purpose = interaction.client_id, interaction.asked.purpose
    cooling = await cooling_refusal(connection, client_id, uscc, purpose, now=now)
    if cooling is None:
        return None
    await interactions.decide(
        connection,
        interaction,
        "refused",
        uscc=uscc,
        consent_id=None,
        subject=visitor.session.subject,
        session_digest=visitor.session.digest,
        now=now,
    )
    await forget_undecided(connection, uscc, request_digest=interaction.request_digest)
    for each in open_ones:
        ended = consent.give_up(each, client_id=client_id, now=now)
        if not isinstance(ended, Refused):
            await consent_log_writer.save(connection, each, ended)
    return cooling


async def _count_request(
    connection: AsyncConnection, runtime: Runtime, visitor: Visitor, card: ClientCard, uscc: str
) -> None:
    """Count it against the client's limits on requests, as `POST /v1/consents` is counted."""
    client_id, now = card.client_id, runtime.now()
    client = await registry.find(connection, client_id)
    agreement = client.agreement_in_force(now) if client and client.active else None
    if agreement is None:
        raise EarlyResponse(visitor.not_found())
    quotas = await runtime.agreements.quotas_of(client_id, agreement.version)
    subject = runtime.digests.of("subject", uscc).hex()[:32]
    verdict = await runtime.limiter.admit(
        Admission(
            tag=client_id,
            generation=None,
            counters=counters_for(quotas, client_id, subject),
            distinct=distinct_for(quotas, client_id, subject),
        )
    )
    if isinstance(verdict, Limited):
        runtime.refusal_counter.count(
            client_id, uscc, kind="consent_request", reason="rate_limited", now=now
        )
        raise EarlyResponse(visitor.message_page(labels.too_many_requests(card)))


async def request_by_redirect(
    connection: AsyncConnection, interaction: Interaction, uscc: str, *, now: datetime
) -> Consent | None:
    """Request the consent; `None` if its term is over. If it stays undecided the enterprise is notified."""
    asked = await write_consent_request(
        connection,
        replace(interaction.asked, uscc=uscc),
        consent_id=consent_id_from(token_bytes(RANDOM_BYTES)),
        channel=Channel.REDIRECT,
        answer_within=interaction.expires_at - now,
        now=now,
    )
    if isinstance(asked, Refused):  # its term has ended meanwhile
        return None
    await interactions.set_consent(connection, interaction, uscc, asked.consent_id)
    await note_unless_decided(
        connection,
        uscc,
        client_id=interaction.client_id,
        request_digest=interaction.request_digest,
        until=interaction.expires_at,
        now=now,
    )
    return asked
