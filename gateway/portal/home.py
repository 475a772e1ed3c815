"""The landing page, and the portal's start page: own enterprises with their open items."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from consent import Channel, Consent, Status, status_at
from consent import store as consents
from gateway.creditfile.objections import model as objection
from gateway.creditfile.objections import store as objections
from gateway.identity import representatives
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import UsingVisitor
from gateway.pages.page_route import PageRoute
from gateway.pages.rendering import PageRenderer
from gateway.portal import labels, page_queries
from gateway.portal.page_queries import ClientCard, EnterpriseCard
from gateway.runtime import UsingRuntime

RUNNING: Final = frozenset({Status.ACTIVE, Status.PAUSED})
ACCESS_COUNT_PERIOD: Final = timedelta(days=30)

router = APIRouter(route_class=PageRoute, include_in_schema=False)
renderer: Final = PageRenderer("gateway.portal")


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingRequest:
    """A consent that awaits a decision, with its client."""

    consent: Consent
    client: ClientCard


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeSummary:
    """One enterprise on the start page; what the person may not see is empty."""

    enterprise: EnterpriseCard
    powers: frozenset[Permission]
    requests: list[PendingRequest]
    inherited: list[PendingRequest]
    """Consents given under a former legal representative, to be kept or withdrawn."""
    active_consents: int
    recent_accesses: int
    decided_objections: int


@router.get("/", response_model=None)
async def show_landing(request: Request) -> Response:
    """Show the landing page."""
    return renderer.page(request, "portal/landing.html")


@router.get("/portal", response_model=None)
async def show_home(request: Request, runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """Show the person's enterprises with their open items."""
    now = runtime.now()
    session = visitor.session
    async with runtime.engine.connect() as connection:
        cards = await page_queries.find_enterprises(connection, session.permissions)
        summaries = [
            await _summary(connection, card, session.permissions[card.uscc], now) for card in cards
        ]
        outdated = await page_queries.find_enterprises(
            connection, session.outdated - session.permissions.keys()
        )
    return renderer.page(
        request,
        "portal/home.html",
        visitor=visitor,
        summaries=summaries,
        outdated=outdated,
        name=visitor.session.name,
        labels=labels,
    )


async def _summary(
    connection: AsyncConnection, card: EnterpriseCard, powers: frozenset[Permission], now: datetime
) -> HomeSummary:
    current = (
        await consents.running_of(connection, card.uscc, now=now)
        if Permission.CONSENTS in powers
        else []
    )
    running = {each.consent_id for each in current if status_at(each, now) in RUNNING}
    requested = [
        each
        for each in current
        if status_at(each, now) is Status.REQUESTED
        and each.channel is not Channel.REDIRECT  # decided where the client has sent the person
        and (each.amends is None or each.amends in running)
    ]
    inherited = (
        await representatives.to_confirm(connection, card.uscc, current, now=now)
        if Permission.MANAGE in powers
        else []
    )
    clients = await page_queries.find_clients(
        connection, {each.client_id for each in (*requested, *inherited)}
    )
    return HomeSummary(
        enterprise=card,
        powers=powers,
        requests=_with_client(requested, clients),
        inherited=_with_client(inherited, clients),
        active_consents=sum(status_at(each, now) is Status.ACTIVE for each in current),
        recent_accesses=await page_queries.count_disclosures(
            connection, card.uscc, start=now - ACCESS_COUNT_PERIOD
        )
        if Permission.RECORD in powers
        else 0,
        decided_objections=await _count_decided_objections(connection, card.uscc)
        if Permission.OBJECTIONS in powers
        else 0,
    )


async def _count_decided_objections(connection: AsyncConnection, uscc: str) -> int:
    found = await objections.of_enterprise(connection, uscc)
    return sum(each.status is objection.Status.DECIDED for each in found)


def _with_client(
    found: Iterable[Consent], clients: Mapping[str, ClientCard]
) -> list[PendingRequest]:
    return [
        PendingRequest(consent=each, client=clients[each.client_id])
        for each in found
        if each.client_id in clients
    ]
