"""Portal form to object to a record; storing the text and marking it are one transaction."""

from dataclasses import dataclass, replace

from starlette.responses import Response

from gateway.creditfile import labels
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.objections import lifecycle, service
from gateway.creditfile.objections import store as objections
from gateway.creditfile.objections.contested import contestable, words_of
from gateway.creditfile.objections.model import (
    Actor,
    Contested,
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
from gateway.pages.page_route import EarlyResponse, PageRoute, see_other
from gateway.portal.my_record import (
    CreditFile,
    Entry,
    dataset_name,
    find_entry,
    load_file,
    renderer,
)
from gateway.portal.objections import labels as objection_labels
from gateway.prefix_router import PrefixRouter
from gateway.runtime import UsingRuntime

router = PrefixRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectionForm:
    """The form's contents and what is wrong with them."""

    text: str = ""
    wanted: str = ""
    contests: str = ""
    """Indicator and reason code that are contested, as `penalties/L12`; empty: the whole record."""
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
    asked = ObjectionForm(contests=visitor.request.query_params.get("contests", ""))
    return _form_page(visitor, file, entry, asked if kept is None else _typed(kept))


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
    async with runtime.engine.connect() as connection:
        file = await load_file(connection, runtime, visitor, uscc)
    entry = find_entry(visitor, file, record_id)
    if isinstance(text, InvalidText) or isinstance(wanted, InvalidText):
        problem = next(each for each in (text, wanted) if isinstance(each, InvalidText))
        field = "text" if isinstance(text, InvalidText) else "wanted"
        return _form_page(
            visitor, file, entry, replace(_typed(fields), problem=problem, field=field)
        )
    contests = _contested(visitor, entry, runtime.catalogue, fields)
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
            contests=contests,
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
        contests=single_value(fields, "contests"),
    )


def _contested(
    visitor: Visitor, entry: Entry, catalogue: Catalogue, fields: Fields
) -> Contested | None:
    """The contested part of a rating; with a value that was not offered, the 404 page."""
    chosen = single_value(fields, "contests")
    if not chosen:
        return None
    offered = _offered(entry, catalogue)
    found = next((each for each in offered if str(each) == chosen), None)
    if found is None:
        raise EarlyResponse(visitor.not_found())
    return found


def _offered(entry: Entry, catalogue: Catalogue) -> tuple[Contested, ...]:
    return contestable(catalogue, entry.record.dataset, entry.record.fields)


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
        offered=[
            (str(each), words)
            for each in _offered(entry, runtime.catalogue)
            if (words := words_of(each, runtime.catalogue)) is not None
        ],
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
