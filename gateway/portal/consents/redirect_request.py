"""Decision routes of a consent requested by redirect: `/portal/decide/{interaction_id}`.

The request becomes a requested consent when a person of the enterprise that it names opens this page, and
lapses with its interaction. Before that it is a pushed request, of which the enterprise learns nothing.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from secrets import token_bytes

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

import consent
from consent import Channel, Consent, Refused, Status, consent_id_from, status_at
from consent import store as consents
from consent.ids import RANDOM_BYTES
from gateway.access.head_requests import get_only
from gateway.clients import registry
from gateway.disclosure import consent_log_writer
from gateway.disclosure.consent_request_writer import write_consent_request
from gateway.identity import interactions
from gateway.identity.interactions import Interaction
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import UsingVisitor, Visitor
from gateway.limits.model import Admission, Limited
from gateway.limits.quotas import counters_for, distinct_for
from gateway.notices.outbox import forget_undecided, note_unless_decided
from gateway.pages.forms import one
from gateway.pages.page_route import InsteadError, PageRoute, not_found, see_other
from gateway.portal import page_queries
from gateway.portal.consents import decision_view
from gateway.portal.consents.apply_decision import cooling_until
from gateway.portal.consents.decision import DecisionProblem
from gateway.portal.consents.decision_page import OpenRequest, show_decision, submit_decision
from gateway.portal.page_queries import ClientCard, EnterpriseCard
from gateway.runtime import Runtime, UsingRuntime

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenInteraction:
    """An interaction that this person may decide now, and for which enterprises."""

    interaction: Interaction
    enterprises: list[EnterpriseCard]
    client: ClientCard


@router.get("/portal/decide/{interaction_id}", response_model=None)
@get_only()
async def show_redirect_request(
    request: Request,
    interaction_id: str,
    runtime: UsingRuntime,
    visitor: UsingVisitor,
) -> Response:
    """Show the decision page; the first time, request the consent."""
    async with runtime.engine.begin() as connection:
        found = await _opened(connection, request, runtime, visitor, interaction_id)
        card = _one_of(found.enterprises, request.query_params.get("uscc", ""))
        if card is None:
            return decision_view.which_enterprise(request, visitor, found.client, found.enterprises)
        asked = await _requested(connection, request, runtime, visitor, interaction_id, found, card)
        if not isinstance(asked, Consent):
            return asked
        opened = _open_request(interaction_id, asked, card, found)
        return await show_decision(connection, request, runtime, visitor, opened)


@router.post("/portal/decide/{interaction_id}", response_model=None)
async def decide_redirect_request(
    request: Request,
    interaction_id: str,
    runtime: UsingRuntime,
    visitor: UsingVisitor,
) -> Response:
    """Write the decision, and return to the authorization endpoint."""
    fields = await visitor.form(request, f"decide {interaction_id}")
    async with runtime.engine.connect() as connection, connection.begin() as transaction:
        found = await _opened(connection, request, runtime, visitor, interaction_id)
        card = _one_of(found.enterprises, one(fields, "uscc"))
        if card is None:
            return not_found(request, visitor)
        page = f"/portal/decide/{interaction_id}?uscc={card.uscc}&notice="
        asked = await _requested(
            connection, request, runtime, visitor, interaction_id, found, card, deciding=True
        )
        if not isinstance(asked, Consent):
            digest = found.interaction.request_digest
            decided = await interactions.is_request_decided(connection, digest)
            return see_other(f"{page}{DecisionProblem.ALREADY_DECIDED}") if decided else asked
        opened = _open_request(interaction_id, asked, card, found)
        choice = await submit_decision(connection, request, runtime, visitor, opened, fields)
        if isinstance(choice, DecisionProblem):
            await transaction.rollback()
            return see_other(f"{page}{choice}")
    return see_other(_resume_url(interaction_id))


def _open_request(
    interaction_id: str, asked: Consent, card: EnterpriseCard, found: OpenInteraction
) -> OpenRequest:
    return OpenRequest(
        consent=asked,
        enterprise=card,
        client=found.client,
        action=f"/portal/decide/{interaction_id}",
        form=f"decide {interaction_id}",
        interaction=found.interaction,
    )


async def _requested(
    connection: AsyncConnection,
    request: Request,
    runtime: Runtime,
    visitor: Visitor,
    interaction_id: str,
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
        return decision_view.over(request, visitor, "decided")
    writes = deciding or interaction.asked.uscc is not None
    if writes and not deciding:
        await consents.in_turn(
            connection, interaction.client_id, card.uscc, interaction.asked.purpose
        )
    digest = interaction.request_digest
    names = await interactions.consents_requested(connection, digest, card.uscc)
    earlier = [each for name in names if (each := await consents.by_id(connection, name))]
    open_ones = [each for each in earlier if status_at(each, now) is Status.REQUESTED]
    cooling = await _cooling(connection, runtime, visitor, found, card, open_ones)
    if cooling is not None:
        onward = _resume_url(interaction_id)
        return decision_view.cooling(request, visitor, found.client, cooling, onward)
    if open_ones:
        consent_id = open_ones[0].consent_id
        if not deciding and consent_id != interaction.consent_id:  # of another tab
            await interactions.set_consent(connection, interaction, card.uscc, consent_id)
        return open_ones[0]
    if earlier:
        return decision_view.over(request, visitor, _closed(earlier[0], now))
    if writes:
        await _count_request(request, runtime, visitor, connection, found, card)
        asked = await request_by_redirect(connection, runtime, interaction, card.uscc)
    else:
        asked = _unwritten(interaction, card.uscc, now)
    return asked or decision_view.over(request, visitor, "expired")


def _closed(asked: Consent, now: datetime) -> decision_view.Closed:
    """Why a request that is not open cannot be decided."""
    match status_at(asked, now):
        case Status.WITHDRAWN if asked.decided_at is None:
            return "taken_back"
        case Status.EXPIRED if asked.decided_at is None:
            return "expired"
        case _:
            return "decided"


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


async def _cooling(
    connection: AsyncConnection,
    runtime: Runtime,
    visitor: Visitor,
    found: OpenInteraction,
    card: EnterpriseCard,
    open_ones: list[Consent],
) -> datetime | None:
    """The end of a cool-down, which ends interaction and request as refused; `None` outside of one."""
    interaction, now = found.interaction, runtime.now()
    relation = interaction.client_id, card.uscc, interaction.asked.purpose
    cooling = await cooling_until(connection, *relation, now=now)
    if cooling is None:
        return None
    await interactions.decide(
        connection,
        interaction,
        "refused",
        uscc=card.uscc,
        consent_id=None,
        subject=visitor.session.subject,
        session_digest=visitor.session.digest,
        now=now,
    )
    await forget_undecided(connection, card.uscc, request_digest=interaction.request_digest)
    for each in open_ones:
        ended = consent.give_up(each, client_id=interaction.client_id, now=now)
        if not isinstance(ended, Refused):
            await consent_log_writer.save(connection, each, ended)
    return cooling


async def _count_request(
    request: Request,
    runtime: Runtime,
    visitor: Visitor,
    connection: AsyncConnection,
    found: OpenInteraction,
    card: EnterpriseCard,
) -> None:
    """Count it against the client's limits on requests, as `POST /v1/consents` is counted."""
    client_id = found.client.client_id
    client = await registry.find(connection, client_id)
    agreement = client.agreement_in_force(runtime.now()) if client and client.active else None
    if agreement is None:
        raise InsteadError(not_found(request, visitor))
    quotas = await runtime.quotas.quotas_of(client_id, agreement.version)
    subject = runtime.digests.of("subject", card.uscc).hex()[:32]
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
            client_id,
            card.uscc,
            kind="consent_request",
            reason="rate_limited",
            now=runtime.now(),
        )
        raise InsteadError(decision_view.too_many_requests(request, visitor, found.client))


async def request_by_redirect(
    connection: AsyncConnection, runtime: Runtime, interaction: Interaction, uscc: str
) -> Consent | None:
    """Request the consent; `None` if its term is over. If it stays undecided the enterprise is notified."""
    now = runtime.now()
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


async def _opened(
    connection: AsyncConnection,
    request: Request,
    runtime: Runtime,
    visitor: Visitor,
    interaction_id: str,
) -> OpenInteraction:
    """The interaction if this person may decide it now; else `InsteadError` with the page that says why."""
    now, own = runtime.now(), visitor.session.digest
    interaction = await interactions.find(connection, runtime.digests, interaction_id)
    cards = (
        await page_queries.find_enterprises(connection, _usccs(interaction, visitor))
        if interaction
        else []
    )
    if interaction is None or not cards:  # whose it is, and whether it is, looks the same
        raise InsteadError(decision_view.not_for_you(request, visitor))
    if interaction.decided_at is None and now >= interaction.expires_at:
        raise InsteadError(decision_view.over(request, visitor, "expired"))
    if interaction.decided_at is None:
        if await interactions.bind_session(connection, interaction, session_digest=own, now=now):
            client_id = interaction.client_id
            client = (await page_queries.find_clients(connection, [client_id])).get(client_id)
            if client is None:
                raise InsteadError(not_found(request, visitor))
            return OpenInteraction(interaction=interaction, enterprises=cards, client=client)
        # Somebody else has it, or a click a moment earlier has just decided it.
        interaction = (
            await interactions.find(connection, runtime.digests, interaction_id) or interaction
        )
    if interaction.decided_at is None:
        raise InsteadError(decision_view.over(request, visitor, "elsewhere"))
    if _goes_on(interaction, own, now):
        raise InsteadError(see_other(_resume_url(interaction_id)))
    raise InsteadError(decision_view.over(request, visitor, "decided"))


def _goes_on(interaction: Interaction, own: bytes, now: datetime) -> bool:
    """Whether this browser made the decision and has still to take it back to the client."""
    return (
        interaction.session_digest == own
        and interaction.resumed_at is None
        and now < interaction.expires_at
    )


def _usccs(interaction: Interaction, visitor: Visitor) -> list[str]:
    """For which enterprises this person may decide it."""
    asked = interaction.asked.uscc
    mine = visitor.session.enterprises(Permission.CONSENTS)
    return [uscc for uscc in mine if asked is None or uscc == asked]


def _one_of(cards: list[EnterpriseCard], uscc: str) -> EnterpriseCard | None:
    """The only one, or the chosen one."""
    if len(cards) == 1 and not uscc:
        return cards[0]
    return next((card for card in cards if card.uscc == uscc), None)


def _resume_url(interaction_id: str) -> str:
    return f"/oauth/resume?interaction={interaction_id}"
