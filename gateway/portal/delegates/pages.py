"""Portal pages to appoint, list and end delegates (经办人), for the legal representative."""

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
from gateway.portal import labels, page_queries
from gateway.portal.delegates import labels as delegate_labels
from gateway.portal.page_queries import EnterpriseCard
from gateway.rfc3339 import parse_date
from gateway.runtime import Runtime, UsingRuntime

MAX_NAME_LENGTH: Final = 40
MAX_ACTS: Final = 50

router = APIRouter(route_class=PageRoute, include_in_schema=False)
renderer: Final = PageRenderer("gateway.portal")


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegateView:
    """A delegation with the delegate's name and current state."""

    delegation: Delegation
    name: str
    state: DelegationState


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegateAct:
    """One act of a delegate, with a link to its subject."""

    moment: datetime
    what: Translated
    href: str


@router.get("/portal/enterprises/{uscc}/delegates", response_model=None)
async def list_delegates(
    request: Request, uscc: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """List the delegates, current ones first."""
    visitor.must(Permission.MANAGE, request, uscc)
    async with runtime.engine.connect() as connection:
        card = await enterprise_card(connection, request, visitor, uscc)
        found = [
            delegate_view(runtime, each)
            for each in await delegations.for_enterprise(connection, uscc)
        ]
    current_states = {DelegationState.RUNNING, DelegationState.INVITED}
    return renderer.page(
        request,
        "portal/delegates.html",
        visitor=visitor,
        enterprise=card,
        tab="delegates",
        running=[each for each in found if each.state in current_states],
        over=[each for each in found if each.state not in current_states],
        notice=delegate_labels.NOTICES.get(request.query_params.get("notice", "")),
        labels=delegate_labels,
    )


@router.get("/portal/enterprises/{uscc}/delegates/new", response_model=None)
async def show_appointment_form(
    request: Request, uscc: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Show the appointment form; no permission is preselected."""
    visitor.must(Permission.MANAGE, request, uscc)
    async with runtime.engine.connect() as connection:
        card = await enterprise_card(connection, request, visitor, uscc)
    return _form(request, runtime, visitor, card, Fields({}), None)


@router.post("/portal/enterprises/{uscc}/delegates/new/{delegation_id}", response_model=None)
async def appoint_delegate(
    request: Request, uscc: str, delegation_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Appoint a delegate and show the invitation link once; repeated posts have no effect."""
    fields = await visitor.form(request, f"appoint {uscc} {delegation_id}")
    visitor.must(Permission.MANAGE, request, uscc)
    invitation, name = new_secret(), one(fields, "name").strip()
    try:
        async with runtime.engine.begin() as connection:
            card = await enterprise_card(connection, request, visitor, uscc)
            made = await _parse_appointment(
                connection, fields, uscc, delegation_id, visitor, now=runtime.now()
            )
            if not isinstance(made, PermissionProblem):
                await delegations.add(
                    connection,
                    made,
                    name=runtime.vault.seal(name.encode(), **_vault_cell(uscc, delegation_id)),
                    token_digest=visitor.session.identity_token_digest,
                    invitation_digest=runtime.digests.of("invitation", invitation),
                )
                await note(connection, NoticeKind.DELEGATE_APPOINTED, uscc, now=runtime.now())
    except IntegrityError:
        return see_other(f"/portal/enterprises/{uscc}/delegates?notice=already")
    if isinstance(made, PermissionProblem):
        return _form(request, runtime, visitor, card, fields, made)
    return renderer.page(
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
async def show_delegate(
    request: Request, uscc: str, delegation_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Show one delegate and their acts."""
    visitor.must(Permission.MANAGE, request, uscc)
    async with runtime.engine.connect() as connection:
        card = await enterprise_card(connection, request, visitor, uscc)
        stored = await delegations.find(connection, uscc, delegation_id)
        if stored is None:
            return not_found(request, visitor)
        acts = await _delegate_acts(connection, stored.delegation)
    return renderer.page(
        request,
        "portal/delegate.html",
        visitor=visitor,
        enterprise=card,
        tab="delegates",
        delegate=delegate_view(runtime, stored),
        acts=acts,
        csrf=visitor.token(f"end {uscc} {delegation_id}"),
        labels=delegate_labels,
    )


@router.post("/portal/enterprises/{uscc}/delegates/{delegation_id}/end", response_model=None)
async def end_delegation(
    request: Request, uscc: str, delegation_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """End a delegation, effective from the delegate's next request."""
    await visitor.form(request, f"end {uscc} {delegation_id}")
    visitor.must(Permission.MANAGE, request, uscc)
    async with runtime.engine.begin() as connection:
        done = await delegations.end(
            connection,
            uscc,
            delegation_id,
            actor=visitor.session.subject,
            token_digest=visitor.session.identity_token_digest,
            now=runtime.now(),
        )
        if done:
            await note(connection, NoticeKind.DELEGATE_ENDED, uscc, now=runtime.now())
    return see_other(
        f"/portal/enterprises/{uscc}/delegates?notice={'ended' if done else 'too_late'}"
    )


async def enterprise_card(
    connection: AsyncConnection, request: Request, visitor: Visitor, uscc: str
) -> EnterpriseCard:
    """The enterprise for the page header; without one, the 404 page."""
    cards = await page_queries.find_enterprises(connection, [uscc])
    if not cards:
        raise InsteadError(not_found(request, visitor))
    return cards[0]


def delegate_view(runtime: Runtime, stored: StoredDelegation) -> DelegateView:
    """A delegation with the delegate's name decrypted."""
    own = stored.delegation
    name = runtime.vault.open(stored.name, **_vault_cell(own.uscc, own.delegation_id)).decode()
    return DelegateView(delegation=own, name=name, state=state_of(own, runtime.now()))


async def _parse_appointment(
    connection: AsyncConnection,
    fields: Fields,
    uscc: str,
    delegation_id: str,
    visitor: Visitor,
    *,
    now: datetime,
) -> Delegation | PermissionProblem:
    name = one(fields, "name").strip()
    if not name or len(name) > MAX_NAME_LENGTH or not name.isprintable():
        return PermissionProblem.NO_NAME
    return permissions.appoint(
        uscc=uscc,
        delegation_id=delegation_id,
        powers=fields.get("power", []),
        representative=await delegations.representative_of(connection, uscc) or "",
        actor=visitor.session.subject,
        ends_at=_parse_end(one(fields, "last_day")),
        now=now,
    )


async def _delegate_acts(connection: AsyncConnection, delegation: Delegation) -> list[DelegateAct]:
    """The delegate's latest acts within the delegation's term, newest first."""
    if delegation.subject is None or delegation.accepted_at is None:
        return []
    end = min(delegation.ended_at or delegation.ends_at, delegation.ends_at)
    events, others = consent_events.c, objection_events.c
    decided = await connection.execute(
        select(events.at, events.what, events.consent_id)
        .where(
            events.uscc == delegation.uscc,
            events.actor == delegation.subject,
            events.at.between(delegation.accepted_at, end),
        )
        .order_by(events.at.desc())
        .limit(MAX_ACTS)
    )
    objected = await connection.execute(
        select(others.at, others.what, others.objection_id)
        .where(
            others.uscc == delegation.uscc,
            others.actor == delegation.subject,
            others.at.between(delegation.accepted_at, end),
        )
        .order_by(others.at.desc())
        .limit(MAX_ACTS)
    )
    acts = [
        DelegateAct(
            moment=row.at,
            what=delegate_labels.DELEGATE_ACTS.get(row.what, labels.ACTS[row.what]),
            href=f"/portal/consents/{row.consent_id}",
        )
        for row in decided
    ] + [
        DelegateAct(
            moment=row.at,
            what=delegate_labels.OBJECTION_ACT,
            href=f"/portal/objections/{row.objection_id}",
        )
        for row in objected
    ]
    return sorted(acts, key=lambda each: each.moment, reverse=True)[:MAX_ACTS]


def _form(
    request: Request,
    runtime: Runtime,
    visitor: Visitor,
    card: EnterpriseCard,
    fields: Fields,
    problem: PermissionProblem | None,
) -> Response:
    delegation_id = new_id("dlg")
    return renderer.page(
        request,
        "portal/new_delegate.html",
        status=422 if problem else 200,
        address={},
        visitor=visitor,
        enterprise=card,
        tab="delegates",
        action=f"/portal/enterprises/{card.uscc}/delegates/new/{delegation_id}",
        csrf=visitor.token(f"appoint {card.uscc} {delegation_id}"),
        problem=delegate_labels.PROBLEMS[problem] if problem else None,
        name=one(fields, "name")[:MAX_NAME_LENGTH],
        ticked=fields.get("power", []),
        first=runtime.now(),
        last=runtime.now() + permissions.LONGEST_TERM - timedelta(days=1),
        last_day=one(fields, "last_day"),
        longest=MAX_NAME_LENGTH,
        labels=delegate_labels,
    )


def _parse_end(last_day: str) -> datetime | None:
    try:
        return end_of(parse_date(last_day))
    except ValueError:
        return None


def _vault_cell(uscc: str, delegation_id: str) -> dict[str, str]:
    return {"table": "delegation", "column": "name", "row": f"{uscc}/{delegation_id}"}
