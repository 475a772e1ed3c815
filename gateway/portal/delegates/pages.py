"""Delegates (经办人): appointed, listed with what each did, and ended, by the legal representative."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from fastapi import APIRouter
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from consent.tables import consent_events
from gateway.creditfile.local_dates import end_of
from gateway.creditfile.objections.tables import objection_events
from gateway.disclosure.ids import new_id
from gateway.identity import delegations, permissions
from gateway.identity.delegations import StoredDelegation
from gateway.identity.permissions import (
    Delegation,
    DelegationState,
    Permission,
    PermissionProblem,
    state_of,
)
from gateway.identity.session_dependency import UsingVisitor, Visitor, new_secret
from gateway.notices.kinds import NoticeKind
from gateway.notices.outbox import note
from gateway.pages.forms import Fields, one
from gateway.pages.i18n import Translated
from gateway.pages.page_route import InsteadError, PageRoute, not_found, see_other
from gateway.pages.rendering import PageRenderer
from gateway.portal import labels, store
from gateway.portal.delegates import labels as delegate_labels
from gateway.portal.store import EnterpriseCard
from gateway.rfc3339 import parse_date
from gateway.runtime import Runtime, UsingRuntime

LONGEST_NAME: Final = 40
DEEDS: Final = 50

router = APIRouter(route_class=PageRoute, include_in_schema=False)
frame: Final = PageRenderer("gateway.portal")


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegateView:
    """A delegation as its legal representative sees it."""

    delegation: Delegation
    name: str
    state: DelegationState


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """Something that a delegate did."""

    at: datetime
    what: Translated
    href: str


@router.get("/portal/enterprises/{uscc}/delegates", response_model=None)
async def list_delegates(
    request: Request, uscc: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """List them, those that may act first."""
    visitor.must(Permission.MANAGE, request, uscc)
    async with runtime.engine.connect() as connection:
        card = await card_of(connection, request, visitor, uscc)
        found = [shown(runtime, each) for each in await delegations.of_enterprise(connection, uscc)]
    going_on = {DelegationState.RUNNING, DelegationState.INVITED}
    return frame.page(
        request,
        "portal/delegates.html",
        visitor=visitor,
        enterprise=card,
        tab="delegates",
        running=[each for each in found if each.state in going_on],
        over=[each for each in found if each.state not in going_on],
        notice=delegate_labels.NOTICES.get(request.query_params.get("notice", "")),
        words=delegate_labels,
    )


@router.get("/portal/enterprises/{uscc}/delegates/new", response_model=None)
async def ask(
    request: Request, uscc: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Ask whom to appoint, for what and how long. Nothing is ticked beforehand."""
    visitor.must(Permission.MANAGE, request, uscc)
    async with runtime.engine.connect() as connection:
        card = await card_of(connection, request, visitor, uscc)
    return _form(request, runtime, visitor, card, Fields({}), None)


@router.post("/portal/enterprises/{uscc}/delegates/new/{delegation_id}", response_model=None)
async def appoint(
    request: Request, uscc: str, delegation_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Appoint, and show the invitation this one time; a second click makes no second one."""
    fields = await visitor.form(request, f"appoint {uscc} {delegation_id}")
    visitor.must(Permission.MANAGE, request, uscc)
    invitation, name = new_secret(), one(fields, "name").strip()
    try:
        async with runtime.engine.begin() as connection:
            card = await card_of(connection, request, visitor, uscc)
            made = await _made(connection, fields, uscc, delegation_id, visitor, now=runtime.now())
            if not isinstance(made, PermissionProblem):
                await delegations.add(
                    connection,
                    made,
                    name=runtime.vault.seal(name.encode(), **_place(uscc, delegation_id)),
                    token_digest=visitor.session.identity_token_digest,
                    invitation_digest=runtime.digests.of("invitation", invitation),
                )
                await note(connection, NoticeKind.DELEGATE_APPOINTED, uscc, now=runtime.now())
    except IntegrityError:
        return see_other(f"/portal/enterprises/{uscc}/delegates?notice=already")
    if isinstance(made, PermissionProblem):
        return _form(request, runtime, visitor, card, fields, made)
    return frame.page(
        request,
        "portal/invitation_made.html",
        address={},
        visitor=visitor,
        enterprise=card,
        tab="delegates",
        name=name,
        made=made,
        link=f"{runtime.settings.issuer}/portal/invitations/{invitation}",
    )


@router.get("/portal/enterprises/{uscc}/delegates/{delegation_id}", response_model=None)
async def show(
    request: Request, uscc: str, delegation_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Show one, with what was done under it."""
    visitor.must(Permission.MANAGE, request, uscc)
    async with runtime.engine.connect() as connection:
        card = await card_of(connection, request, visitor, uscc)
        kept = await delegations.one(connection, uscc, delegation_id)
        if kept is None:
            return not_found(request, visitor)
        deeds = await _deeds(connection, kept.delegation)
    return frame.page(
        request,
        "portal/delegate.html",
        visitor=visitor,
        enterprise=card,
        tab="delegates",
        shown=shown(runtime, kept),
        deeds=deeds,
        csrf=visitor.token(f"end {uscc} {delegation_id}"),
        words=delegate_labels,
    )


@router.post("/portal/enterprises/{uscc}/delegates/{delegation_id}/end", response_model=None)
async def end(
    request: Request, uscc: str, delegation_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """End one: from the delegate's next request on nothing is allowed."""
    await visitor.form(request, f"end {uscc} {delegation_id}")
    visitor.must(Permission.MANAGE, request, uscc)
    async with runtime.engine.begin() as connection:
        done = await delegations.end(
            connection,
            uscc,
            delegation_id,
            by=visitor.session.subject,
            token_digest=visitor.session.identity_token_digest,
            now=runtime.now(),
        )
        if done:
            await note(connection, NoticeKind.DELEGATE_ENDED, uscc, now=runtime.now())
    return see_other(
        f"/portal/enterprises/{uscc}/delegates?notice={'ended' if done else 'too_late'}"
    )


async def card_of(
    connection: AsyncConnection, request: Request, visitor: Visitor, uscc: str
) -> EnterpriseCard:
    """The enterprise's head of page; else there is nothing here."""
    cards = await store.enterprises(connection, [uscc])
    if not cards:
        raise InsteadError(not_found(request, visitor))
    return cards[0]


def shown(runtime: Runtime, kept: StoredDelegation) -> DelegateView:
    """A delegation with its delegate's name opened."""
    of = kept.delegation
    name = runtime.vault.open(kept.name, **_place(of.uscc, of.delegation_id)).decode()
    return DelegateView(delegation=of, name=name, state=state_of(of, runtime.now()))


async def _made(  # the parts of one appointment
    connection: AsyncConnection,
    fields: Fields,
    uscc: str,
    delegation_id: str,
    visitor: Visitor,
    *,
    now: datetime,
) -> Delegation | PermissionProblem:
    name = one(fields, "name").strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        return PermissionProblem.NO_NAME
    return permissions.appoint(
        uscc=uscc,
        delegation_id=delegation_id,
        powers=fields.get("power", []),
        representative=await delegations.representative_of(connection, uscc) or "",
        by=visitor.session.subject,
        ends_at=_end(one(fields, "last_day")),
        now=now,
    )


async def _deeds(connection: AsyncConnection, of: Delegation) -> list[Deed]:
    """What the delegate did while it ran, the newest first."""
    if of.subject is None or of.accepted_at is None:
        return []
    until = min(of.ended_at or of.ends_at, of.ends_at)
    events, others = consent_events.c, objection_events.c
    decided = await connection.execute(
        select(events.at, events.what, events.consent_id)
        .where(
            events.uscc == of.uscc,
            events.actor == of.subject,
            events.at.between(of.accepted_at, until),
        )
        .order_by(events.at.desc())
        .limit(DEEDS)
    )
    objected = await connection.execute(
        select(others.at, others.what, others.objection_id)
        .where(
            others.uscc == of.uscc,
            others.actor == of.subject,
            others.at.between(of.accepted_at, until),
        )
        .order_by(others.at.desc())
        .limit(DEEDS)
    )
    deeds = [
        Deed(
            at=row.at,
            what=delegate_labels.DID.get(row.what, labels.ACTS[row.what]),
            href=f"/portal/consents/{row.consent_id}",
        )
        for row in decided
    ] + [
        Deed(
            at=row.at, what=delegate_labels.OBJECTED, href=f"/portal/objections/{row.objection_id}"
        )
        for row in objected
    ]
    return sorted(deeds, key=lambda each: each.at, reverse=True)[:DEEDS]


def _form(  # a page's parts
    request: Request,
    runtime: Runtime,
    visitor: Visitor,
    card: EnterpriseCard,
    fields: Fields,
    trouble: PermissionProblem | None,
) -> Response:
    delegation_id = new_id("dlg")
    return frame.page(
        request,
        "portal/appoint.html",
        status=422 if trouble else 200,
        address={},
        visitor=visitor,
        enterprise=card,
        tab="delegates",
        action=f"/portal/enterprises/{card.uscc}/delegates/new/{delegation_id}",
        csrf=visitor.token(f"appoint {card.uscc} {delegation_id}"),
        trouble=delegate_labels.TROUBLES[trouble] if trouble else None,
        name=one(fields, "name")[:LONGEST_NAME],
        ticked=fields.get("power", []),
        first=runtime.now(),
        last=runtime.now() + permissions.LONGEST_TERM - timedelta(days=1),
        last_day=one(fields, "last_day"),
        longest=LONGEST_NAME,
        words=delegate_labels,
    )


def _end(last_day: str) -> datetime | None:
    try:
        return end_of(parse_date(last_day))
    except ValueError:
        return None


def _place(uscc: str, delegation_id: str) -> dict[str, str]:
    return {"table": "delegation", "column": "name", "row": f"{uscc}/{delegation_id}"}
