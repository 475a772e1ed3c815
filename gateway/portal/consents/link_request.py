"""Decision routes of a consent requested by link: `/portal/asked/{consent_id}`."""

from datetime import datetime

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from consent import Channel, Consent, Status, status_at
from consent import store as consents
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import UsingVisitor, Visitor
from gateway.pages.page_route import InsteadError, PageRoute, not_found, see_other
from gateway.portal import page_queries
from gateway.portal.consents import decision_view
from gateway.portal.consents.decision import DecisionProblem
from gateway.portal.consents.decision_page import OpenRequest, show_decision, submit_decision
from gateway.runtime import UsingRuntime

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/portal/asked/{consent_id}", response_model=None)
async def show_link_request(
    request: Request,
    consent_id: str,
    runtime: UsingRuntime,
    visitor: UsingVisitor,
) -> Response:
    """Show the decision page of a request by link."""
    async with runtime.engine.connect() as connection:
        opened = await _open(connection, request, visitor, consent_id, runtime.now())
        return await show_decision(connection, request, runtime, visitor, opened)


@router.post("/portal/asked/{consent_id}", response_model=None)
async def decide_link_request(
    request: Request,
    consent_id: str,
    runtime: UsingRuntime,
    visitor: UsingVisitor,
) -> Response:
    """Write the decision, and show the consent as it is now."""
    fields = await visitor.form(request, f"asked {consent_id}")
    async with runtime.engine.connect() as connection, connection.begin() as transaction:
        opened = await _open(connection, request, visitor, consent_id, runtime.now())
        choice = await submit_decision(connection, request, runtime, visitor, opened, fields)
        if isinstance(choice, DecisionProblem):
            await transaction.rollback()
            return see_other(f"/portal/asked/{consent_id}?notice={choice}")
    if choice.scope is None:
        return see_other(f"/portal/consents/{consent_id}?notice=refused")
    amends = opened.consent.amends
    notice = "granted" if amends is None else "amended"
    return see_other(f"/portal/consents/{amends or consent_id}?notice={notice}")


async def _open(
    connection: AsyncConnection,
    request: Request,
    visitor: Visitor,
    consent_id: str,
    now: datetime,
) -> OpenRequest:
    """The request if this person may decide it now; else `InsteadError` with the page that says why."""
    asked = await consents.by_id(connection, consent_id)
    if asked is None or not visitor.session.may(asked.uscc, Permission.CONSENTS):
        raise InsteadError(decision_view.not_for_you(request, visitor))
    cards = await page_queries.find_enterprises(connection, [asked.uscc])
    if not cards:
        raise InsteadError(decision_view.not_for_you(request, visitor))
    why = await _closed(connection, asked, now)
    if why is not None:
        raise InsteadError(decision_view.over(request, visitor, why))
    client = (await page_queries.find_clients(connection, [asked.client_id])).get(asked.client_id)
    if client is None:
        raise InsteadError(not_found(request, visitor))
    return OpenRequest(
        consent=asked,
        enterprise=cards[0],
        client=client,
        action=f"/portal/asked/{consent_id}",
        form=f"asked {consent_id}",
    )


async def _closed(
    connection: AsyncConnection, asked: Consent, now: datetime
) -> decision_view.Closed | None:
    """Why it cannot be decided here, or any more; `None` if it can."""
    match status_at(asked, now):
        case Status.REQUESTED if asked.channel is Channel.REDIRECT:
            return "elsewhere"
        case Status.REQUESTED:
            return "ended" if await _changes_nothing(connection, asked, now) else None
        case Status.WITHDRAWN if asked.decided_at is None:
            ended = await _changes_nothing(connection, asked, now)
            return "ended" if ended else "taken_back"
        case Status.EXPIRED if asked.decided_at is None:
            return "lapsed"
        case _:
            return "decided"


async def _changes_nothing(connection: AsyncConnection, asked: Consent, now: datetime) -> bool:
    """Whether it would change a consent that has run out or was used up meanwhile."""
    if asked.amends is None:
        return False
    held = await consents.by_id(connection, asked.amends)
    return held is None or status_at(held, now) not in {Status.ACTIVE, Status.PAUSED}
