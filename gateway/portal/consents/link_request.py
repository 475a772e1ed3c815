"""Decision routes of a consent requested by link: `/portal/asked/{consent_id}`."""

from datetime import datetime
from typing import Annotated, Final

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from consent import Channel, Consent, Status, status_at
from consent import store as consents
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import UsingVisitor, Visitor, signed_in
from gateway.pages.i18n import Translated
from gateway.pages.page_route import (
    EarlyResponse,
    PageMessage,
    PageRoute,
    message_page,
    see_other,
)
from gateway.portal import page_queries
from gateway.portal.consents import labels
from gateway.portal.consents.decision import DecisionProblem, OpenRequest, open_request
from gateway.portal.consents.decision_form import ScopeInput
from gateway.portal.consents.decision_page import show_decision, submit_decision
from gateway.prefix_router import PrefixRouter
from gateway.runtime import Runtime, UsingRuntime

SCANNED: Final = PageMessage(
    200,
    Translated("这是一份授权申请", "This is a request for consent"),
    Translated(
        "请由被申请的企业登录后查看，决定是否同意。它不是门店的企业码："
        "如果贴在店铺门口，请不要登录，并拨打 12315 举报。",
        "The enterprise that is asked signs in to see it and to decide. It is no enterprise code of a shop: "
        "if it hangs at a shop's door, do not sign in, and report it to 12315.",
    ),
)
"""Shown to whoever scans the request's QR code and is not signed in; it tells nothing of the request."""
SIGN_IN: Final = Translated("登录处理", "Sign in and decide")

router = PrefixRouter(route_class=PageRoute, include_in_schema=False)


async def decider(request: Request) -> Visitor:
    """The signed-in person of a request by link; before the sign-in a page says what was scanned."""
    try:
        return await signed_in(request)
    except EarlyResponse as early:
        address = early.response.headers.get("location")
        if request.method != "GET" or address is None:
            raise
        page = message_page(request, SCANNED._replace(onward=(address, SIGN_IN)))
        raise EarlyResponse(page) from None


@router.get("/portal/asked/{consent_id}")
async def show_link_request(
    consent_id: str, runtime: UsingRuntime, visitor: Annotated[Visitor, Depends(decider)]
) -> Response:
    """Show the decision page of a request by link."""
    kept = await visitor.kept_form(f"asked {consent_id}")
    entered = None if kept is None else ScopeInput.from_fields(kept)
    async with runtime.engine.connect() as connection:
        opened = await _open(connection, runtime, visitor, consent_id)
        return await show_decision(connection, runtime, visitor, opened, entered=entered)


@router.post("/portal/asked/{consent_id}")
async def decide_link_request(
    consent_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Write the decision, and show the consent as it is now."""
    fields = await visitor.form(f"asked {consent_id}")
    async with runtime.engine.connect() as connection:
        async with connection.begin() as transaction:
            opened = await _open(connection, runtime, visitor, consent_id)
            choice = await submit_decision(connection, runtime, visitor, opened, fields)
            if isinstance(choice, DecisionProblem):
                await transaction.rollback()
        if isinstance(choice, DecisionProblem):  # shown as it stands now
            opened = await _open(connection, runtime, visitor, consent_id)
            entered = ScopeInput.from_fields(fields)
            return await show_decision(
                connection, runtime, visitor, opened, entered=entered, problem=choice
            )
    if choice.scope is None:
        return see_other(f"/portal/consents/{consent_id}?notice=refused")
    amends = opened.consent.amends
    notice = "granted" if amends is None else "amended"
    return see_other(f"/portal/consents/{amends or consent_id}?notice={notice}")


async def _open(
    connection: AsyncConnection, runtime: Runtime, visitor: Visitor, consent_id: str
) -> OpenRequest:
    """The request if this person may decide it now; else a page that says why not."""
    asked = await consents.by_id(connection, consent_id)
    if asked is None or not visitor.session.may(asked.uscc, Permission.CONSENTS):
        raise EarlyResponse(visitor.message_page(labels.NOT_FOR_YOU))
    card = await page_queries.find_enterprise(connection, asked.uscc)
    if card is None:
        raise EarlyResponse(visitor.message_page(labels.NOT_FOR_YOU))
    closed = await _closed(connection, asked, runtime.now())
    if closed is not None:
        raise EarlyResponse(visitor.message_page(closed))
    client = await page_queries.find_client(connection, asked.client_id)
    if client is None:
        raise EarlyResponse(visitor.not_found())
    return await open_request(
        connection,
        runtime,
        asked,
        enterprise=card,
        client=client,
        action=f"/portal/asked/{consent_id}",
        form=f"asked {consent_id}",
    )


async def _closed(connection: AsyncConnection, asked: Consent, now: datetime) -> PageMessage | None:
    """The reason why it cannot be decided here, or any more; `None` if it can."""
    match status_at(asked, now):
        case Status.REQUESTED if asked.channel is Channel.REDIRECT:
            return labels.ELSEWHERE
        case Status.REQUESTED:
            return labels.ENDED if await _changes_nothing(connection, asked, now) else None
        case Status.WITHDRAWN if asked.decided_at is None:
            ended = await _changes_nothing(connection, asked, now)
            return labels.ENDED if ended else labels.TAKEN_BACK
        case Status.EXPIRED if asked.decided_at is None:
            return labels.LAPSED
        case _:
            return labels.DECIDED


async def _changes_nothing(connection: AsyncConnection, asked: Consent, now: datetime) -> bool:
    """True where it would change a consent that has run out or was used up meanwhile."""
    if asked.amends is None:
        return False
    held = await consents.by_id(connection, asked.amends)
    return held is None or status_at(held, now) not in {Status.ACTIVE, Status.PAUSED}
