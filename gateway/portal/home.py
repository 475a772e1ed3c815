"""The start page: my enterprises, and what stands open for each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from consent import Consent, Status, status_at
from consent import store as consents
from gateway.creditfile.objections import model as objection
from gateway.creditfile.objections import store as objections
from gateway.identity import representatives
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import UsingVisitor
from gateway.pages.page_route import PageRoute
from gateway.pages.rendering import PageRenderer
from gateway.portal import labels, store
from gateway.portal.store import ClientCard, EnterpriseCard
from gateway.runtime import UsingRuntime

RUNNING: Final = frozenset({Status.ACTIVE, Status.PAUSED})
LOOKS_WITHIN: Final = timedelta(days=30)

router = APIRouter(route_class=PageRoute, include_in_schema=False)
frame: Final = PageRenderer("gateway.portal")


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingItems:
    """A request that has not been answered yet."""

    consent: Consent
    client: ClientCard


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeSummary:
    """One enterprise: what waits for its decision, and the rest in numbers.

    What the person has no power to see is empty.
    """

    enterprise: EnterpriseCard
    powers: frozenset[Permission]
    waiting: list[PendingItems]
    predecessors: list[PendingItems]
    """Consents of a former legal representative, for the new one to keep or withdraw."""
    active: int
    looks: int
    decided: int
    """Objections that were decided and can still be reviewed."""


@router.get("/", response_model=None)
async def landing(request: Request) -> Response:
    """Say what this is and where the doors are."""
    return frame.page(request, "portal/landing.html")


@router.get("/portal", response_model=None)
async def home(request: Request, runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """Show the person's enterprises at a glance."""
    now = runtime.now()
    session = visitor.session
    async with runtime.engine.connect() as connection:
        cards = await store.enterprises(connection, session.standing)
        glances = [
            await _glance(connection, card, session.standing[card.uscc], now) for card in cards
        ]
        outdated = await store.enterprises(connection, session.outdated - session.standing.keys())
    return frame.page(
        request,
        "portal/home.html",
        visitor=visitor,
        glances=glances,
        kinds=labels.ENTERPRISE_KINDS,
        outdated=outdated,
        name=visitor.session.name,
        words=labels,
    )


async def _glance(
    connection: AsyncConnection, card: EnterpriseCard, powers: frozenset[Permission], now: datetime
) -> HomeSummary:
    held = (
        await consents.running_of(connection, card.uscc, now=now)
        if Permission.CONSENTS in powers
        else []
    )
    running = {each.consent_id for each in held if status_at(each, now) in RUNNING}
    open_ones = [
        each
        for each in held
        if status_at(each, now) is Status.REQUESTED
        and (each.amends is None or each.amends in running)
    ]
    mine = Permission.MANAGE in powers
    left = await representatives.to_confirm(connection, card.uscc, held, now=now) if mine else []
    clients = await store.clients(connection, {each.client_id for each in (*open_ones, *left)})
    return HomeSummary(
        enterprise=card,
        powers=powers,
        waiting=_known(open_ones, clients),
        predecessors=_known(left, clients),
        active=sum(status_at(each, now) is Status.ACTIVE for each in held),
        looks=await store.count_looks(connection, card.uscc, since=now - LOOKS_WITHIN)
        if Permission.RECORD in powers
        else 0,
        decided=await _decided(connection, card.uscc) if Permission.OBJECTIONS in powers else 0,
    )


async def _decided(connection: AsyncConnection, uscc: str) -> int:
    found = await objections.of_enterprise(connection, uscc)
    return sum(each.status is objection.Status.DECIDED for each in found)


def _known(held: Iterable[Consent], clients: Mapping[str, ClientCard]) -> list[PendingItems]:
    return [
        PendingItems(consent=each, client=clients[each.client_id])
        for each in held
        if each.client_id in clients
    ]
