"""The decision on a consent that was asked for by link: the same page, the same record."""

from datetime import datetime

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from consent import Consent, Status, status_at
from consent import store as consents
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import UsingVisitor, Visitor
from gateway.pages.page_route import InsteadError, PageRoute, not_found, see_other
from gateway.portal import store
from gateway.portal.consents import apply_decision
from gateway.portal.consents import decision_view as pages
from gateway.portal.consents.decision import DecisionProblem, ask_again, decider_of
from gateway.portal.consents.decision_form import choice_of, fields_behind
from gateway.portal.store import EnterpriseCard
from gateway.runtime import UsingRuntime

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/portal/asked/{consent_id}", response_model=None)
async def show(
    request: Request,
    consent_id: str,
    runtime: UsingRuntime,
    visitor: UsingVisitor,
) -> Response:
    """Show what is asked."""
    now = runtime.now()
    async with runtime.engine.connect() as connection:
        asked, card = await _open(connection, request, visitor, consent_id, now)
        client = (await store.clients(connection, [asked.client_id])).get(asked.client_id)
        if client is None:
            return not_found(request, visitor)
        cooling = await apply_decision.cooling_until(connection, ask_again(asked), now=now)
        changes = await consents.by_id(connection, asked.amends) if asked.amends else None
    return pages.decision(
        request,
        visitor,
        pages.DecisionPage(
            action=f"/portal/asked/{consent_id}",
            form=f"asked {consent_id}",
            redirect_origin="",
            client=client,
            enterprise=card,
            scope=asked.scope,
            purpose=asked.purpose,
            text=pages.text_before(client, card, asked.purpose),
            cooling_until=cooling,
            changes=changes,
            in_person=visitor.session.may(card.uscc, Permission.IN_PERSON),
        ),
        catalogue=runtime.catalogue,
    )


@router.post("/portal/asked/{consent_id}", response_model=None)
async def take(
    request: Request,
    consent_id: str,
    runtime: UsingRuntime,
    visitor: UsingVisitor,
) -> Response:
    """Take the decision, and show the consent as it is now."""
    fields = await visitor.form(request, f"asked {consent_id}")
    now = runtime.now()
    async with runtime.engine.connect() as connection, connection.begin() as transaction:
        asked, card = await _open(connection, request, visitor, consent_id, now)
        client = (await store.clients(connection, [asked.client_id])).get(asked.client_id)
        if client is None:
            return not_found(request, visitor)
        text = pages.text_before(client, card, asked.purpose)
        in_person = visitor.session.may(card.uscc, Permission.IN_PERSON)
        behind = fields_behind(asked.datasets, runtime.catalogue)
        choice = choice_of(
            fields, asked.scope, text, behind=behind, card=card, in_person=in_person, now=now
        )
        if isinstance(choice, DecisionProblem):
            return see_other(f"/portal/asked/{consent_id}?notice={choice}")
        decider = decider_of(request, visitor, text, fields, behind=behind)
        trouble = await apply_decision.answer(connection, asked, choice, decider, now=now)
        if trouble is not None:
            await transaction.rollback()
            return see_other(f"/portal/asked/{consent_id}?notice={trouble}")
    if choice.scope is None:
        return see_other(f"/portal/consents/{consent_id}?notice=refused")
    notice = "granted" if asked.amends is None else "amended"
    return see_other(f"/portal/consents/{asked.amends or consent_id}?notice={notice}")


async def _open(
    connection: AsyncConnection,
    request: Request,
    visitor: Visitor,
    consent_id: str,
    now: datetime,
) -> tuple[Consent, EnterpriseCard]:
    """The request if this person may decide it now; else the page that says why not."""
    asked = await consents.by_id(connection, consent_id)
    if asked is None or not visitor.session.may(asked.uscc, Permission.CONSENTS):
        raise InsteadError(pages.not_for_you(request, visitor))
    cards = await store.enterprises(connection, [asked.uscc])
    if not cards:
        raise InsteadError(pages.not_for_you(request, visitor))
    match status_at(asked, now):
        case Status.REQUESTED if await _changes_nothing(connection, asked, now):
            raise InsteadError(pages.over(request, visitor, "ended"))
        case Status.REQUESTED:
            return asked, cards[0]
        case Status.WITHDRAWN if asked.decided_at is None:
            ended = await _changes_nothing(connection, asked, now)
            raise InsteadError(pages.over(request, visitor, "ended" if ended else "taken_back"))
        case Status.EXPIRED if asked.decided_at is None:
            raise InsteadError(pages.over(request, visitor, "lapsed"))
        case _:
            raise InsteadError(pages.over(request, visitor, "decided"))


async def _changes_nothing(connection: AsyncConnection, asked: Consent, now: datetime) -> bool:
    """Whether it would change a consent that has run out or was used up meanwhile."""
    if asked.amends is None:
        return False
    held = await consents.by_id(connection, asked.amends)
    return held is None or status_at(held, now) not in {Status.ACTIVE, Status.PAUSED}
