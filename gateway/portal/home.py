"""The landing page, and the portal's start page: own enterprises with their open items."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

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
from gateway.prefix_router import PrefixRouter
from gateway.runtime import UsingRuntime

RUNNING: Final = frozenset({Status.ACTIVE, Status.PAUSED})
ACCESS_COUNT_PERIOD: Final = timedelta(days=30)

router = PrefixRouter(route_class=PageRoute, include_in_schema=False)
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


@router.get("/")
async def show_landing(request: Request) -> Response:
    """Landing page, without sign-in."""
    return renderer.page(request, "portal/landing.html")


@router.get("/portal")
async def show_home(runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """Show the person's enterprises with their open items."""
    now, session = runtime.now(), visitor.session
    async with runtime.engine.connect() as connection:
        cards = await page_queries.find_enterprises(connection, session.permissions)
        summaries = [
            await _summary(connection, card, session.permissions[card.uscc], now) for card in cards
        ]
        other = session.outdated - session.permissions.keys()
        outdated = await page_queries.find_enterprises(connection, other)
    return renderer.visitor_page(
        visitor,
        "portal/home.html",
        summaries=summaries,
        outdated=outdated,
        name=session.name,
        labels=labels,
    )


async def _summary(
    connection: AsyncConnection, card: EnterpriseCard, powers: frozenset[Permission], now: datetime
) -> HomeSummary:
    current: list[Consent] = []
    inherited: list[Consent] = []
    uscc, accesses, decided = card.uscc, 0, 0
    if Permission.CONSENTS in powers:
        current = await consents.running_of(connection, uscc, now=now)
    if Permission.MANAGE in powers:
        inherited = await representatives.to_confirm(connection, uscc, current, now=now)
    if Permission.RECORD in powers:
        start = now - ACCESS_COUNT_PERIOD
        accesses = await page_queries.count_disclosures(connection, uscc, start=start)
    if Permission.OBJECTIONS in powers:
        found = await objections.of_enterprise(connection, uscc)
        decided = sum(each.status is objection.Status.DECIDED for each in found)
    running = {each.consent_id for each in current if status_at(each, now) in RUNNING}
    requested = [
        each
        for each in current
        if status_at(each, now) is Status.REQUESTED
        and each.channel is not Channel.REDIRECT  # decided where the client has sent the person
        and (each.amends is None or each.amends in running)
    ]
    ids = {each.client_id for each in (*requested, *inherited)}
    clients = await page_queries.find_clients(connection, ids)
    return HomeSummary(
        enterprise=card,
        powers=powers,
        requests=_with_client(requested, clients),
        inherited=_with_client(inherited, clients),
        active_consents=sum(status_at(each, now) is Status.ACTIVE for each in current),
        recent_accesses=accesses,
        decided_objections=decided,
    )


def _with_client(
    found: Iterable[Consent], clients: Mapping[str, ClientCard]
) -> list[PendingRequest]:
    return [
        PendingRequest(consent=each, client=clients[each.client_id])
        for each in found
        if each.client_id in clients
    ]
