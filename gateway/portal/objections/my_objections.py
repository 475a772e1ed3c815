"""Portal pages to list and follow objections, withdraw them, and request a review."""

from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from gateway.creditfile.local_dates import day_of
from gateway.creditfile.objections import lifecycle, serializers, service
from gateway.creditfile.objections import store as objections
from gateway.creditfile.objections.contested import words_of
from gateway.creditfile.objections.model import (
    Objection,
    ObjectionChanged,
    ObjectionRefused,
    Status,
)
from gateway.creditfile.objections.store import LockedRecord
from gateway.creditfile.objections.text_input import MAX_TEXT, InvalidText, read_text
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import UsingVisitor, Visitor
from gateway.pages.forms import single_value
from gateway.pages.page_route import EarlyResponse, PageRoute
from gateway.portal import page_queries
from gateway.portal.guards import own_enterprise
from gateway.portal.my_record import dataset_name, renderer
from gateway.portal.objections import labels
from gateway.portal.objections.new_objection import actor, redirect_to_objection
from gateway.portal.page_queries import EnterpriseCard
from gateway.prefix_router import PrefixRouter
from gateway.runtime import Runtime, UsingRuntime

Verb = Literal["withdraw", "review"]
WITHDRAWABLE: Final = frozenset({Status.OPEN, Status.DECIDED, Status.IN_REVIEW})

router = PrefixRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/portal/enterprises/{uscc}/objections")
async def list_objections(uscc: str, runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """List an enterprise's objections, open ones first."""
    async with runtime.engine.connect() as connection:
        card = await own_enterprise(connection, visitor, uscc, Permission.OBJECTIONS)
        found = await objections.of_enterprise(connection, uscc)
    return renderer.visitor_page(
        visitor,
        "portal/objections.html",
        enterprise=card,
        tab="record",
        running=[each for each in found if each.marks],
        over=[each for each in found if not each.marks],
        names={each.dataset: dataset_name(runtime, each.dataset) for each in found},
        labels=labels,
    )


@router.get("/portal/objections/{objection_id}")
async def show_objection(
    objection_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Show one objection with its history."""
    async with runtime.engine.connect() as connection:
        found = await _own_objection(connection, visitor, objection_id)
        card = await page_queries.enterprise_or_uscc(connection, found.uscc)
        events = await objections.events_of(connection, found.uscc, objection_id)
    return _page(runtime, visitor, "portal/objection.html", found, card, events=events)


@router.get("/portal/objections/{objection_id}/{verb}")
async def show_objection_step(
    objection_id: str, verb: Verb, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Show the form to confirm a withdrawal or to request a review."""
    kept = await visitor.kept_form(f"{verb} {objection_id}")
    typed = "" if kept is None else single_value(kept, "text")[:MAX_TEXT]
    async with runtime.engine.connect() as connection:
        found = await _own_objection(connection, visitor, objection_id)
        card = await page_queries.enterprise_or_uscc(connection, found.uscc)
    if not _allowed_steps(found, runtime.now())[verb]:
        return redirect_to_objection(objection_id, "too_late")
    return _page(runtime, visitor, f"portal/objection_{verb}.html", found, card, typed=typed)


@router.post("/portal/objections/{objection_id}/{verb}")
async def submit_objection_step(
    objection_id: str, verb: Verb, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Withdraw an objection or request its review."""
    fields = await visitor.form(f"{verb} {objection_id}")
    typed = single_value(fields, "text")
    text = read_text(typed, today=day_of(runtime.now()))
    async with runtime.engine.begin() as connection:
        found = await _own_objection(connection, visitor, objection_id)
        if verb == "review" and isinstance(text, InvalidText):
            card = await page_queries.enterprise_or_uscc(connection, found.uscc)
            wrong = {"typed": typed[:MAX_TEXT], "problem": labels.PROBLEMS[text]}
            return _page(runtime, visitor, "portal/objection_review.html", found, card, **wrong)
        written = "" if isinstance(text, InvalidText) else text.text
        transition = _transition(runtime, visitor, verb, written)
        done = await service.apply_act(connection, objection_id, transition)
    return redirect_to_objection(
        objection_id, "too_late" if isinstance(done, ObjectionRefused) else verb
    )


def _transition(runtime: Runtime, visitor: Visitor, verb: Verb, text: str) -> service.ObjectionVerb:
    now = runtime.now()

    def apply(objection: Objection, _: LockedRecord | None) -> ObjectionChanged | ObjectionRefused:
        person = actor(visitor, objection.uscc)
        if verb == "withdraw":
            return lifecycle.withdraw(objection, actor=person, now=now)
        kinds = runtime.catalogue.objections
        return lifecycle.ask_for_review(objection, actor=person, text=text, kinds=kinds, now=now)

    return apply


def _allowed_steps(found: Objection, now: datetime) -> dict[str, bool]:
    """The steps, each true if the enterprise can take it now."""
    review = lifecycle.may_be_reviewed(found, now)
    return {"withdraw": found.status in WITHDRAWABLE, "review": review}


async def _own_objection(
    connection: AsyncConnection, visitor: Visitor, objection_id: str
) -> Objection:
    """The objection, if the visitor may act for its enterprise; else the 404 page."""
    found = await objections.by_id(connection, objection_id) if "\0" not in objection_id else None
    if found is None or not visitor.session.may(found.uscc, Permission.OBJECTIONS):
        raise EarlyResponse(visitor.not_found())
    return found


def _page(
    runtime: Runtime,
    visitor: Visitor,
    template: str,
    found: Objection,
    card: EnterpriseCard,
    **more: Any,  # further template variables
) -> Response:
    now = runtime.now()
    variables = {"typed": "", "problem": None, "events": (), **more}
    return renderer.visitor_page(
        visitor,
        template,
        status=422 if variables["problem"] else 200,
        enterprise=card,
        tab="record",
        found=found,
        contested=words_of(found.contests, runtime.catalogue) if found.contests else None,
        dataset=dataset_name(runtime, found.dataset),
        may=_allowed_steps(found, now),
        overdue=found.due_on is not None and day_of(now) > found.due_on,
        next=serializers.NEXT.get(found.status),
        notice=visitor.notice(labels.NOTICES),
        csrf={
            verb: visitor.token(f"{verb} {found.objection_id}") for verb in ("withdraw", "review")
        },
        longest=MAX_TEXT,
        labels=labels,
        **variables,
    )
