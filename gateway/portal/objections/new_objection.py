"""Portal form to object to a record; storing the text and marking it are one transaction."""

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
from gateway.portal.my_record import (
    CreditFile,
    Entry,
    dataset_name,
    find_entry,
    load_file,
    renderer,
)
from gateway.portal.objections import labels as objection_labels
from gateway.runtime import UsingRuntime

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectionForm:
    """The form's contents and what is wrong with them."""

    text: str = ""
    wanted: str = ""
    problem: InvalidText | None = None


@router.get("/portal/enterprises/{uscc}/records/{record_id}/object", response_model=None)
async def show_objection_form(
    request: Request,
    uscc: str,
    record_id: str,
    runtime: UsingRuntime,
    visitor: UsingVisitor,
) -> Response:
    """Show the form; a record under objection redirects to that objection."""
    visitor.must(Permission.OBJECTIONS, request, uscc)
    async with runtime.engine.connect() as connection:
        file = await load_file(connection, request, runtime, visitor, uscc)
    entry = find_entry(request, visitor, file, record_id)
    if entry.objection is not None:
        return _redirect(entry.objection.objection_id, "already")
    return _form_page(request, visitor, file, entry, ObjectionForm())


@router.post("/portal/enterprises/{uscc}/records/{record_id}/object", response_model=None)
async def raise_objection(
    request: Request,
    uscc: str,
    record_id: str,
    runtime: UsingRuntime,
    visitor: UsingVisitor,
) -> Response:
    """Raise the objection; a repeated post redirects to the first."""
    fields = await visitor.form(request, f"object {uscc} {record_id}")
    visitor.must(Permission.OBJECTIONS, request, uscc)
    today = day_of(runtime.now())
    text = read_text(one(fields, "text"), today=today)
    wanted = read_text(one(fields, "wanted"), today=today, longest=MAX_WISH, shortest=0)
    if isinstance(text, InvalidText) or isinstance(wanted, InvalidText):
        async with runtime.engine.connect() as connection:
            file = await load_file(connection, request, runtime, visitor, uscc)
        entry = find_entry(request, visitor, file, record_id)
        return _form_page(request, visitor, file, entry, _form_contents(fields, text, wanted))
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
        existing = await objections.of_enterprise(connection, uscc, record_id=record_id)
    if isinstance(raised, Objection):
        masked = text.masked or wanted.masked
        return _redirect(raised.objection_id, "raised_masked" if masked else "raised")
    return _refusal_response(request, visitor, uscc, record_id, raised, existing)


def actor(visitor: Visitor, uscc: str) -> Actor:
    """The signed-in person acting for this enterprise."""
    return Actor(
        role=Role.ENTERPRISE,
        name=visitor.session.subject,
        party=uscc,
        identity_token_digest=visitor.session.identity_token_digest,
    )


def _refusal_response(
    request: Request,
    visitor: Visitor,
    uscc: str,
    record_id: str,
    refused: ObjectionRefused,
    existing: list[Objection],
) -> Response:
    open_objection = next((each for each in existing if each.marks), None)
    if refused.reason is RefusalReason.ALREADY_OPEN and open_objection is not None:
        return _redirect(open_objection.objection_id, "already")
    if refused.reason is RefusalReason.TOO_SOON:
        address = f"/portal/enterprises/{uscc}/records/{record_id}?notice={refused.reason}"
        return see_other(address)
    return not_found(request, visitor)


def _form_contents(
    fields: Fields, text: ValidText | InvalidText, wanted: ValidText | InvalidText
) -> ObjectionForm:
    problem = text if isinstance(text, InvalidText) else wanted
    return ObjectionForm(
        text=one(fields, "text")[:MAX_TEXT],
        wanted=one(fields, "wanted")[:MAX_WISH],
        problem=problem if isinstance(problem, InvalidText) else None,
    )


def _form_page(
    request: Request, visitor: Visitor, file: CreditFile, entry: Entry, typed: ObjectionForm
) -> Response:
    runtime, record = file.runtime, entry.record
    kind = lifecycle.kind_of(record.dataset, runtime.catalogue.objections)
    return renderer.page(
        request,
        "portal/new_objection.html",
        status=422 if typed.problem else 200,
        visitor=visitor,
        address={},
        enterprise=file.card,
        tab="record",
        entry=entry,
        dataset=dataset_name(runtime, record.dataset),
        typed=typed,
        problem=objection_labels.PROBLEMS.get(typed.problem) if typed.problem else None,
        kind=kind,
        rules=lifecycle.rules_of(kind, runtime.catalogue.objections),
        longest=MAX_TEXT,
        longest_wish=MAX_WISH,
        labels=labels,
        catalogue=runtime.catalogue,
        action=f"/portal/enterprises/{record.uscc}/records/{record.record_id}/object",
        csrf=visitor.token(f"object {record.uscc} {record.record_id}"),
    )


def _redirect(objection_id: str, notice: str) -> Response:
    return see_other(f"/portal/objections/{objection_id}?notice={notice}")
