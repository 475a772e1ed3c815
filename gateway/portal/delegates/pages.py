"""Portal pages to appoint, list and end delegates (经办人), for the legal representative."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from consent.tables import consent_events
from gateway.creditfile.local_dates import end_of
from gateway.creditfile.objections.tables import objection_events
from gateway.creditfile.repairs.tables import applications
from gateway.disclosure.ids import new_id
from gateway.identity import delegations, permissions
from gateway.identity.permissions import (
    Delegation,
    DelegationState,
    Permission,
    PermissionProblem,
)
from gateway.identity.session_dependency import UsingVisitor, Visitor, new_secret
from gateway.notices.kinds import NoticeKind
from gateway.notices.outbox import note
from gateway.pages.forms import Fields, single_value
from gateway.pages.i18n import Translated
from gateway.pages.page_route import PageRoute, see_other
from gateway.pages.rendering import PageRenderer
from gateway.portal import labels, page_queries
from gateway.portal.delegates import labels as delegate_labels
from gateway.portal.delegates.names import delegate_view, seal_name
from gateway.portal.guards import own_enterprise
from gateway.portal.page_queries import EnterpriseCard
from gateway.prefix_router import PrefixRouter
from gateway.rfc3339 import parse_date
from gateway.runtime import Runtime, UsingRuntime

MAX_NAME_LENGTH: Final = 40
MAX_ACTS: Final = 50

router = PrefixRouter(route_class=PageRoute, include_in_schema=False)
renderer: Final = PageRenderer("gateway.portal")


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegateAct:
    """One act of a delegate, with a link to its subject."""

    moment: datetime
    what: Translated
    href: str
    client: Translated | None = None
    """The organisation that a consent is for."""


@router.get("/portal/enterprises/{uscc}/delegates")
async def list_delegates(uscc: str, runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """List the delegates, current ones first."""
    async with runtime.engine.connect() as connection:
        card = await own_enterprise(connection, visitor, uscc, Permission.MANAGE)
        stored = await delegations.for_enterprise(connection, uscc)
    found = [delegate_view(runtime, each) for each in stored]
    current_states = {DelegationState.RUNNING, DelegationState.INVITED}
    return renderer.visitor_page(
        visitor,
        "portal/delegates.html",
        enterprise=card,
        tab="delegates",
        running=[each for each in found if each.state in current_states],
        over=[each for each in found if each.state not in current_states],
        notice=visitor.notice(delegate_labels.NOTICES),
        labels=delegate_labels,
    )


@router.get("/portal/enterprises/{uscc}/delegates/new")
async def show_appointment_form(
    uscc: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Show the appointment form; no permission is preselected."""
    async with runtime.engine.connect() as connection:
        card = await own_enterprise(connection, visitor, uscc, Permission.MANAGE)
    kept = await visitor.kept_form(lambda posted: f"appoint {uscc} {posted.rpartition('/')[2]}")
    return _form(runtime, visitor, card, kept or Fields({}), None)


@router.post("/portal/enterprises/{uscc}/delegates/new/{delegation_id}")
async def appoint_delegate(
    uscc: str, delegation_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Appoint a delegate and show the invitation link once; repeated posts have no effect."""
    fields = await visitor.form(f"appoint {uscc} {delegation_id}")
    invitation, name, now = new_secret(), single_value(fields, "name").strip(), runtime.now()
    try:
        async with runtime.engine.begin() as connection:
            card = await own_enterprise(connection, visitor, uscc, Permission.MANAGE)
            made = await _parse_appointment(
                connection, fields, uscc, delegation_id, visitor, now=now
            )
            if isinstance(made, PermissionProblem):
                return _form(runtime, visitor, card, fields, made)
            await delegations.add(
                connection,
                made,
                name=seal_name(runtime, uscc, delegation_id, name),
                token_digest=visitor.session.identity_token_digest,
                invitation_digest=runtime.digests.of("invitation", invitation),
            )
            await note(connection, NoticeKind.DELEGATE_APPOINTED, uscc, now=now)
    except IntegrityError:
        return see_other(f"/portal/enterprises/{uscc}/delegates?notice=already")
    return renderer.visitor_page(
        visitor,
        "portal/invitation_made.html",
        address={},
        enterprise=card,
        tab="delegates",
        name=name,
        made=made,
        link=f"{runtime.settings.issuer}/portal/invitations/{invitation}",
    )


@router.get("/portal/enterprises/{uscc}/delegates/{delegation_id}")
async def show_delegate(
    uscc: str, delegation_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Show one delegate and their acts."""
    async with runtime.engine.connect() as connection:
        card = await own_enterprise(connection, visitor, uscc, Permission.MANAGE)
        stored = await delegations.find(connection, uscc, delegation_id)
        if stored is None:
            return visitor.not_found()
        acts = await _delegate_acts(connection, stored.delegation)
    return renderer.visitor_page(
        visitor,
        "portal/delegate.html",
        enterprise=card,
        tab="delegates",
        delegate=delegate_view(runtime, stored),
        acts=acts,
        csrf=visitor.token(f"end {uscc} {delegation_id}"),
        labels=delegate_labels,
    )


@router.post("/portal/enterprises/{uscc}/delegates/{delegation_id}/end")
async def end_delegation(
    uscc: str, delegation_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """End a delegation, effective from the delegate's next request."""
    await visitor.form(f"end {uscc} {delegation_id}")
    visitor.require(Permission.MANAGE, uscc)
    now = runtime.now()
    async with runtime.engine.begin() as connection:
        done = await delegations.end(connection, uscc, delegation_id, **visitor.authorship, now=now)
        if done:
            await note(connection, NoticeKind.DELEGATE_ENDED, uscc, now=now)
    notice = "ended" if done else "too_late"
    return see_other(f"/portal/enterprises/{uscc}/delegates?notice={notice}")


async def _parse_appointment(
    connection: AsyncConnection,
    fields: Fields,
    uscc: str,
    delegation_id: str,
    visitor: Visitor,
    *,
    now: datetime,
) -> Delegation | PermissionProblem:
    name = single_value(fields, "name").strip()
    if not name or len(name) > MAX_NAME_LENGTH or not name.isprintable():
        return PermissionProblem.NO_NAME
    return permissions.appoint(
        uscc=uscc,
        delegation_id=delegation_id,
        powers=fields.get("power", []),
        representative=await delegations.representative_of(connection, uscc) or "",
        actor=visitor.session.subject,
        ends_at=_parse_end(single_value(fields, "last_day")),
        now=now,
    )


async def _delegate_acts(connection: AsyncConnection, delegation: Delegation) -> list[DelegateAct]:
    """The delegate's latest acts within the delegation's term, newest first."""
    if delegation.subject is None or delegation.accepted_at is None:
        return []
    end = min(delegation.ended_at or delegation.ends_at, delegation.ends_at)
    decided = (
        await connection.execute(
            _acts_query(delegation, end, consent_events.c, consent_events.c.consent_id)
        )
    ).all()
    clients = await page_queries.clients_of_consents(
        connection, delegation.uscc, {row.consent_id for row in decided}
    )
    objected = await connection.execute(
        _acts_query(delegation, end, objection_events.c, objection_events.c.objection_id)
    )
    acts = [
        DelegateAct(
            moment=row.at,
            what=delegate_labels.DELEGATE_ACTS.get(row.what, labels.ACTS[row.what]),
            href=f"/portal/consents/{row.consent_id}",
            client=clients.get(row.consent_id),
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
    for moment, person in (
        (applications.c.applied_at, applications.c.applied_by),
        (applications.c.closed_at, applications.c.closed_by),
    ):
        repairs = await connection.execute(_repair_acts_query(delegation, end, moment, person))
        acts += [
            DelegateAct(
                moment=row.at,
                what=delegate_labels.REPAIR_ACT,
                href=f"/portal/repairs/{row.application_id}",
            )
            for row in repairs
        ]
    return sorted(acts, key=lambda each: each.moment, reverse=True)[:MAX_ACTS]


def _repair_acts_query(
    delegation: Delegation, end: datetime, moment: Any, person: Any
) -> Select[Any]:
    """The applications for repair on which this delegate acted, by the columns of act and person."""
    return (
        select(moment.label("at"), applications.c.application_id)
        .where(
            applications.c.uscc == delegation.uscc,
            person == delegation.subject,
            moment.between(delegation.accepted_at, end),
        )
        .order_by(moment.desc())
        .limit(MAX_ACTS)
    )


def _acts_query(delegation: Delegation, end: datetime, events: Any, key: Any) -> Select[Any]:
    """The events of this delegate among the columns `events`, with the column `key`."""
    return (
        select(events.at, events.what, key)
        .where(
            events.uscc == delegation.uscc,
            events.actor == delegation.subject,
            events.at.between(delegation.accepted_at, end),
        )
        .order_by(events.at.desc())
        .limit(MAX_ACTS)
    )


def _form(
    runtime: Runtime,
    visitor: Visitor,
    card: EnterpriseCard,
    fields: Fields,
    problem: PermissionProblem | None,
) -> Response:
    delegation_id, now = new_id("dlg"), runtime.now()
    return renderer.visitor_page(
        visitor,
        "portal/new_delegate.html",
        status=422 if problem else 200,
        address={},
        enterprise=card,
        tab="delegates",
        action=f"/portal/enterprises/{card.uscc}/delegates/new/{delegation_id}",
        csrf=visitor.token(f"appoint {card.uscc} {delegation_id}"),
        problem=delegate_labels.PROBLEMS[problem] if problem else None,
        problem_field=delegate_labels.PROBLEM_FIELDS.get(problem) if problem else None,
        name=single_value(fields, "name")[:MAX_NAME_LENGTH],
        ticked=fields.get("power", []),
        first=now,
        last=now + permissions.LONGEST_TERM - timedelta(days=1),
        last_day=single_value(fields, "last_day"),
        longest=MAX_NAME_LENGTH,
        labels=delegate_labels,
    )


def _parse_end(last_day: str) -> datetime | None:
    try:
        return end_of(parse_date(last_day))
    except ValueError:
        return None
