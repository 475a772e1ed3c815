"""Portal pages to list, view, pause, resume and withdraw an enterprise's consents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

import consent
from consent import Channel, Consent, Giver, Refused, Status, Transition, status_at, uses_left
from consent import store as consents
from gateway.creditfile.separate_consent import question_giver
from gateway.disclosure import consent_log_writer
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import UsingVisitor, Visitor
from gateway.notices.kinds import NoticeKind
from gateway.notices.outbox import note
from gateway.pages.chinese_font import find_font
from gateway.pages.i18n import Translated
from gateway.pages.page_route import PageRoute, see_other
from gateway.pages.rendering import PageRenderer
from gateway.portal import labels, page_queries
from gateway.portal.consents.apply_decision import cooling_refusal
from gateway.portal.consents.history import consent_history
from gateway.portal.consents.labels import NOTICES, ending_text
from gateway.portal.guards import acting_person, own_consent, own_enterprise
from gateway.portal.page_queries import ClientCard, EnterpriseCard
from gateway.portal.pagination import PAGE_SIZE, ListPosition, requested_position
from gateway.prefix_router import PrefixRouter
from gateway.runtime import Runtime, UsingRuntime

MAX_ATTEMPTS: Final = 20
Verb = Literal["withdraw", "pause", "resume"]

NOTICE_KINDS: Final[dict[Verb, NoticeKind]] = {
    "withdraw": NoticeKind.CONSENT_WITHDRAWN,
    "pause": NoticeKind.CONSENT_PAUSED,
    "resume": NoticeKind.CONSENT_RESUMED,
}

router = PrefixRouter(route_class=PageRoute, include_in_schema=False)
renderer: Final = PageRenderer("gateway.portal")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentView:
    """One consent with its client and current status."""

    consent: Consent
    status: Status
    uses_left: int | None
    client: ClientCard
    enterprise: EnterpriseCard


@router.get("/portal/enterprises/{uscc}/consents")
async def list_consents(uscc: str, runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """List an enterprise's consents; `?before=` pages through the ended ones."""
    now = runtime.now()
    async with runtime.engine.connect() as connection:
        card = await own_enterprise(connection, visitor, uscc, Permission.CONSENTS)
        position = requested_position(visitor)
        running = [] if position else await consents.running_of(connection, uscc, now=now)
        start = (position.moment, position.ref) if position else None
        ended = await consents.ended_of(
            connection, uscc, now=now, before=start, limit=PAGE_SIZE + 1
        )
        ids = (each.client_id for each in (*running, *ended))
        clients = await page_queries.find_clients(connection, ids)
        endings = await _endings(connection, uscc, ended[:PAGE_SIZE], now)
    last = ended[PAGE_SIZE - 1] if len(ended) > PAGE_SIZE else None
    views = [_view(each, clients, card, now) for each in running]
    return renderer.visitor_page(
        visitor,
        "portal/consents.html",
        enterprise=card,
        tab="consents",
        requested=[
            each
            for each in views
            if each.status is Status.REQUESTED and each.consent.channel is not Channel.REDIRECT
        ],
        running=[each for each in views if each.status is not Status.REQUESTED],
        ended=[_view(each, clients, card, now) for each in ended[:PAGE_SIZE]],
        endings=endings,
        older=ListPosition(moment=last.requested_at, ref=last.consent_id) if last else None,
        first=position is None,
        labels=labels,
    )


@router.get("/portal/consents/{consent_id}")
async def show_consent(consent_id: str, runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """Show one consent with its history."""
    return await _consent_page(runtime, visitor, consent_id, "portal/consent.html")


@router.get("/portal/consents/{consent_id}/withdraw")
async def confirm_withdrawal(
    consent_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Ask to confirm the withdrawal."""
    return await _consent_page(runtime, visitor, consent_id, "portal/withdraw.html")


@router.post("/portal/consents/{consent_id}/{verb}")
async def change_consent(
    consent_id: str, verb: Verb, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Withdraw, pause or resume a consent."""
    await visitor.form(f"{verb} {consent_id}")
    now = runtime.now()
    async with runtime.engine.begin() as connection:
        found = await own_consent(connection, visitor, consent_id)
        if verb == "resume" and _needs_person_concerned(found, visitor):
            return see_other(f"/portal/consents/{consent_id}?notice=in_person")
        done = await _save_change(connection, found, verb, visitor, now=now)
        if done:
            kind = NOTICE_KINDS[verb]
            await note(connection, kind, found.uscc, client_id=found.client_id, now=now)
    return see_other(f"/portal/consents/{consent_id}?notice={verb if done else 'too_late'}")


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


async def _endings(
    connection: AsyncConnection, uscc: str, ended: Sequence[Consent], now: datetime
) -> dict[str, Translated]:
    """End of each of these consents and requests: the kind and the day."""
    acts = await consents.last_events(connection, uscc, (each.consent_id for each in ended))
    used_up = [each.consent_id for each in ended if status_at(each, now) is Status.EXHAUSTED]
    uses = await page_queries.last_uses(connection, uscc, used_up) if used_up else {}
    return {
        each.consent_id: ending_text(
            each, status_at(each, now), acts.get(each.consent_id), uses.get(each.consent_id)
        )
        for each in ended
    }


def _needs_person_concerned(found: Consent, visitor: Visitor) -> bool:
    """True where only the operator or legal representative in person may resume it."""
    if visitor.session.may(found.uscc, Permission.IN_PERSON):
        return False
    of_person = any(each.giver is Giver.PERSON for each in found.separate_consents)
    return of_person or any(question_giver(tag) is Giver.PERSON for tag in found.questions)


def _view(
    found: Consent, clients: Mapping[str, ClientCard], enterprise: EnterpriseCard, now: datetime
) -> ConsentView:
    name = Translated(found.client_id, found.client_id)
    unnamed = ClientCard(client_id=found.client_id, kind="", name=name)
    return ConsentView(
        consent=found,
        status=status_at(found, now),
        uses_left=uses_left(found),
        client=clients.get(found.client_id, unnamed),
        enterprise=enterprise,
    )


async def _consent_page(
    runtime: Runtime, visitor: Visitor, consent_id: str, template: str
) -> Response:
    async with runtime.engine.connect() as connection:
        found = await own_consent(connection, visitor, consent_id)
        card = await page_queries.enterprise_or_uscc(connection, found.uscc)
        clients = await page_queries.find_clients(connection, [found.client_id])
        events = await consents.events_of(connection, found.uscc, consent_id)
        shown = next((each.text_digest for each in reversed(events) if each.text_digest), None)
        text = await consents.text_of(connection, shown) if shown else ()
        relation = found.client_id, found.uscc, found.purpose
        cooling = await cooling_refusal(connection, *relation, now=runtime.now())
        history = await consent_history(connection, runtime, visitor, found, events)
    view = _view(found, clients, card, runtime.now())
    return renderer.visitor_page(
        visitor,
        template,
        view=view,
        enterprise=card,
        tab="consents",
        items=labels.items_of(found, runtime.catalogue),
        separate=labels.separate_items_of(found, runtime.catalogue, card.kind),
        text=text,
        may_withdraw=found.was_granted
        and view.status in {Status.ACTIVE, Status.PAUSED, Status.EXPIRED, Status.EXHAUSTED},
        printable=find_font(runtime.settings.font) is not None,
        notice=visitor.notice(NOTICES),
        csrf={
            verb: visitor.token(f"{verb} {consent_id}")
            for verb in ("withdraw", "pause", "resume", "end-cool-down")
        },
        labels=labels,
        history=history,
        cool_down_until=cooling and cooling.cool_down_until,
    )
