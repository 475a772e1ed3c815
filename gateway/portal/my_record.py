"""My record: the enterprise's own credit file, and of each field who else may be told it."""

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
from gateway.creditfile.disclosure_policy import disclosable_fields, is_on_serious_list
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
from gateway.portal.store import EnterpriseCard
from gateway.runtime import Runtime, UsingRuntime

AT_FIRST: Final = 5
PAGE: Final = 20

router = APIRouter(route_class=PageRoute, include_in_schema=False)
frame: Final = PageRenderer("gateway.portal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One record as its enterprise sees it, and which of its fields reach whom else."""

    record: Record
    fields: Mapping[str, Any]
    public: frozenset[str]
    authorised: frozenset[str]
    objection: Objection | None
    """The one that is not closed."""

    @property
    def reach(self) -> str:
        """How far the record goes at present."""
        if self.public:
            return "public"
        return "authorised" if self.authorised else "nobody"

    def reach_of(self, name: str) -> str:
        """How far one field goes at present."""
        if name in self.public:
            return "public"
        return "authorised" if name in self.authorised else "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The records of one dataset; `after` is where the next page begins, if there is one."""

    dataset: str
    name: Translated
    count: int
    entries: Sequence[Entry]
    after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """An enterprise's file at one moment."""

    enterprise: Enterprise
    records: Sequence[Record]
    objections: Mapping[str, Objection]
    runtime: Runtime
    now: datetime

    @property
    def card(self) -> EnterpriseCard:
        """The head of the page."""
        of = self.enterprise
        return EnterpriseCard(uscc=of.uscc, name=of.name, kind=of.kind, status=of.status)

    def entries(self) -> list[Entry]:
        """Every record that the enterprise is told of, in the catalogue's order, the newest first."""
        held = (registration_of(self.enterprise), *self.records)
        listed = is_on_serious_list(held, self.runtime.catalogue, self.now)
        found = (self._entry(each, listed=listed) for each in held)
        order = self.runtime.catalogue.codes.index
        told = sorted((e for e in found if e.fields), key=_day, reverse=True)
        return sorted(told, key=lambda e: order(e.record.dataset))

    def _entry(self, record: Record, *, listed: bool) -> Entry:
        reach = {
            audience: disclosable_fields(
                record,
                audience,
                self.runtime.catalogue,
                self.now,
                kind=self.enterprise.kind,
                on_serious_list=listed,
            )
            for audience in (Audience.ENTERPRISE, Audience.AUTHORISED, Audience.PUBLIC)
        }
        return Entry(
            record=record,
            fields=reach[Audience.ENTERPRISE],
            public=frozenset(reach[Audience.PUBLIC]),
            authorised=frozenset(reach[Audience.AUTHORISED]),
            objection=self.objections.get(record.record_id),
        )

    def opened(self, entry: Entry) -> Entry:
        """The same entry with its sealed fields opened, for its own page only."""
        vault = self.runtime.vault
        if entry.record.record_id == self.enterprise.registration_id:
            whole = registration_of(self.enterprise, open_enterprise(vault, self.enterprise))
        else:
            whole = with_personal(vault, entry.record)
        held = (registration_of(self.enterprise), *self.records)
        listed = is_on_serious_list(held, self.runtime.catalogue, self.now)
        return self._entry(whole, listed=listed)


@router.get("/portal/enterprises/{uscc}/record", response_model=None)
async def show(
    request: Request, uscc: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Show the file by datasets; `?dataset=` shows one of them, a page at a time."""
    visitor.must(Permission.RECORD, request, uscc)
    wanted, after = (request.query_params.get(name, "") for name in ("dataset", "after"))
    async with runtime.engine.connect() as connection:
        file = await file_of(connection, request, runtime, visitor, uscc)
    entries = file.entries()
    if wanted:
        sections = [_page(file, wanted, entries, after)] if _has(entries, wanted, after) else []
    else:
        codes = dict.fromkeys(each.record.dataset for each in entries)
        sections = [_beginning(file, code, entries) for code in codes]
    if not sections:
        return not_found(request, visitor)
    return frame.page(
        request,
        "portal/record.html",
        visitor=visitor,
        enterprise=file.card,
        tab="record",
        sections=sections,
        whole=not wanted,
        disputed=len(file.objections),
        naming=labels,
        catalogue=runtime.catalogue,
    )


@router.get("/portal/enterprises/{uscc}/records/{record_id}", response_model=None)
async def show_one(
    request: Request,
    uscc: str,
    record_id: str,
    runtime: UsingRuntime,
    visitor: UsingVisitor,
) -> Response:
    """Show one record, field by field, with the way to object to it."""
    visitor.must(Permission.RECORD, request, uscc)
    async with runtime.engine.connect() as connection:
        file = await file_of(connection, request, runtime, visitor, uscc)
        before = await objections.of_enterprise(connection, uscc, record_id=record_id)
    entry = file.opened(entry_of(request, visitor, file, record_id))
    return frame.page(
        request,
        "portal/one_record.html",
        visitor=visitor,
        enterprise=file.card,
        tab="record",
        entry=entry,
        dataset=name_of(runtime, entry.record.dataset),
        before=[each for each in before if not each.marks],
        notice=objection_labels.NOTICES.get(request.query_params.get("notice", "")),
        naming=labels,
        words=objection_labels,
        catalogue=runtime.catalogue,
        is_rating=entry.record.dataset in runtime.catalogue.objections.rating_appeal.datasets,
    )


async def file_of(
    connection: AsyncConnection, request: Request, runtime: Runtime, visitor: Visitor, uscc: str
) -> File:
    """The file of an enterprise that the person may act for; else there is nothing here."""
    read = await read_file(connection, uscc, runtime.catalogue.codes)
    if read is None:
        raise InsteadError(not_found(request, visitor))
    own = await objections.of_enterprise(connection, uscc)
    return File(
        enterprise=read[0],
        records=read[1],
        objections={each.record_id: each for each in own if each.marks},
        runtime=runtime,
        now=runtime.now(),
    )


def entry_of(request: Request, visitor: Visitor, file: File, record_id: str) -> Entry:
    """One record that the enterprise is told of; else there is nothing here."""
    found = next((e for e in file.entries() if e.record.record_id == record_id), None)
    if found is None:
        raise InsteadError(not_found(request, visitor))
    return found


def name_of(runtime: Runtime, dataset: str) -> Translated:
    """A dataset by its name."""
    of = runtime.catalogue.dataset(dataset)
    return Translated(of.zh, of.en)


def _day(entry: Entry) -> str:
    """The day of a record, or the month that it is about."""
    of = entry.record
    return str(of.decided_on or of.period or day_of(of.source_time))


def _of_dataset(entries: Sequence[Entry], code: str) -> list[Entry]:
    return [each for each in entries if each.record.dataset == code]


def _has(entries: Sequence[Entry], code: str, after: str) -> bool:
    ids = {each.record.record_id for each in _of_dataset(entries, code)}
    return bool(ids) and (not after or after in ids)


def _beginning(file: File, code: str, entries: Sequence[Entry]) -> Section:
    own = _of_dataset(entries, code)
    name = name_of(file.runtime, code)
    more = own[AT_FIRST - 1].record.record_id if len(own) > AT_FIRST else None
    return Section(dataset=code, name=name, count=len(own), entries=own[:AT_FIRST], after=more)


def _page(file: File, code: str, entries: Sequence[Entry], after: str) -> Section:
    own = _of_dataset(entries, code)
    ids = [each.record.record_id for each in own]
    begin = ids.index(after) + 1 if after else 0
    shown = own[begin : begin + PAGE]
    more = shown[-1].record.record_id if shown and begin + PAGE < len(own) else None
    name = name_of(file.runtime, code)
    return Section(dataset=code, name=name, count=len(own), entries=shown, after=more)
