"""Portal pages to narrow a consent: fewer items, a shorter term or fewer uses, same number."""

from datetime import timedelta
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

import consent
from consent import Reason, Refused, Status, status_at
from gateway.disclosure import consent_log_writer
from gateway.identity.session_dependency import UsingVisitor
from gateway.notices.kinds import NoticeKind
from gateway.notices.outbox import note
from gateway.pages.i18n import Translated
from gateway.pages.page_route import PageRoute, see_other
from gateway.pages.rendering import PageRenderer
from gateway.portal import labels, page_queries
from gateway.portal.consents.consent_guard import acting_person, own_consent
from gateway.portal.consents.decision import DecisionProblem
from gateway.portal.consents.decision_form import chosen_scope
from gateway.portal.consents.decision_view import NOTICES
from gateway.runtime import UsingRuntime

UNCHANGED: Final = Translated(
    "没有任何变化，因此没有写入。", "Nothing was different, so nothing was written."
)
_PROBLEMS: Final = {
    Reason.NOTHING_CHANGED: "unchanged",
    Reason.NOTHING_CHOSEN: str(DecisionProblem.USES_SPENT),
}

router = APIRouter(route_class=PageRoute, include_in_schema=False)
renderer: Final = PageRenderer("gateway.portal")


@router.get("/portal/consents/{consent_id}/narrow", response_model=None)
async def show_narrow_form(
    request: Request, consent_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Show the form with the currently granted items ticked."""
    async with runtime.engine.connect() as connection:
        current = await own_consent(visitor, connection, request, consent_id)
        cards = await page_queries.find_enterprises(connection, [current.uscc])
        clients = await page_queries.find_clients(connection, [current.client_id])
    if not cards or status_at(current, runtime.now()) not in {Status.ACTIVE, Status.PAUSED}:
        return see_other(f"/portal/consents/{consent_id}?notice=too_late")
    return renderer.page(
        request,
        "portal/narrow_consent.html",
        visitor=visitor,
        consent=current,
        enterprise=cards[0],
        client=clients[current.client_id].name if current.client_id in clients else None,
        tab="consents",
        datasets=[(code, labels.item_name(code, runtime.catalogue)) for code in current.datasets],
        questions=[(tag, labels.item_name(tag, runtime.catalogue)) for tag in current.questions],
        last_day=current.valid_until - timedelta(microseconds=1),
        notice={**NOTICES, "unchanged": UNCHANGED}.get(request.query_params.get("notice", "")),
        csrf=visitor.token(f"narrow {consent_id}"),
    )


@router.post("/portal/consents/{consent_id}/narrow", response_model=None)
async def save_narrowed_consent(
    request: Request, consent_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Save the narrowed scope."""
    fields = await visitor.form(request, f"narrow {consent_id}")
    now = runtime.now()
    async with runtime.engine.begin() as connection:
        current = await own_consent(visitor, connection, request, consent_id)
        scope = chosen_scope(fields, current.scope, now=now)
        if isinstance(scope, DecisionProblem):
            return see_other(f"/portal/consents/{consent_id}/narrow?notice={scope}")
        narrowed = consent.narrow(
            current, scope=scope, person=acting_person(visitor, current.uscc), now=now
        )
        if isinstance(narrowed, Refused) and narrowed.reason in _PROBLEMS:
            notice = _PROBLEMS[narrowed.reason]
            return see_other(f"/portal/consents/{consent_id}/narrow?notice={notice}")
        done = not isinstance(narrowed, Refused) and await consent_log_writer.save(
            connection, current, narrowed
        )
        if done:
            await note(
                connection,
                NoticeKind.CONSENT_AMENDED,
                current.uscc,
                client_id=current.client_id,
                now=now,
            )
    return see_other(f"/portal/consents/{consent_id}?notice={'amended' if done else 'too_late'}")
