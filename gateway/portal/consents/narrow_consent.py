"""Portal pages to narrow a consent: fewer items, a shorter term or fewer uses, same number."""

from typing import Final

from starlette.responses import Response

import consent
from consent import Reason, Refused, Status, Transition, status_at
from gateway.disclosure import consent_log_writer
from gateway.identity.session_dependency import UsingVisitor, Visitor
from gateway.notices.kinds import NoticeKind
from gateway.notices.outbox import note
from gateway.pages.page_route import PageRoute, see_other
from gateway.pages.rendering import PageRenderer
from gateway.portal import labels, page_queries
from gateway.portal.consents.decision import DecisionProblem
from gateway.portal.consents.decision_form import ScopeInput, chosen_scope
from gateway.portal.consents.labels import NOTHING_LEFT, PROBLEM_FIELDS, problem_text
from gateway.portal.guards import acting_person, own_consent
from gateway.prefix_router import PrefixRouter
from gateway.runtime import Runtime, UsingRuntime

_PROBLEMS: Final = {
    Reason.NOTHING_CHANGED: "unchanged",
    Reason.NOTHING_CHOSEN: str(DecisionProblem.USES_SPENT),
}

router = PrefixRouter(route_class=PageRoute, include_in_schema=False)
renderer: Final = PageRenderer("gateway.portal")


@router.get("/portal/consents/{consent_id}/narrow")
async def show_narrow_form(
    consent_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Show the form with the currently granted items ticked."""
    kept = await visitor.kept_form(f"narrow {consent_id}")
    entered = None if kept is None else ScopeInput.from_fields(kept)
    return await _form_page(runtime, visitor, consent_id, entered=entered)


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
        person = acting_person(visitor, current.uscc)
        narrowed = (
            None
            if isinstance(scope, DecisionProblem)
            else consent.narrow(current, scope=scope, person=person, now=now)
        )
        done = isinstance(narrowed, Transition) and await consent_log_writer.save(
            connection, current, narrowed
        )
        if done:
            kind = NoticeKind.CONSENT_AMENDED
            await note(connection, kind, current.uscc, client_id=current.client_id, now=now)
    problem = str(scope) if isinstance(scope, DecisionProblem) else None
    if scope is DecisionProblem.NOTHING_CHOSEN:
        problem = NOTHING_LEFT
    if isinstance(narrowed, Refused):
        problem = _PROBLEMS.get(narrowed.reason)
    if problem is not None:
        entered = ScopeInput.from_fields(fields)
        return await _form_page(runtime, visitor, consent_id, entered=entered, problem=problem)
    return see_other(f"/portal/consents/{consent_id}?notice={'amended' if done else 'too_late'}")


async def _form_page(
    runtime: Runtime,
    visitor: Visitor,
    consent_id: str,
    *,
    entered: ScopeInput | None = None,
    problem: str | None = None,
) -> Response:
    async with runtime.engine.connect() as connection:
        current = await own_consent(connection, visitor, consent_id)
        card = await page_queries.find_enterprise(connection, current.uscc)
        client = await page_queries.find_client(connection, current.client_id)
    if card is None or status_at(current, runtime.now()) not in {Status.ACTIVE, Status.PAUSED}:
        return see_other(f"/portal/consents/{consent_id}?notice=too_late")
    catalogue, separate = runtime.catalogue, {each.item for each in current.separate_consents}
    granted = (*current.datasets, *current.questions, *separate)
    return renderer.visitor_page(
        visitor,
        "portal/narrow_consent.html",
        status=422 if problem else 200,
        address={},
        consent=current,
        enterprise=card,
        client=client and client.name,
        tab="consents",
        datasets=[(code, labels.item_name(code, catalogue)) for code in current.datasets],
        questions=[
            (tag, labels.item_name(tag, catalogue))
            for tag in current.questions
            if tag not in separate
        ],
        separate=[
            (each.item, labels.separate_name(each.item, catalogue, card.kind))
            for each in current.separate_consents
        ],
        entered=entered or ScopeInput.of_scope(current.scope, granted),
        latest_day=ScopeInput.of_scope(current.scope).last_day,
        problem=problem and problem_text(problem, least=current.uses + 1, most=current.max_uses),
        withdraw_instead=problem in {NOTHING_LEFT, DecisionProblem.USES_SPENT},
        problem_field=PROBLEM_FIELDS.get(problem or ""),
        csrf=visitor.token(f"narrow {consent_id}"),
    )
