"""Portal pages to list and follow objections, withdraw them, and request a review."""

from datetime import datetime
from typing import Any, Final, Literal

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from gateway.creditfile.local_dates import day_of
from gateway.creditfile.objections import lifecycle, serializers, service
from gateway.creditfile.objections import store as objections
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
from gateway.pages.forms import one
from gateway.pages.page_route import InsteadError, PageRoute, not_found, see_other
from gateway.portal import page_queries
from gateway.portal.my_record import dataset_name, renderer
from gateway.portal.objections import labels
from gateway.portal.objections.new_objection import actor
from gateway.portal.page_queries import EnterpriseCard
from gateway.runtime import Runtime, UsingRuntime

Verb = Literal["withdraw", "review"]
WITHDRAWABLE: Final = frozenset({Status.OPEN, Status.DECIDED, Status.IN_REVIEW})

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/portal/enterprises/{uscc}/objections", response_model=None)
async def list_objections(
    request: Request, uscc: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """List an enterprise's objections, open ones first."""
    visitor.must(Permission.OBJECTIONS, request, uscc)
    async with runtime.engine.connect() as connection:
        cards = await page_queries.find_enterprises(connection, [uscc])
        found = await objections.of_enterprise(connection, uscc)
    if not cards:
        return not_found(request, visitor)
    return renderer.page(
        request,
        "portal/objections.html",
        visitor=visitor,
        enterprise=cards[0],
        tab="record",
        running=[each for each in found if each.marks],
        over=[each for each in found if not each.marks],
        names={each.dataset: dataset_name(runtime, each.dataset) for each in found},
        labels=labels,
    )


@router.get("/portal/objections/{objection_id}", response_model=None)
async def show_objection(
    request: Request, objection_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Show one objection with its history."""
    async with runtime.engine.connect() as connection:
        found = await _own_objection(connection, request, visitor, objection_id)
        card = await _enterprise_card(connection, found.uscc)
        events = await objections.events_of(connection, found.uscc, objection_id)
    return _objection_page(
        request, runtime, visitor, "portal/objection.html", found, card, events=events
    )


@router.get("/portal/objections/{objection_id}/{verb}", response_model=None)
async def show_objection_step(
    request: Request,
    objection_id: str,
    verb: Verb,
    runtime: UsingRuntime,
    visitor: UsingVisitor,
) -> Response:
    """Show the form to confirm a withdrawal or to request a review."""
    async with runtime.engine.connect() as connection:
        found = await _own_objection(connection, request, visitor, objection_id)
        card = await _enterprise_card(connection, found.uscc)
    may = _allowed_steps(found, runtime.now())
    if not may[verb]:
        return _redirect(objection_id, "too_late")
    return _objection_page(request, runtime, visitor, f"portal/objection_{verb}.html", found, card)


@router.post("/portal/objections/{objection_id}/{verb}", response_model=None)
async def submit_objection_step(
    request: Request,
    objection_id: str,
    verb: Verb,
    runtime: UsingRuntime,
    visitor: UsingVisitor,
) -> Response:
    """Withdraw an objection or request its review."""
    fields = await visitor.form(request, f"{verb} {objection_id}")
    text = read_text(one(fields, "text"), today=day_of(runtime.now()))
    async with runtime.engine.begin() as connection:
        found = await _own_objection(connection, request, visitor, objection_id)
        if verb == "review" and isinstance(text, InvalidText):
            card = await _enterprise_card(connection, found.uscc)
            typed, problem = one(fields, "text")[:MAX_TEXT], labels.PROBLEMS[text]
            return _objection_page(
                request,
                runtime,
                visitor,
                "portal/objection_review.html",
                found,
                card,
                typed=typed,
                problem=problem,
            )
        written = "" if isinstance(text, InvalidText) else text.text
        transition = _transition(runtime, visitor, verb, written)
        done = await service.apply_act(connection, objection_id, transition)
    return _redirect(objection_id, "too_late" if isinstance(done, ObjectionRefused) else verb)


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
    """Which steps the enterprise can take now."""
    review = lifecycle.may_be_reviewed(found, now)
    return {"withdraw": found.status in WITHDRAWABLE, "review": review}


async def _own_objection(
    connection: AsyncConnection, request: Request, visitor: Visitor, objection_id: str
) -> Objection:
    """The objection, if the visitor may act for its enterprise; else the 404 page."""
    found = await objections.by_id(connection, objection_id) if "\0" not in objection_id else None
    visitor.must(Permission.OBJECTIONS, request, found.uscc if found else None)
    if found is None:
        raise InsteadError(not_found(request, visitor))
    return found


async def _enterprise_card(connection: AsyncConnection, uscc: str) -> EnterpriseCard:
    cards = await page_queries.find_enterprises(connection, [uscc])
    return cards[0] if cards else EnterpriseCard(uscc=uscc, name=uscc, kind="", status="")


def _objection_page(
    request: Request,
    runtime: Runtime,
    visitor: Visitor,
    template: str,
    found: Objection,
    card: EnterpriseCard,
    **more: Any,  # further template variables
) -> Response:
    now = runtime.now()
    variables = {"typed": "", "problem": None, "events": (), **more}
    return renderer.page(
        request,
        template,
        status=422 if variables["problem"] else 200,
        visitor=visitor,
        enterprise=card,
        tab="record",
        found=found,
        dataset=dataset_name(runtime, found.dataset),
        may=_allowed_steps(found, now),
        overdue=found.due_on is not None and day_of(now) > found.due_on,
        next=serializers.NEXT.get(found.status),
        notice=labels.NOTICES.get(request.query_params.get("notice", "")),
        csrf={
            verb: visitor.token(f"{verb} {found.objection_id}") for verb in ("withdraw", "review")
        },
        longest=MAX_TEXT,
        labels=labels,
        **variables,
    )


def _redirect(objection_id: str, notice: str) -> Response:
    return see_other(f"/portal/objections/{objection_id}?notice={notice}")
