"""The start page: my enterprises, and what stands open for each."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from consent import Status, status_at
from consent import store as consents
from gateway.identity.visitor import UsingVisitor
from gateway.pages.frame import Frame
from gateway.pages.route import PageRoute
from gateway.portal import store, words
from gateway.portal.store import EnterpriseCard
from gateway.runtime import UsingRuntime

LOOKS_WITHIN: Final = timedelta(days=30)

router = APIRouter(route_class=PageRoute, include_in_schema=False)
frame: Final = Frame("gateway.portal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """One enterprise in numbers."""

    enterprise: EnterpriseCard
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
        glances = [
            Glance(
                enterprise=card,
                active=sum(
                    status_at(each, now) is Status.ACTIVE
                    for each in await consents.of_enterprise(conn, card.uscc)
                ),
                looks=await store.count_looks(conn, card.uscc, since=now - LOOKS_WITHIN),
            )
            for card in cards
        ]
    return frame.page(
        request,
        "portal/home.html",
        visitor=visitor,
        glances=glances,
        kinds=words.ENTERPRISE_KINDS,
        name=visitor.session.name,
    )
