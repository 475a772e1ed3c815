"""The decision page: who asks, for what, and each item by itself. Nothing is ticked beforehand."""

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from gateway.access.head_requests import get_only
from gateway.identity import interactions
from gateway.identity.interactions import Interaction
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import UsingVisitor, Visitor
from gateway.pages.forms import one
from gateway.pages.page_route import InsteadError, PageRoute, not_found, see_other
from gateway.portal import store
from gateway.portal.consents import apply_decision
from gateway.portal.consents import decision_view as pages
from gateway.portal.consents.decision import DecisionProblem, ask_of, asked_scope, decider_of
from gateway.portal.consents.decision_form import choice_of, fields_behind
from gateway.portal.store import EnterpriseCard
from gateway.runtime import Runtime, UsingRuntime

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedRequest:
    """An interaction that this person may decide now."""

    interaction: Interaction
    enterprises: list[EnterpriseCard]


@router.get("/portal/decide/{interaction_id}", response_model=None)
@get_only()
async def show(
    request: Request,
    interaction_id: str,
    runtime: UsingRuntime,
    visitor: UsingVisitor,
) -> Response:
    """Show what is asked."""
    async with runtime.engine.begin() as connection:
        opened = await _opened(connection, request, runtime, visitor, interaction_id)
        card = _one_of(opened.enterprises, request.query_params.get("uscc", ""))
        found = await store.clients(connection, [opened.interaction.client_id])
        client = found.get(opened.interaction.client_id)
        if client is None:
            return not_found(request, visitor)
        if card is None:
            return pages.which_enterprise(request, visitor, client, opened.enterprises)
        ask = ask_of(opened.interaction.ask, card.uscc)
        cooling = await apply_decision.cooling_until(connection, ask, now=runtime.now())
        if cooling is None:
            await apply_decision.tell_if_left_open(
                connection, opened.interaction, ask, now=runtime.now()
            )
    return pages.decision(
        request,
        visitor,
        pages.DecisionPage(
            action=f"/portal/decide/{interaction_id}",
            form=f"decide {interaction_id}",
            redirect_origin=opened.interaction.redirect_origin,
            client=client,
            enterprise=card,
            scope=asked_scope(opened.interaction.ask),
            purpose=ask.purpose,
            text=pages.text_before(client, card, ask.purpose),
            cooling_until=cooling,
            in_person=visitor.session.may(card.uscc, Permission.IN_PERSON),
        ),
        catalogue=runtime.catalogue,
    )


@router.post("/portal/decide/{interaction_id}", response_model=None)
async def take(
    request: Request,
    interaction_id: str,
    runtime: UsingRuntime,
    visitor: UsingVisitor,
) -> Response:
    """Take the decision, and hand it back to the authorization endpoint."""
    fields = await visitor.form(request, f"decide {interaction_id}")
    async with runtime.engine.connect() as connection, connection.begin() as transaction:
        opened = await _opened(connection, request, runtime, visitor, interaction_id)
        card = _one_of(opened.enterprises, one(fields, "uscc"))
        if card is None:
            return not_found(request, visitor)
        ask = ask_of(opened.interaction.ask, card.uscc)
        client = (await store.clients(connection, [ask.client_id])).get(ask.client_id)
        if client is None:
            return not_found(request, visitor)
        text = pages.text_before(client, card, ask.purpose)
        asked = asked_scope(opened.interaction.ask)
        in_person = visitor.session.may(card.uscc, Permission.IN_PERSON)
        behind = fields_behind(asked.datasets, runtime.catalogue)
        choice = choice_of(
            fields,
            asked,
            text,
            behind=behind,
            card=card,
            in_person=in_person,
            now=runtime.now(),
        )
        trouble = (
            choice
            if isinstance(choice, DecisionProblem)
            else await apply_decision.decide(
                connection,
                opened.interaction,
                choice,
                decider_of(request, visitor, text, fields, behind=behind),
                now=runtime.now(),
            )
        )
        if trouble is not None:
            await transaction.rollback()
            return _back(interaction_id, card.uscc, trouble)
    return _onward(interaction_id)


async def _opened(
    connection: AsyncConnection,
    request: Request,
    runtime: Runtime,
    visitor: Visitor,
    interaction_id: str,
) -> OpenedRequest:
    """The interaction if this person may decide it now; else the page that says why not."""
    now, own = runtime.now(), visitor.session.digest
    interaction = await interactions.find(connection, runtime.digests, interaction_id)
    cards = await store.enterprises(connection, _usccs(interaction, visitor)) if interaction else []
    if interaction is None or not cards:  # whose it is, and whether it is, looks the same
        raise InsteadError(pages.not_for_you(request, visitor))
    if interaction.decided_at is None and now >= interaction.expires_at:
        raise InsteadError(pages.over(request, visitor, "expired"))
    if interaction.decided_at is None:
        if await interactions.bind_session(connection, interaction, session_digest=own, now=now):
            return OpenedRequest(interaction=interaction, enterprises=cards)
        # Somebody else has it, or a click a moment earlier has just decided it.
        interaction = (
            await interactions.find(connection, runtime.digests, interaction_id) or interaction
        )
    if interaction.decided_at is None:
        raise InsteadError(pages.over(request, visitor, "elsewhere"))
    if _goes_on(interaction, own, now):
        raise InsteadError(_onward(interaction_id))
    raise InsteadError(pages.over(request, visitor, "decided"))


def _goes_on(interaction: Interaction, own: bytes, now: datetime) -> bool:
    """Whether this browser made the decision and has still to take it back to the client."""
    return (
        interaction.session_digest == own
        and interaction.resumed_at is None
        and now < interaction.expires_at
    )


def _usccs(interaction: Interaction, visitor: Visitor) -> list[str]:
    """For which enterprises this person may decide it."""
    asked = interaction.ask["uscc"]
    mine = visitor.session.enterprises(Permission.CONSENTS)
    return [uscc for uscc in mine if asked is None or uscc == asked]


def _one_of(cards: list[EnterpriseCard], uscc: str) -> EnterpriseCard | None:
    """The only one, or the chosen one."""
    if len(cards) == 1 and not uscc:
        return cards[0]
    return next((card for card in cards if card.uscc == uscc), None)


def _onward(interaction_id: str) -> Response:
    return see_other(f"/oauth/resume?interaction={interaction_id}")


def _back(interaction_id: str, uscc: str, trouble: DecisionProblem) -> Response:
    return see_other(f"/portal/decide/{interaction_id}?uscc={uscc}&notice={trouble}")
