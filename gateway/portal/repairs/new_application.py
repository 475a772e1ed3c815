"""Portal form to apply for a record's repair: statement, papers' digests, commitment."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from starlette.responses import Response

from gateway.access.download_limit import count_upload
from gateway.creditfile import labels as record_labels
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.objections.text_input import MAX_TEXT, InvalidText, read_text
from gateway.creditfile.repair_terms import deciding_office
from gateway.creditfile.repairs import service, store
from gateway.creditfile.repairs.lifecycle import MAX_PAPERS
from gateway.creditfile.repairs.model import ApplicationRefusal, Paper, RepairApplication
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import UsingVisitor, Visitor
from gateway.pages.forms import Fields, single_value
from gateway.pages.page_route import PageRoute, see_other
from gateway.pages.upload_form import FILE_NAMES, HashedFile, UploadForm
from gateway.portal.my_record import dataset_name, find_entry, load_file, renderer
from gateway.portal.objections.new_objection import actor
from gateway.portal.repairs import labels
from gateway.portal.repairs.record_section import repair_section
from gateway.prefix_router import PrefixRouter
from gateway.runtime import Runtime, UsingRuntime

MAX_PAPER_NAME: Final = 100

router = PrefixRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationForm:
    """The form's contents and what is wrong with them."""

    statement: str = ""
    committed: bool = False
    chosen: Sequence[str] = ()
    """Names of the files that were chosen; a page cannot choose them again."""
    problem: str | None = None

    @property
    def field(self) -> str | None:
        """The field that the problem is with."""
        if self.problem is None:
            return None
        papers = {labels.TOO_LARGE, labels.TOO_MANY, labels.EMPTY_PAPER}
        committing = self.problem == labels.NO_COMMITMENT
        return "papers" if self.problem in papers else "commitment" if committing else "statement"


@router.get("/portal/enterprises/{uscc}/records/{record_id}/repair")
async def show_repair_form(
    uscc: str, record_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Show the form; a record that is applied for redirects to its application."""
    visitor.require(Permission.REPAIRS, uscc)
    kept = await visitor.kept_form(f"repair {uscc} {record_id}")
    typed = ApplicationForm() if kept is None else _typed(kept, day_of(runtime.now()))
    return await _form_page(runtime, visitor, uscc, record_id, typed)


@router.post("/portal/enterprises/{uscc}/records/{record_id}/repair")
async def apply_for_repair(
    uscc: str, record_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Apply for the repair; a repeated post redirects to the first application."""
    visitor.require(Permission.REPAIRS, uscc)
    await count_upload(runtime, visitor)
    form = await visitor.upload_form(f"repair {uscc} {record_id}")
    now = runtime.now()
    typed = single_value(form.fields, "statement")
    statement = read_text(typed, today=day_of(now))
    problem = _problem(form, statement)
    if problem is not None or isinstance(statement, InvalidText):
        again = replace(_typed(form.fields_and_names, day_of(now)), problem=problem)
        return await _form_page(runtime, visitor, uscc, record_id, again)
    async with runtime.engine.begin() as connection:
        made = await service.apply_for_repair(
            connection,
            runtime.catalogue,
            uscc=uscc,
            record_id=record_id,
            statement=statement.text,
            papers=tuple(
                _paper(each, number, day_of(now)) for number, each in enumerate(form.files, 1)
            ),
            actor=actor(visitor, uscc),
            now=now,
        )
        existing = await store.of_enterprise(connection, uscc, record_id=record_id)
    if isinstance(made, RepairApplication):
        notice = "applied_masked" if statement.masked else "applied"
        return redirect_to_application(made.application_id, notice)
    running = next((each for each in existing if each.is_open), None)
    if made is ApplicationRefusal.ALREADY_OPEN and running is not None:
        return redirect_to_application(running.application_id, "already")
    if made in {ApplicationRefusal.TOO_SOON, ApplicationRefusal.NOT_REPAIRABLE}:
        return _back(uscc, record_id, made)
    return visitor.not_found()


def _typed(fields: Fields, today: date) -> ApplicationForm:
    """Entries of the form, typed and ticked, and the names of its files."""
    return ApplicationForm(
        statement=single_value(fields, "statement")[:MAX_TEXT],
        committed=single_value(fields, "commitment") == "yes",
        chosen=[
            _shown_name(each, number, today)
            for number, each in enumerate(fields.get(FILE_NAMES, []), 1)
        ],
    )


def redirect_to_application(application_id: str, notice: str) -> Response:
    """A redirect to the page of an application, with a notice."""
    return see_other(f"/portal/repairs/{application_id}?notice={notice}")


def _back(uscc: str, record_id: str, refusal: ApplicationRefusal) -> Response:
    return see_other(f"/portal/enterprises/{uscc}/records/{record_id}?notice=repair_{refusal}")


def _problem(form: UploadForm, statement: object) -> str | None:
    """The first thing that is wrong with the form."""
    if form.too_large:
        return labels.TOO_LARGE
    if isinstance(statement, InvalidText):
        return statement
    if len(form.files) > MAX_PAPERS:
        return labels.TOO_MANY
    if any(each.size == 0 for each in form.files):
        return labels.EMPTY_PAPER
    return None if single_value(form.fields, "commitment") == "yes" else labels.NO_COMMITMENT


def _paper(file: HashedFile, number: int, today: date) -> Paper:
    name = _shown_name(file.name, number, today)
    return Paper(name=name, size=file.size, sha256=file.sha256)


def _shown_name(given: str, number: int, today: date) -> str:
    """The name of a file without personal numbers."""
    name = read_text(given[:MAX_PAPER_NAME], today=today, longest=MAX_PAPER_NAME, shortest=1)
    return f"材料{number}" if isinstance(name, InvalidText) else " ".join(name.text.split())


async def _form_page(
    runtime: Runtime, visitor: Visitor, uscc: str, record_id: str, typed: ApplicationForm
) -> Response:
    async with runtime.engine.connect() as connection:
        file = await load_file(connection, runtime, visitor, uscc)
        entry = find_entry(visitor, file, record_id)
        section = await repair_section(
            connection, runtime.catalogue, entry.record, file.records, file.now
        )
    if section.open is not None:
        return redirect_to_application(section.open.application_id, "already")
    if not section.can_apply:
        waits = section.terms is not None and section.terms.can_apply
        return _back(
            uscc,
            record_id,
            ApplicationRefusal.TOO_SOON if waits else ApplicationRefusal.NOT_REPAIRABLE,
        )
    record = entry.record
    return renderer.visitor_page(
        visitor,
        "portal/new_repair.html",
        status=422 if typed.problem else 200,
        address={},
        enterprise=file.card,
        tab="record",
        entry=entry,
        dataset=dataset_name(runtime, record.dataset, file.enterprise.kind),
        section=section,
        office=deciding_office(record, runtime.catalogue) or record.source_name,
        typed=typed,
        problem=labels.PROBLEMS.get(typed.problem) if typed.problem else None,
        longest=MAX_TEXT,
        labels=record_labels,
        repair_labels=labels,
        catalogue=runtime.catalogue,
        action=f"/portal/enterprises/{record.uscc}/records/{record.record_id}/repair",
        csrf=visitor.token(f"repair {record.uscc} {record.record_id}"),
    )
