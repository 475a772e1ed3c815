"""The start page: my enterprises, and what stands open for each."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from consent import Consent, Status, status_at
from consent import store as consents
from gateway.identity.visitor import UsingVisitor
from gateway.pages.frame import Frame
from gateway.pages.route import PageRoute
from gateway.portal import store, words
from gateway.portal.store import ClientCard, EnterpriseCard
from gateway.runtime import UsingRuntime

LOOKS_WITHIN: Final = timedelta(days=30)

router = APIRouter(route_class=PageRoute, include_in_schema=False)
frame: Final = Frame("gateway.portal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A request that has not been answered yet."""

    consent: Consent
    client: ClientCard


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """One enterprise: what waits for its decision, and the rest in numbers."""

    enterprise: EnterpriseCard
    waiting: list[Waiting]
    active: int
    looks: int


@router.get("/", response_model=None)
async def landing(request: Request) -> Response:
    """Say what this is and where the doors are."""
    return frame.page(request, "portal/landing.html")


@router.get("/portal", response_model=None)
async def home(request: Request, runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """Show the person's enterprises at a glance."""
    now = runtime.now()
    async with runtime.engine.connect() as conn:
        cards = await store.enterprises(conn, (m["uscc"] for m in visitor.session.mandates))
        glances = [await _glance(conn, card, now) for card in cards]
    return frame.page(
        request,
        "portal/home.html",
        visitor=visitor,
        glances=glances,
        kinds=words.ENTERPRISE_KINDS,
        name=visitor.session.name,
        words=words,
    )


async def _glance(conn: AsyncConnection, card: EnterpriseCard, now: datetime) -> Glance:
    held = await consents.of_enterprise(conn, card.uscc)
    open_ones = [each for each in held if status_at(each, now) is Status.REQUESTED]
    clients = await store.clients(conn, {each.client_id for each in open_ones})
    return Glance(
        enterprise=card,
        waiting=[
            Waiting(consent=each, client=clients[each.client_id])
            for each in open_ones
            if each.client_id in clients
        ],
        active=sum(status_at(each, now) is Status.ACTIVE for each in held),
        looks=await store.count_looks(conn, card.uscc, since=now - LOOKS_WITHIN),
    )
