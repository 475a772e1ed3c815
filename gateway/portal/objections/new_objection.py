"""Portal form to object to a record; storing the text and marking it are one transaction."""

from dataclasses import dataclass, replace

from fastapi import APIRouter
from starlette.responses import Response

from gateway.creditfile import labels
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.objections import lifecycle, service
from gateway.creditfile.objections import store as objections
from gateway.creditfile.objections.model import (
    Actor,
    Objection,
    RefusalReason,
    Role,
)
from gateway.creditfile.objections.text_input import (
    MAX_TEXT,
    MAX_WISH,
    InvalidText,
    read_text,
)
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import UsingVisitor, Visitor
from gateway.pages.forms import Fields, single_value
from gateway.pages.page_route import PageRoute, see_other
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
    field: str | None = None
    """The field that the problem is with."""


@router.get("/portal/enterprises/{uscc}/records/{record_id}/object")
async def show_objection_form(
    uscc: str, record_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Show the form; a record under objection redirects to that objection."""
    visitor.require(Permission.OBJECTIONS, uscc)
    async with runtime.engine.connect() as connection:
        file = await load_file(connection, runtime, visitor, uscc)
    entry = find_entry(visitor, file, record_id)
    if entry.objection is not None:
        return redirect_to_objection(entry.objection.objection_id, "already")
    if not entry.is_open_to_objection:
        return visitor.not_found()
    kept = await visitor.kept_form(f"object {uscc} {record_id}")
    return _form_page(visitor, file, entry, ObjectionForm() if kept is None else _typed(kept))


@router.post("/portal/enterprises/{uscc}/records/{record_id}/object")
async def raise_objection(
    uscc: str, record_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Raise the objection; a repeated post redirects to the first."""
    fields = await visitor.form(f"object {uscc} {record_id}")
    visitor.require(Permission.OBJECTIONS, uscc)
    now = runtime.now()
    typed, wish = single_value(fields, "text"), single_value(fields, "wanted")
    text = read_text(typed, today=day_of(now))
    wanted = read_text(wish, today=day_of(now), longest=MAX_WISH, shortest=0)
    if isinstance(text, InvalidText) or isinstance(wanted, InvalidText):
        async with runtime.engine.connect() as connection:
            file = await load_file(connection, runtime, visitor, uscc)
        entry = find_entry(visitor, file, record_id)
        problem = next(each for each in (text, wanted) if isinstance(each, InvalidText))
        field = "text" if isinstance(text, InvalidText) else "wanted"
        return _form_page(
            visitor, file, entry, replace(_typed(fields), problem=problem, field=field)
        )
    async with runtime.engine.begin() as connection:
        raised = await service.raise_objection(
            connection,
            runtime.catalogue,
            uscc=uscc,
            record_id=record_id,
            text=text.text,
            wanted=wanted.text,
            actor=actor(visitor, uscc),
            now=now,
        )
        existing = await objections.of_enterprise(connection, uscc, record_id=record_id)
    if isinstance(raised, Objection):
        masked = text.masked or wanted.masked
        return redirect_to_objection(raised.objection_id, "raised_masked" if masked else "raised")
    open_objection = next((each for each in existing if each.marks), None)
    if raised.reason is RefusalReason.ALREADY_OPEN and open_objection is not None:
        return redirect_to_objection(open_objection.objection_id, "already")
    if raised.reason is RefusalReason.TOO_SOON:
        return see_other(f"/portal/enterprises/{uscc}/records/{record_id}?notice={raised.reason}")
    return visitor.not_found()


def _typed(fields: Fields) -> ObjectionForm:
    """Typed entries of the form, cut to the fields' lengths."""
    return ObjectionForm(
        text=single_value(fields, "text")[:MAX_TEXT],
        wanted=single_value(fields, "wanted")[:MAX_WISH],
    )


def actor(visitor: Visitor, uscc: str) -> Actor:
    """The signed-in person acting for this enterprise."""
    return Actor(
        role=Role.ENTERPRISE,
        name=visitor.session.subject,
        party=uscc,
        identity_token_digest=visitor.session.identity_token_digest,
    )


def _form_page(visitor: Visitor, file: CreditFile, entry: Entry, typed: ObjectionForm) -> Response:
    runtime, record = file.runtime, entry.record
    kind = lifecycle.kind_of(record.dataset, runtime.catalogue.objections)
    return renderer.visitor_page(
        visitor,
        "portal/new_objection.html",
        status=422 if typed.problem else 200,
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


def redirect_to_objection(objection_id: str, notice: str) -> Response:
    """A redirect to the page of an objection, with a notice."""
    return see_other(f"/portal/objections/{objection_id}?notice={notice}")
