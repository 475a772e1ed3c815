"""Portal pages to narrow a consent: fewer items, a shorter term or fewer uses, same number."""

from datetime import timedelta
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

import consent
from consent import Reason, Refused, Status, status_at
from gateway.disclosure import consent_log_writer
from gateway.identity.session_dependency import UsingVisitor
from gateway.notices.kinds import NoticeKind
from gateway.notices.outbox import note
from gateway.pages.page_route import PageRoute, see_other
from gateway.pages.rendering import PageRenderer
from gateway.portal import labels, page_queries
from gateway.portal.consents.decision import DecisionProblem
from gateway.portal.consents.decision_form import chosen_scope
from gateway.portal.consents.labels import PROBLEMS
from gateway.portal.guards import acting_person, own_consent
from gateway.runtime import UsingRuntime

_PROBLEMS: Final = {
    Reason.NOTHING_CHANGED: "unchanged",
    Reason.NOTHING_CHOSEN: str(DecisionProblem.USES_SPENT),
}

router = APIRouter(route_class=PageRoute, include_in_schema=False)
renderer: Final = PageRenderer("gateway.portal")


@router.get("/portal/consents/{consent_id}/narrow")
async def show_narrow_form(
    consent_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Show the form with the currently granted items ticked."""
    async with runtime.engine.connect() as connection:
        current = await own_consent(connection, visitor, consent_id)
        card = await page_queries.find_enterprise(connection, current.uscc)
        client = await page_queries.find_client(connection, current.client_id)
    if card is None or status_at(current, runtime.now()) not in {Status.ACTIVE, Status.PAUSED}:
        return see_other(f"/portal/consents/{consent_id}?notice=too_late")
    return renderer.visitor_page(
        visitor,
        "portal/narrow_consent.html",
        consent=current,
        enterprise=card,
        client=client and client.name,
        tab="consents",
        datasets=[(code, labels.item_name(code, runtime.catalogue)) for code in current.datasets],
        questions=[
            (tag, labels.item_name(tag, runtime.catalogue))
            for tag in current.questions
            if tag not in {each.item for each in current.separate_consents}
        ],
        separate=[
            (each.item, labels.separate_name(each.item, runtime.catalogue, card.kind))
            for each in current.separate_consents
        ],
        last_day=current.valid_until - timedelta(microseconds=1),
        problem=visitor.notice(PROBLEMS),
        csrf=visitor.token(f"narrow {consent_id}"),
    )


@router.post("/portal/consents/{consent_id}/narrow")
async def save_narrowed_consent(
    consent_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Save the narrowed scope."""
    fields = await visitor.form(f"narrow {consent_id}")
    now = runtime.now()
    async with runtime.engine.begin() as connection:
        current = await own_consent(connection, visitor, consent_id)
        scope = chosen_scope(fields, current.scope, current.separate_consents, now=now)
        if isinstance(scope, DecisionProblem):
            return see_other(f"/portal/consents/{consent_id}/narrow?notice={scope}")
        person = acting_person(visitor, current.uscc)
        narrowed = consent.narrow(current, scope=scope, person=person, now=now)
        if isinstance(narrowed, Refused) and narrowed.reason in _PROBLEMS:
            notice = _PROBLEMS[narrowed.reason]
            return see_other(f"/portal/consents/{consent_id}/narrow?notice={notice}")
        done = not isinstance(narrowed, Refused) and await consent_log_writer.save(
            connection, current, narrowed
        )
        if done:
            kind = NoticeKind.CONSENT_AMENDED
            await note(connection, kind, current.uscc, client_id=current.client_id, now=now)
    return see_other(f"/portal/consents/{consent_id}?notice={'amended' if done else 'too_late'}")
