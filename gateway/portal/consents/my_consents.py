"""Portal pages to list, view, pause, resume and withdraw an enterprise's consents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

import consent
from consent import Channel, Consent, Event, Refused, Status, Transition, status_at, uses_left
from consent import store as consents
from gateway.disclosure import consent_log_writer
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import UsingVisitor, Visitor
from gateway.notices.kinds import NoticeKind
from gateway.notices.outbox import note
from gateway.pages.i18n import Translated, WarningText
from gateway.pages.page_route import PageRoute, not_found, see_other
from gateway.pages.rendering import PageRenderer
from gateway.portal import labels, page_queries
from gateway.portal.access_history.entries import PAGE_SIZE, HistoryPosition
from gateway.portal.consents.consent_guard import acting_person, own_consent
from gateway.portal.consents.decision_form import INDIVIDUAL_BUSINESS, in_person_only
from gateway.portal.consents.receipt_pdf import find_font
from gateway.portal.page_queries import ClientCard, EnterpriseCard
from gateway.runtime import Runtime, UsingRuntime

MAX_ATTEMPTS: Final = 20
Verb = Literal["withdraw", "pause", "resume"]

NOTICE_KINDS: Final[dict[Verb, NoticeKind]] = {
    "withdraw": NoticeKind.CONSENT_WITHDRAWN,
    "pause": NoticeKind.CONSENT_PAUSED,
    "resume": NoticeKind.CONSENT_RESUMED,
}
NOTICES: Final = {
    "granted": Translated(
        "已同意。您可以随时在这里暂停或撤回。",
        "Granted. You can pause or withdraw it here at any time.",
    ),
    "amended": Translated(
        "已变更。从下一次查询起按新的内容提供。",
        "Changed. From the next query on the new terms hold.",
    ),
    "refused": Translated(
        "已拒绝。没有提供任何信息。",
        "Refused. Nothing was told.",
    ),
    "withdraw": Translated(
        "已撤回。从下一次查询起不再提供。",
        "Withdrawn. From the next query on nothing is told.",
    ),
    "pause": Translated(
        "已暂停。恢复之前不再提供。",
        "Paused. Nothing is told until you resume it.",
    ),
    "resume": Translated("已恢复。", "Resumed."),
    "in_person": WarningText(
        "只有法定代表人（经营者）本人可以恢复这项授权，没有执行操作。",
        "Only the legal representative or operator in person can resume this; nothing was done.",
    ),
    "too_late": WarningText(
        "状态已经改变，没有执行操作。请查看当前状态。",
        "The state had changed and nothing was done. See where it stands now.",
    ),
}

router = APIRouter(route_class=PageRoute, include_in_schema=False)
renderer: Final = PageRenderer("gateway.portal")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentView:
    """One consent with its client, enterprise and current status."""

    consent: Consent
    status: Status
    uses_left: int | None
    client: ClientCard
    enterprise: EnterpriseCard


@router.get("/portal/enterprises/{uscc}/consents", response_model=None)
async def list_consents(
    request: Request,
    uscc: str,
    runtime: UsingRuntime,
    visitor: UsingVisitor,
) -> Response:
    """List an enterprise's consents; `?before=` pages through the ended ones."""
    visitor.must(Permission.CONSENTS, request, uscc)
    now, before = runtime.now(), request.query_params.get("before", "")
    position = HistoryPosition.parse(before) if before else None
    async with runtime.engine.connect() as connection:
        cards = await page_queries.find_enterprises(connection, [uscc])
        if not cards or (before and position is None):
            return not_found(request, visitor)
        running = [] if position else await consents.running_of(connection, uscc, now=now)
        since = (position.moment, position.ref) if position else None
        ended = await consents.ended_of(
            connection, uscc, now=now, before=since, limit=PAGE_SIZE + 1
        )
        clients = await page_queries.find_clients(
            connection, (each.client_id for each in (*running, *ended))
        )
    last = ended[PAGE_SIZE - 1] if len(ended) > PAGE_SIZE else None
    views = [_view(each, clients, cards[0], now) for each in running]
    return renderer.page(
        request,
        "portal/consents.html",
        visitor=visitor,
        enterprise=cards[0],
        tab="consents",
        requested=[
            each
            for each in views
            if each.status is Status.REQUESTED and each.consent.channel is not Channel.REDIRECT
        ],
        running=[each for each in views if each.status is not Status.REQUESTED],
        ended=[_view(each, clients, cards[0], now) for each in ended[:PAGE_SIZE]],
        older=HistoryPosition(moment=last.requested_at, ref=last.consent_id) if last else None,
        first=position is None,
        labels=labels,
    )


@router.get("/portal/consents/{consent_id}", response_model=None)
async def show_consent(
    request: Request,
    consent_id: str,
    runtime: UsingRuntime,
    visitor: UsingVisitor,
) -> Response:
    """Show one consent with its history."""
    async with runtime.engine.connect() as connection:
        found = await own_consent(visitor, connection, request, consent_id)
        view = await _load_view(connection, found, runtime.now())
        events = await consents.events_of(connection, found.uscc, consent_id)
    return _consent_page(request, runtime, visitor, "portal/consent.html", view, events=events)


@router.get("/portal/consents/{consent_id}/withdraw", response_model=None)
async def confirm_withdrawal(
    request: Request,
    consent_id: str,
    runtime: UsingRuntime,
    visitor: UsingVisitor,
) -> Response:
    """Ask to confirm the withdrawal."""
    async with runtime.engine.connect() as connection:
        found = await own_consent(visitor, connection, request, consent_id)
        view = await _load_view(connection, found, runtime.now())
    return _consent_page(request, runtime, visitor, "portal/withdraw.html", view)


@router.post("/portal/consents/{consent_id}/{verb}", response_model=None)
async def change_consent(
    request: Request,
    consent_id: str,
    verb: Verb,
    runtime: UsingRuntime,
    visitor: UsingVisitor,
) -> Response:
    """Withdraw, pause or resume a consent."""
    await visitor.form(request, f"{verb} {consent_id}")
    async with runtime.engine.begin() as connection:
        found = await own_consent(visitor, connection, request, consent_id)
        if verb == "resume" and await _needs_person_concerned(connection, found, visitor):
            return see_other(f"/portal/consents/{consent_id}?notice=in_person")
        done = await _save_change(connection, found, verb, visitor, now=runtime.now())
        if done:
            await note(
                connection,
                NOTICE_KINDS[verb],
                found.uscc,
                client_id=found.client_id,
                now=runtime.now(),
            )
    notice = verb if done else "too_late"
    return see_other(f"/portal/consents/{consent_id}?notice={notice}")


async def _save_change(
    connection: AsyncConnection, found: Consent, verb: Verb, visitor: Visitor, *, now: datetime
) -> bool:
    """Apply the action; withdraw and pause are retried after a concurrent change."""
    changed = _transition(found, verb, visitor, now)
    for _ in range(MAX_ATTEMPTS):
        if isinstance(changed, Refused):
            return False
        if await consent_log_writer.save(connection, found, changed):
            return True
        fresh = await consents.by_id(connection, found.consent_id)
        # A resume is not retried: the person first sees the changed consent.
        if fresh is None or verb == "resume":
            return False
        found, changed = fresh, _transition(fresh, verb, visitor, now)
    return False


def _transition(
    found: Consent, verb: Verb, visitor: Visitor, now: datetime
) -> Transition | Refused:
    person = acting_person(visitor, found.uscc)
    match verb:
        case "withdraw":
            return consent.withdraw(found, person=person, now=now)
        case "pause":
            return consent.pause(found, person=person, now=now)
        case "resume":
            return consent.resume(found, person=person, now=now)


async def _needs_person_concerned(
    connection: AsyncConnection, found: Consent, visitor: Visitor
) -> bool:
    """Whether only the operator or legal representative in person may resume it."""
    if visitor.session.may(found.uscc, Permission.IN_PERSON):
        return False
    cards = await page_queries.find_enterprises(connection, [found.uscc])
    is_person = not cards or cards[0].kind == INDIVIDUAL_BUSINESS
    return is_person or bool(in_person_only(found.questions))


async def _load_view(connection: AsyncConnection, found: Consent, now: datetime) -> ConsentView:
    cards = await page_queries.find_enterprises(connection, [found.uscc])
    clients = await page_queries.find_clients(connection, [found.client_id])
    unknown = EnterpriseCard(uscc=found.uscc, name=found.uscc, kind="", status="")
    return _view(found, clients, cards[0] if cards else unknown, now)


def _view(
    found: Consent,
    clients: Mapping[str, ClientCard],
    enterprise: EnterpriseCard,
    now: datetime,
) -> ConsentView:
    unnamed = ClientCard(
        client_id=found.client_id,
        kind="",
        name=Translated(found.client_id, found.client_id),
    )
    return ConsentView(
        consent=found,
        status=status_at(found, now),
        uses_left=uses_left(found),
        client=clients.get(found.client_id, unnamed),
        enterprise=enterprise,
    )


def _consent_page(
    request: Request,
    runtime: Runtime,
    visitor: Visitor,
    template: str,
    view: ConsentView,
    events: Sequence[Event] = (),
) -> Response:
    consent_id = view.consent.consent_id
    return renderer.page(
        request,
        template,
        visitor=visitor,
        view=view,
        enterprise=view.enterprise,
        tab="consents",
        items=[
            labels.item_name(code, runtime.catalogue)
            for code in (*view.consent.datasets, *view.consent.questions)
        ],
        may_withdraw=view.consent.was_granted
        and view.status in {Status.ACTIVE, Status.PAUSED, Status.EXPIRED, Status.EXHAUSTED},
        printable=find_font(runtime.settings.font) is not None,
        notice=NOTICES.get(request.query_params.get("notice", "")),
        csrf={
            verb: visitor.token(f"{verb} {consent_id}") for verb in ("withdraw", "pause", "resume")
        },
        labels=labels,
        events=events,
    )
