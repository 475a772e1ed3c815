"""Portal pages of the enterprise's own credit file, with the visibility of each field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from gateway.creditfile import labels
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.disclosure_policy import context_of, disclosable_fields
from gateway.creditfile.disclosure_terms import FileContext
from gateway.creditfile.file_query import read_file
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.objections import store as objections
from gateway.creditfile.objections.model import Objection
from gateway.creditfile.personal_fields import open_enterprise, with_personal
from gateway.creditfile.records import Enterprise, Record, registration_of
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import UsingVisitor, Visitor
from gateway.pages.i18n import Translated
from gateway.pages.page_route import InsteadError, PageRoute, not_found
from gateway.pages.rendering import PageRenderer
from gateway.portal.objections import labels as objection_labels
from gateway.portal.page_queries import EnterpriseCard
from gateway.runtime import Runtime, UsingRuntime

PREVIEW_COUNT: Final = 5
PAGE_SIZE: Final = 20

router = APIRouter(route_class=PageRoute, include_in_schema=False)
renderer: Final = PageRenderer("gateway.portal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One record as its enterprise sees it, with the fields visible to others."""

    record: Record
    fields: Mapping[str, Any]
    public: frozenset[str]
    authorised: frozenset[str]
    objection: Objection | None
    """The open objection to the record."""

    @property
    def visibility(self) -> str:
        """The widest audience of any field: `public`, `authorised` or `nobody`."""
        if self.public:
            return "public"
        return "authorised" if self.authorised else "nobody"

    def field_visibility(self, name: str) -> str:
        """The widest audience of one field."""
        if name in self.public:
            return "public"
        return "authorised" if name in self.authorised else "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One page of a dataset's records; `cursor` is its last record if more follow."""

    dataset: str
    name: Translated
    count: int
    entries: Sequence[Entry]
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditFile:
    """An enterprise's credit file at one moment."""

    enterprise: Enterprise
    records: Sequence[Record]
    objections: Mapping[str, Objection]
    runtime: Runtime
    now: datetime

    @property
    def card(self) -> EnterpriseCard:
        """The page header."""
        own = self.enterprise
        return EnterpriseCard(uscc=own.uscc, name=own.name, kind=own.kind, status=own.status)

    def entries(self) -> list[Entry]:
        """All records visible to the enterprise, in catalogue order, newest first."""
        records = (registration_of(self.enterprise), *self.records)
        context = context_of(records, self.runtime.catalogue, self.now)
        found = (self._entry(each, context=context) for each in records)
        order = self.runtime.catalogue.codes.index
        visible = sorted((e for e in found if e.fields), key=_sort_key, reverse=True)
        return sorted(visible, key=lambda e: order(e.record.dataset))

    def _entry(self, record: Record, *, context: FileContext) -> Entry:
        fields = {
            audience: disclosable_fields(
                record,
                audience,
                self.runtime.catalogue,
                self.now,
                kind=self.enterprise.kind,
                context=context,
            )
            for audience in (Audience.ENTERPRISE, Audience.AUTHORISED, Audience.PUBLIC)
        }
        return Entry(
            record=record,
            fields=fields[Audience.ENTERPRISE],
            public=frozenset(fields[Audience.PUBLIC]),
            authorised=frozenset(fields[Audience.AUTHORISED]),
            objection=self.objections.get(record.record_id),
        )

    def decrypted(self, entry: Entry) -> Entry:
        """The entry with its encrypted personal fields decrypted, for its detail page only."""
        vault = self.runtime.vault
        if entry.record.record_id == self.enterprise.registration_id:
            whole = registration_of(self.enterprise, open_enterprise(vault, self.enterprise))
        else:
            whole = with_personal(vault, entry.record)
        records = (registration_of(self.enterprise), *self.records)
        context = context_of(records, self.runtime.catalogue, self.now)
        return self._entry(whole, context=context)


@router.get("/portal/enterprises/{uscc}/record", response_model=None)
async def show_credit_file(
    request: Request, uscc: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Show the file by dataset; `?dataset=` shows one dataset page by page."""
    visitor.must(Permission.RECORD, request, uscc)
    wanted, cursor = (request.query_params.get(name, "") for name in ("dataset", "after"))
    async with runtime.engine.connect() as connection:
        file = await load_file(connection, request, runtime, visitor, uscc)
    entries = file.entries()
    if wanted:
        sections = (
            [_page_section(file, wanted, entries, cursor)]
            if _is_valid_page(entries, wanted, cursor)
            else []
        )
    else:
        codes = dict.fromkeys(each.record.dataset for each in entries)
        sections = [_preview_section(file, code, entries) for code in codes]
    if not sections:
        return not_found(request, visitor)
    return renderer.page(
        request,
        "portal/credit_file.html",
        visitor=visitor,
        enterprise=file.card,
        tab="record",
        sections=sections,
        whole=not wanted,
        disputed=len(file.objections),
        labels=labels,
        catalogue=runtime.catalogue,
    )


@router.get("/portal/enterprises/{uscc}/records/{record_id}", response_model=None)
async def show_record(
    request: Request,
    uscc: str,
    record_id: str,
    runtime: UsingRuntime,
    visitor: UsingVisitor,
) -> Response:
    """Show one record field by field, with a link to object."""
    visitor.must(Permission.RECORD, request, uscc)
    async with runtime.engine.connect() as connection:
        file = await load_file(connection, request, runtime, visitor, uscc)
        earlier = await objections.of_enterprise(connection, uscc, record_id=record_id)
    entry = file.decrypted(find_entry(request, visitor, file, record_id))
    return renderer.page(
        request,
        "portal/record.html",
        visitor=visitor,
        enterprise=file.card,
        tab="record",
        entry=entry,
        dataset=dataset_name(runtime, entry.record.dataset),
        earlier=[each for each in earlier if not each.marks],
        notice=objection_labels.NOTICES.get(request.query_params.get("notice", "")),
        labels=labels,
        objection_labels=objection_labels,
        catalogue=runtime.catalogue,
        is_rating=entry.record.dataset in runtime.catalogue.objections.rating_appeal.datasets,
    )


async def load_file(
    connection: AsyncConnection, request: Request, runtime: Runtime, visitor: Visitor, uscc: str
) -> CreditFile:
    """The credit file of an enterprise; without one, the 404 page."""
    read = await read_file(connection, uscc, runtime.catalogue.codes)
    if read is None:
        raise InsteadError(not_found(request, visitor))
    own = await objections.of_enterprise(connection, uscc)
    return CreditFile(
        enterprise=read[0],
        records=read[1],
        objections={each.record_id: each for each in own if each.marks},
        runtime=runtime,
        now=runtime.now(),
    )


def find_entry(request: Request, visitor: Visitor, file: CreditFile, record_id: str) -> Entry:
    """A visible record by its id; without one, the 404 page."""
    found = next((e for e in file.entries() if e.record.record_id == record_id), None)
    if found is None:
        raise InsteadError(not_found(request, visitor))
    return found


def dataset_name(runtime: Runtime, dataset: str) -> Translated:
    """The name of a dataset."""
    found = runtime.catalogue.dataset(dataset)
    return Translated(found.zh, found.en)


def _sort_key(entry: Entry) -> str:
    """A record's day of decision, period, or day of delivery."""
    record = entry.record
    return str(record.decided_on or record.period or day_of(record.source_time))


def _of_dataset(entries: Sequence[Entry], code: str) -> list[Entry]:
    return [each for each in entries if each.record.dataset == code]


def _is_valid_page(entries: Sequence[Entry], code: str, cursor: str) -> bool:
    ids = {each.record.record_id for each in _of_dataset(entries, code)}
    return bool(ids) and (not cursor or cursor in ids)


def _preview_section(file: CreditFile, code: str, entries: Sequence[Entry]) -> Section:
    own = _of_dataset(entries, code)
    name = dataset_name(file.runtime, code)
    more = own[PREVIEW_COUNT - 1].record.record_id if len(own) > PREVIEW_COUNT else None
    return Section(
        dataset=code, name=name, count=len(own), entries=own[:PREVIEW_COUNT], cursor=more
    )


def _page_section(file: CreditFile, code: str, entries: Sequence[Entry], cursor: str) -> Section:
    own = _of_dataset(entries, code)
    ids = [each.record.record_id for each in own]
    begin = ids.index(cursor) + 1 if cursor else 0
    shown = own[begin : begin + PAGE_SIZE]
    more = shown[-1].record.record_id if shown and begin + PAGE_SIZE < len(own) else None
    name = dataset_name(file.runtime, code)
    return Section(dataset=code, name=name, count=len(own), entries=shown, cursor=more)
