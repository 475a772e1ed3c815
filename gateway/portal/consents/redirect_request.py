"""Decision routes of a consent requested by redirect: `/portal/decide/{interaction_id}`."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from consent import Consent
from gateway.access.http.head_requests import get_only
from gateway.identity import interactions
from gateway.identity.interactions import Interaction
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import UsingVisitor, Visitor
from gateway.pages.forms import single_value
from gateway.pages.page_route import EarlyResponse, PageRoute, see_other
from gateway.portal import page_queries
from gateway.portal.consents import labels
from gateway.portal.consents.decision import DecisionProblem, OpenRequest, open_request
from gateway.portal.consents.decision_form import ScopeInput
from gateway.portal.consents.decision_page import renderer, show_decision, submit_decision
from gateway.portal.consents.pushed_consent import OpenInteraction, find_or_request, resume_url
from gateway.portal.labels import ENTERPRISE_KINDS
from gateway.portal.page_queries import EnterpriseCard
from gateway.prefix_router import PrefixRouter
from gateway.runtime import Runtime, UsingRuntime

router = PrefixRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/portal/decide/{interaction_id}")
@get_only()
async def show_redirect_request(
    interaction_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Show the decision page; the first time, request the consent."""
    uscc = visitor.request.query_params.get("uscc", "")
    kept = await visitor.kept_form(f"decide {interaction_id}")
    if kept is not None and single_value(kept, "uscc") != uscc:  # of another enterprise
        kept = None
    entered = None if kept is None else ScopeInput.from_fields(kept)
    async with runtime.engine.begin() as connection:
        return await _decision_page(
            connection, runtime, visitor, interaction_id, uscc, entered=entered
        )


@router.post("/portal/decide/{interaction_id}")
async def decide_redirect_request(
    interaction_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Write the decision, and return to the authorization endpoint."""
    fields = await visitor.form(f"decide {interaction_id}")
    uscc = single_value(fields, "uscc")
    async with runtime.engine.connect() as connection, connection.begin() as transaction:
        found = await _opened(connection, runtime, visitor, interaction_id)
        card = _one_of(found.enterprises, uscc)
        if card is None:
            return visitor.not_found()
        asked = await find_or_request(connection, runtime, visitor, found, card, deciding=True)
        if not isinstance(asked, Consent):
            digest = found.interaction.request_digest
            decided = await interactions.is_request_decided(connection, digest)
            page = f"/portal/decide/{interaction_id}?uscc={card.uscc}"
            return see_other(page) if decided else asked
        opened = await _open_request(connection, runtime, found, card, asked)
        choice = await submit_decision(connection, runtime, visitor, opened, fields)
        if isinstance(choice, DecisionProblem):
            await transaction.rollback()
    if isinstance(choice, DecisionProblem):  # shown as it stands now
        entered = ScopeInput.from_fields(fields)
        async with runtime.engine.begin() as connection:
            return await _decision_page(
                connection, runtime, visitor, interaction_id, uscc, entered=entered, problem=choice
            )
    return see_other(resume_url(interaction_id))


async def _decision_page(
    connection: AsyncConnection,
    runtime: Runtime,
    visitor: Visitor,
    interaction_id: str,
    uscc: str,
    *,
    entered: ScopeInput | None = None,
    problem: DecisionProblem | None = None,
) -> Response:
    found = await _opened(connection, runtime, visitor, interaction_id)
    card = _one_of(found.enterprises, uscc)
    if card is None:
        return _choose_enterprise(visitor, found)
    asked = await find_or_request(connection, runtime, visitor, found, card)
    if not isinstance(asked, Consent):
        return asked
    opened = await _open_request(connection, runtime, found, card, asked)
    return await show_decision(
        connection, runtime, visitor, opened, entered=entered, problem=problem
    )


async def _opened(
    connection: AsyncConnection, runtime: Runtime, visitor: Visitor, interaction_id: str
) -> OpenInteraction:
    """The interaction if this person may decide it now; else a page that says why not."""
    now, own = runtime.now(), visitor.session.digest
    interaction = await interactions.find(connection, runtime.digests, interaction_id)
    usccs = _usccs(interaction, visitor) if interaction else []
    cards = await page_queries.find_enterprises(connection, usccs) if interaction else []
    if interaction is None or not cards:  # the same for one of another enterprise
        raise EarlyResponse(visitor.message_page(labels.NOT_FOR_YOU))
    if interaction.decided_at is None and now >= interaction.expires_at:
        raise EarlyResponse(visitor.message_page(labels.EXPIRED))
    if interaction.decided_at is None:
        if await interactions.bind_session(connection, interaction, session_digest=own, now=now):
            client = await page_queries.find_client(connection, interaction.client_id)
            if client is None:
                raise EarlyResponse(visitor.not_found())
            return OpenInteraction(
                interaction_id=interaction_id,
                interaction=interaction,
                enterprises=cards,
                client=client,
            )
        # Another session has it, or a click a moment earlier has just decided it.
        again = await interactions.find(connection, runtime.digests, interaction_id)
        interaction = again or interaction
    if interaction.decided_at is None:
        raise EarlyResponse(visitor.message_page(labels.ELSEWHERE))
    if _awaits_resuming(interaction, own, now):
        raise EarlyResponse(see_other(resume_url(interaction_id)))
    raise EarlyResponse(visitor.message_page(labels.DECIDED))


def _awaits_resuming(interaction: Interaction, own: bytes, now: datetime) -> bool:
    """True where this browser made the decision and has still to take it back to the client."""
    return (
        interaction.session_digest == own
        and interaction.resumed_at is None
        and now < interaction.expires_at
    )


def _usccs(interaction: Interaction, visitor: Visitor) -> list[str]:
    """The enterprises for which this person may decide it."""
    asked = interaction.asked.uscc
    mine = visitor.session.enterprises(Permission.CONSENTS)
    return [uscc for uscc in mine if asked is None or uscc == asked]


def _one_of(cards: list[EnterpriseCard], uscc: str) -> EnterpriseCard | None:
    """The only enterprise, or the chosen one."""
    if len(cards) == 1 and not uscc:
        return cards[0]
    return next((card for card in cards if card.uscc == uscc), None)


def _choose_enterprise(visitor: Visitor, found: OpenInteraction) -> Response:
    """The page to choose one of several enterprises."""
    return renderer.visitor_page(
        visitor,
        "portal/choose_enterprise.html",
        client=found.client,
        enterprises=found.enterprises,
        kinds=ENTERPRISE_KINDS,
    )


async def _open_request(
    connection: AsyncConnection,
    runtime: Runtime,
    found: OpenInteraction,
    card: EnterpriseCard,
    asked: Consent,
) -> OpenRequest:
    return await open_request(
        connection,
        runtime,
        asked,
        enterprise=card,
        client=found.client,
        action=f"/portal/decide/{found.interaction_id}",
        form=f"decide {found.interaction_id}",
        interaction=found.interaction,
    )
