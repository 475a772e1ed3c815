"""My objections: where each stands, what was decided and why, and the one review there is."""

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
from gateway.portal import store
from gateway.portal.my_record import frame, name_of
from gateway.portal.objections import labels as words
from gateway.portal.objections.new_objection import actor
from gateway.portal.store import EnterpriseCard
from gateway.runtime import Runtime, UsingRuntime

Verb = Literal["withdraw", "review"]
MAY_END: Final = frozenset({Status.OPEN, Status.DECIDED, Status.IN_REVIEW})

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/portal/enterprises/{uscc}/objections", response_model=None)
async def list_objections(
    request: Request, uscc: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """List an enterprise's objections, those under way first."""
    visitor.must(Permission.OBJECTIONS, request, uscc)
    async with runtime.engine.connect() as connection:
        cards = await store.enterprises(connection, [uscc])
        found = await objections.of_enterprise(connection, uscc)
    if not cards:
        return not_found(request, visitor)
    return frame.page(
        request,
        "portal/objections.html",
        visitor=visitor,
        enterprise=cards[0],
        tab="record",
        running=[each for each in found if each.marks],
        over=[each for each in found if not each.marks],
        names={each.dataset: name_of(runtime, each.dataset) for each in found},
        words=words,
    )


@router.get("/portal/objections/{objection_id}", response_model=None)
async def show(
    request: Request, objection_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Show one objection with all that was done to it."""
    async with runtime.engine.connect() as connection:
        found = await _mine(connection, request, visitor, objection_id)
        card = await _card(connection, found.uscc)
        events = await objections.events_of(connection, found.uscc, objection_id)
    return _page(request, runtime, visitor, "portal/objection.html", found, card, events=events)


@router.get("/portal/objections/{objection_id}/{verb}", response_model=None)
async def ask(
    request: Request,
    objection_id: str,
    verb: Verb,
    runtime: UsingRuntime,
    visitor: UsingVisitor,
) -> Response:
    """Ask once whether to end it, or why it should be reviewed."""
    async with runtime.engine.connect() as connection:
        found = await _mine(connection, request, visitor, objection_id)
        card = await _card(connection, found.uscc)
    may = _may(found, runtime.now())
    if not may[verb]:
        return _back(objection_id, "too_late")
    return _page(request, runtime, visitor, f"portal/objection_{verb}.html", found, card)


@router.post("/portal/objections/{objection_id}/{verb}", response_model=None)
async def act(
    request: Request,
    objection_id: str,
    verb: Verb,
    runtime: UsingRuntime,
    visitor: UsingVisitor,
) -> Response:
    """End it, or ask for the review."""
    fields = await visitor.form(request, f"{verb} {objection_id}")
    text = read_text(one(fields, "text"), today=day_of(runtime.now()))
    async with runtime.engine.begin() as connection:
        found = await _mine(connection, request, visitor, objection_id)
        if verb == "review" and isinstance(text, InvalidText):
            card = await _card(connection, found.uscc)
            typed, trouble = one(fields, "text")[:MAX_TEXT], words.TROUBLES[text]
            return _page(
                request,
                runtime,
                visitor,
                "portal/objection_review.html",
                found,
                card,
                typed=typed,
                trouble=trouble,
            )
        written = "" if isinstance(text, InvalidText) else text.text
        verb_ = _verb(runtime, visitor, verb, written)
        done = await service.apply_act(connection, objection_id, verb_)
    return _back(objection_id, "too_late" if isinstance(done, ObjectionRefused) else verb)


def _verb(runtime: Runtime, visitor: Visitor, verb: Verb, text: str) -> service.ObjectionVerb:
    now = runtime.now()

    def do(objection: Objection, _: LockedRecord | None) -> ObjectionChanged | ObjectionRefused:
        by = actor(visitor, objection.uscc)
        if verb == "withdraw":
            return lifecycle.withdraw(objection, actor=by, now=now)
        kinds = runtime.catalogue.objections
        return lifecycle.ask_for_review(objection, actor=by, text=text, kinds=kinds, now=now)

    return do


def _may(found: Objection, now: datetime) -> dict[str, bool]:
    """What the enterprise can do now."""
    review = lifecycle.may_be_reviewed(found, now)
    return {"withdraw": found.status in MAY_END, "review": review}


async def _mine(
    connection: AsyncConnection, request: Request, visitor: Visitor, objection_id: str
) -> Objection:
    """The objection, if the person may act for its enterprise; else there is nothing here."""
    found = await objections.by_id(connection, objection_id) if "\0" not in objection_id else None
    visitor.must(Permission.OBJECTIONS, request, found.uscc if found else None)
    if found is None:
        raise InsteadError(not_found(request, visitor))
    return found


async def _card(connection: AsyncConnection, uscc: str) -> EnterpriseCard:
    cards = await store.enterprises(connection, [uscc])
    return cards[0] if cards else EnterpriseCard(uscc=uscc, name=uscc, kind="", status="")


def _page(
    request: Request,
    runtime: Runtime,
    visitor: Visitor,
    template: str,
    found: Objection,
    card: EnterpriseCard,
    **more: Any,  # what one of the templates shows
) -> Response:
    now = runtime.now()
    said = {"typed": "", "trouble": None, "events": (), **more}
    return frame.page(
        request,
        template,
        status=422 if said["trouble"] else 200,
        visitor=visitor,
        enterprise=card,
        tab="record",
        found=found,
        dataset=name_of(runtime, found.dataset),
        may=_may(found, now),
        overdue=found.due_on is not None and day_of(now) > found.due_on,
        next=serializers.NEXT.get(found.status),
        notice=words.NOTICES.get(request.query_params.get("notice", "")),
        csrf={
            verb: visitor.token(f"{verb} {found.objection_id}") for verb in ("withdraw", "review")
        },
        longest=MAX_TEXT,
        words=words,
        **said,
    )


def _back(objection_id: str, notice: str) -> Response:
    return see_other(f"/portal/objections/{objection_id}?notice={notice}")
