"""Objecting to one record: what is written is kept, masked and marked at once, or nothing is."""

from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from gateway.creditfile import labels
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.objections import lifecycle, service
from gateway.creditfile.objections import store as objections
from gateway.creditfile.objections.model import (
    Actor,
    Objection,
    ObjectionRefused,
    RefusalReason,
    Role,
)
from gateway.creditfile.objections.text_input import (
    MAX_TEXT,
    MAX_WISH,
    InvalidText,
    ValidText,
    read_text,
)
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import UsingVisitor, Visitor
from gateway.pages.forms import Fields, one
from gateway.pages.page_route import PageRoute, not_found, see_other
from gateway.portal.my_record import Entry, File, entry_of, file_of, frame, name_of
from gateway.portal.objections import labels as objection_labels
from gateway.runtime import UsingRuntime

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectionForm:
    """What the person has written so far, and what is wrong with it."""

    text: str = ""
    wanted: str = ""
    trouble: InvalidText | None = None


@router.get("/portal/enterprises/{uscc}/records/{record_id}/object", response_model=None)
async def ask(
    request: Request,
    uscc: str,
    record_id: str,
    runtime: UsingRuntime,
    visitor: UsingVisitor,
) -> Response:
    """Ask what is wrong with a record."""
    visitor.must(Permission.OBJECTIONS, request, uscc)
    async with runtime.engine.connect() as connection:
        file = await file_of(connection, request, runtime, visitor, uscc)
    entry = entry_of(request, visitor, file, record_id)
    if entry.objection is not None:
        return _to(entry.objection.objection_id, "already")
    return _form(request, visitor, file, entry, ObjectionForm())


@router.post("/portal/enterprises/{uscc}/records/{record_id}/object", response_model=None)
async def take(
    request: Request,
    uscc: str,
    record_id: str,
    runtime: UsingRuntime,
    visitor: UsingVisitor,
) -> Response:
    """Raise the objection; a second click leads to the first one."""
    fields = await visitor.form(request, f"object {uscc} {record_id}")
    visitor.must(Permission.OBJECTIONS, request, uscc)
    today = day_of(runtime.now())
    text = read_text(one(fields, "text"), today=today)
    wanted = read_text(one(fields, "wanted"), today=today, longest=MAX_WISH, shortest=0)
    if isinstance(text, InvalidText) or isinstance(wanted, InvalidText):
        async with runtime.engine.connect() as connection:
            file = await file_of(connection, request, runtime, visitor, uscc)
        entry = entry_of(request, visitor, file, record_id)
        return _form(request, visitor, file, entry, _typed(fields, text, wanted))
    async with runtime.engine.begin() as connection:
        raised = await service.raise_objection(
            connection,
            runtime.catalogue,
            uscc=uscc,
            record_id=record_id,
            text=text.text,
            wanted=wanted.text,
            actor=actor(visitor, uscc),
            now=runtime.now(),
        )
        held = await objections.of_enterprise(connection, uscc, record_id=record_id)
    if isinstance(raised, Objection):
        masked = text.masked or wanted.masked
        return _to(raised.objection_id, "raised_masked" if masked else "raised")
    return _instead(request, visitor, uscc, record_id, raised, held)


def actor(visitor: Visitor, uscc: str) -> Actor:
    """The person, for this enterprise."""
    return Actor(
        role=Role.ENTERPRISE,
        name=visitor.session.subject,
        party=uscc,
        identity_token_digest=visitor.session.identity_token_digest,
    )


def _instead(
    request: Request,
    visitor: Visitor,
    uscc: str,
    record_id: str,
    refused: ObjectionRefused,
    held: list[Objection],
) -> Response:
    going_on = next((each for each in held if each.marks), None)
    if refused.reason is RefusalReason.ALREADY_OPEN and going_on is not None:
        return _to(going_on.objection_id, "already")
    if refused.reason is RefusalReason.TOO_SOON:
        address = f"/portal/enterprises/{uscc}/records/{record_id}?notice={refused.reason}"
        return see_other(address)
    return not_found(request, visitor)


def _typed(
    fields: Fields, text: ValidText | InvalidText, wanted: ValidText | InvalidText
) -> ObjectionForm:
    trouble = text if isinstance(text, InvalidText) else wanted
    return ObjectionForm(
        text=one(fields, "text")[:MAX_TEXT],
        wanted=one(fields, "wanted")[:MAX_WISH],
        trouble=trouble if isinstance(trouble, InvalidText) else None,
    )


def _form(
    request: Request, visitor: Visitor, file: File, entry: Entry, typed: ObjectionForm
) -> Response:
    runtime, of = file.runtime, entry.record
    kind = lifecycle.kind_of(of.dataset, runtime.catalogue.objections)
    return frame.page(
        request,
        "portal/object.html",
        status=422 if typed.trouble else 200,
        visitor=visitor,
        address={},
        enterprise=file.card,
        tab="record",
        entry=entry,
        dataset=name_of(runtime, of.dataset),
        typed=typed,
        trouble=objection_labels.TROUBLES.get(typed.trouble) if typed.trouble else None,
        kind=kind,
        rules=lifecycle.rules_of(kind, runtime.catalogue.objections),
        longest=MAX_TEXT,
        longest_wish=MAX_WISH,
        naming=labels,
        catalogue=runtime.catalogue,
        action=f"/portal/enterprises/{of.uscc}/records/{of.record_id}/object",
        csrf=visitor.token(f"object {of.uscc} {of.record_id}"),
    )


def _to(objection_id: str, notice: str) -> Response:
    return see_other(f"/portal/objections/{objection_id}?notice={notice}")
