"""Portal pages on which an enterprise chooses a report, previews it as its readers see it, and makes it."""

import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from gateway.codes.public_page.wording import wording_of
from gateway.credit_reports import labels, service, store
from gateway.credit_reports.choice_form import (
    FORM_ID,
    MAX_RECIPIENT,
    TERMS,
    ChoiceProblem,
    OfferedDataset,
    earliest,
    entered,
    is_public,
    parse_choice,
    preset,
    usual_fields,
)
from gateway.credit_reports.document import (
    Choice,
    needed_datasets,
    offered_datasets,
    reported_records,
)
from gateway.credit_reports.ids import number_from
from gateway.credit_reports.model import LONGEST_TERM, ReportRefusal
from gateway.credit_reports.service import Author, Draft
from gateway.credit_reports.view import sections_of
from gateway.creditfile.labels import dataset_label
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.records import Enterprise
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import UsingVisitor, Visitor
from gateway.pages.forms import Fields, single_value
from gateway.pages.i18n import language_of
from gateway.pages.page_route import EarlyResponse, PageRoute, see_other
from gateway.pages.rendering import PageRenderer
from gateway.prefix_router import PrefixRouter
from gateway.runtime import Runtime, UsingRuntime

router = PrefixRouter(route_class=PageRoute, include_in_schema=False)
renderer: Final = PageRenderer("gateway.credit_reports")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Making:
    """A report in the making: its author, its enterprise, and what can be chosen."""

    visitor: Visitor
    runtime: Runtime
    enterprise: Enterprise
    offered: Sequence[OfferedDataset]

    @property
    def uscc(self) -> str:
        return self.enterprise.uscc

    @property
    def codes(self) -> list[str]:
        return [each.code for each in self.offered]


@router.get("/portal/enterprises/{uscc}/reports/new")
async def show_report_form(uscc: str, runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """Show the form, with nothing ticked but what `?preset=` names."""
    visitor.require(Permission.REPORTS, uscc)
    async with runtime.engine.connect() as connection:
        making = await _making(connection, runtime, visitor, uscc)
    kept = await visitor.kept_form(_purpose(uscc))
    wanted = visitor.request.query_params.get("preset", "")
    ticked = preset(wanted, making.offered, runtime.catalogue)
    return _form(making, kept or usual_fields(day_of(runtime.now()), ticked), None)


@router.post("/portal/enterprises/{uscc}/reports/new")
async def make_report(uscc: str, runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """Preview the report, or make the one that was previewed; a form that is posted twice makes one."""
    fields = await visitor.form(_purpose(uscc))
    visitor.require(Permission.REPORTS, uscc)
    async with runtime.engine.begin() as connection:
        making = await _making(connection, runtime, visitor, uscc)
        choice = parse_choice(fields, making.codes, runtime.now())
        if isinstance(choice, ChoiceProblem):
            return _form(making, fields, choice)
        if single_value(fields, "step") == "change":
            return _form(making, fields, None)
        number = _number(runtime, uscc, fields, choice)
        draft = await service.draft(connection, runtime, uscc, choice, number)
        if draft is None:
            return visitor.not_found()
        is_seen = single_value(fields, "seen") == draft.digest
        if single_value(fields, "step") != "make" or not is_seen:
            return _preview(making, fields, choice, draft)
        author = Author(**visitor.authorship)
        made = await service.make_report(connection, runtime, draft, choice, author)
    if isinstance(made, ReportRefusal):
        return _form(making, fields, ChoiceProblem(labels.REFUSALS[made], ""))
    return see_other(f"/portal/reports/{made.report_id}?notice=made")


async def _making(
    connection: AsyncConnection, runtime: Runtime, visitor: Visitor, uscc: str
) -> _Making:
    """The enterprise with what it can choose: what it has records of, and whatever may be bad."""
    catalogue, now = runtime.catalogue, runtime.now()
    enterprise, records = await store.read_whole_file(
        connection, uscc, needed_datasets(catalogue, catalogue.codes)
    )
    if enterprise is None:
        raise EarlyResponse(visitor.not_found())
    everything = Choice(
        span_from=earliest(day_of(now)),
        span_to=day_of(now),
        datasets=offered_datasets(catalogue, enterprise.kind),
        recipient=None,
        valid_until=now + LONGEST_TERM,
    )
    told = reported_records(enterprise, records, everything, catalogue, now)
    counts = Counter(each.record.dataset for each in told)
    closed = {each.record.dataset for each in told if not each.is_public}
    offered = [
        OfferedDataset(
            code=code,
            name=dataset_label(code, catalogue, enterprise.kind),
            count=counts[code],
            is_public=is_public(catalogue, code, enterprise.kind),
            tells_more=code in closed,
        )
        for code in everything.datasets
        if counts[code] or catalogue.dataset(code).is_ever_bad
    ]
    return _Making(visitor=visitor, runtime=runtime, enterprise=enterprise, offered=offered)


def _form(making: _Making, fields: Fields, problem: ChoiceProblem | None) -> Response:
    today = day_of(making.runtime.now())
    return renderer.visitor_page(
        making.visitor,
        "credit_reports/new.html",
        status=422 if problem else 200,
        tab="reports",
        enterprise=_card(making),
        csrf=making.visitor.token(_purpose(making.uscc)),
        form_id=_form_id(fields),
        offered=making.offered,
        ticked=frozenset(fields.get("dataset", [])),
        values=entered(fields),
        terms=TERMS,
        longest=MAX_RECIPIENT,
        first=earliest(today),
        today=today,
        problem=problem.text if problem else None,
        problem_field=(problem.field or None) if problem else None,
    )


def _preview(making: _Making, fields: Fields, choice: Choice, draft: Draft) -> Response:
    catalogue, kind = making.runtime.catalogue, making.enterprise.kind
    request = making.visitor.request
    language = language_of(request.query_params, request.cookies)
    was_seen = single_value(fields, "step") == "make"
    return renderer.visitor_page(
        making.visitor,
        "credit_reports/preview.html",
        tab="reports",
        enterprise=_card(making),
        csrf=making.visitor.token(_purpose(making.uscc)),
        form_id=_form_id(fields),
        values=entered(fields),
        choice=choice,
        report=draft.report,
        sections=sections_of(draft.report, kind, catalogue),
        wording=lambda code: wording_of(catalogue, code, kind, language),
        seen=draft.digest,
        anyone=labels.ANYONE,
        notice=labels.NEWER_DRAFT if was_seen else None,
        ends_early=_ends_early(draft),
    )


def _ends_early(draft: Draft) -> str | None:
    """The first term of use of a record in it that ends before its own, if there is one."""
    ends = [each["use_until"] for each in draft.report["records"]]
    first = min(ends, default=None)
    end = draft.report["valid_until"]
    return first if first is not None and first < end else None


def _card(making: _Making) -> dict[str, str]:
    return {"uscc": making.uscc, "name": making.enterprise.name}


def _purpose(uscc: str) -> str:
    return f"report {uscc}"


def _form_id(fields: Fields) -> str:
    """The id of a form that has been shown, or a new one; it makes a second post the same act."""
    given = single_value(fields, "form_id")
    return given if FORM_ID.fullmatch(given) else secrets.token_hex(16)


def _number(runtime: Runtime, uscc: str, fields: Fields, choice: Choice) -> str:
    """The number of the report that a form makes: secret, and the same if the form is posted again."""
    act = "\n".join((uscc, _form_id(fields), repr(choice)))
    return number_from(runtime.digests.of("credit_report", act))
