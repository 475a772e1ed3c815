"""Portal pages of the enterprise's own credit file, with the visibility of each field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from gateway.creditfile import labels
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.disclosure_policy import context_of, disclosable_fields, end_in_effect
from gateway.creditfile.disclosure_terms import NOT_OVER, End, FileContext
from gateway.creditfile.file_query import read_file
from gateway.creditfile.objections import lifecycle
from gateway.creditfile.objections import store as objections
from gateway.creditfile.objections.model import Objection
from gateway.creditfile.personal_fields import open_enterprise, with_personal
from gateway.creditfile.records import Enterprise, Record, newest_first, registration_of
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import UsingVisitor, Visitor
from gateway.pages.i18n import Translated
from gateway.pages.page_route import EarlyResponse, PageRoute
from gateway.pages.rendering import PageRenderer
from gateway.portal import labels as portal_labels
from gateway.portal.objections import labels as objection_labels
from gateway.portal.page_queries import EnterpriseCard
from gateway.portal.repairs import labels as repair_labels
from gateway.portal.repairs.record_section import repair_section
from gateway.prefix_router import PrefixRouter
from gateway.runtime import Runtime, UsingRuntime

PREVIEW_COUNT: Final = 5
PAGE_SIZE: Final = 20

router = PrefixRouter(route_class=PageRoute, include_in_schema=False)
renderer: Final = PageRenderer("gateway.portal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One record as its enterprise sees it, with the fields visible to others."""

    record: Record
    fields: Mapping[str, Any]
    public: frozenset[str]
    authorised: frozenset[str]
    end: End | None
    """Why the record is disclosed to nobody else; `None` if it is disclosed."""
    objection: Objection | None
    """The open objection to the record."""

    @property
    def is_over(self) -> bool:
        """True if the record was disclosed to others and is so no more."""
        return self.end is not None and self.end.reason not in NOT_OVER

    @property
    def is_open_to_objection(self) -> bool:
        """True if the enterprise may object to the record."""
        return lifecycle.is_open_to_objection(self.end)

    @property
    def visibility(self) -> str:
        """The widest audience of any field: `public`, `authorised` or `nobody`."""
        return _visibility(public=bool(self.public), authorised=bool(self.authorised))

    def field_visibility(self, name: str) -> str:
        """The widest audience of one field."""
        return _visibility(public=name in self.public, authorised=name in self.authorised)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One page of a dataset's records; `cursor` is its last record if more follow."""

    dataset: str
    name: Translated
    count: int
    entries: Sequence[Entry]
    over: bool
    """True if it holds the records that are disclosed to others no more."""
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

    @property
    def _all_records(self) -> tuple[Record, ...]:
        return registration_of(self.enterprise), *self.records

    def entries(self) -> list[Entry]:
        """All records visible to the enterprise, in catalogue order, newest first."""
        context = context_of(self._all_records, self.runtime.catalogue, self.now)
        found = (self._entry(each, context=context) for each in self._all_records)
        order = self.runtime.catalogue.codes.index
        visible = (e for e in found if e.fields)
        return sorted(visible, key=lambda e: (order(e.record.dataset), newest_first(e.record)))

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
            end=end_in_effect(record, self.runtime.catalogue, self.now, context=context),
            objection=self.objections.get(record.record_id),
        )

    def decrypted(self, entry: Entry) -> Entry:
        """The entry with its encrypted personal fields decrypted, for its detail page only."""
        vault = self.runtime.vault
        if entry.record.record_id == self.enterprise.registration_id:
            whole = registration_of(self.enterprise, open_enterprise(vault, self.enterprise))
        else:
            whole = with_personal(vault, entry.record)
        context = context_of(self._all_records, self.runtime.catalogue, self.now)
        return self._entry(whole, context=context)


@router.get("/portal/enterprises/{uscc}/record")
async def show_credit_file(uscc: str, runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """Show the file by dataset; `?dataset=` shows one dataset page by page, `&over=1` what is over."""
    visitor.require(Permission.RECORD, uscc)
    wanted, cursor, over = map(
        visitor.request.query_params.get, ("dataset", "after", "over"), ("", "", "")
    )
    async with runtime.engine.connect() as connection:
        file = await load_file(connection, runtime, visitor, uscc)
    sections = _sections(file, wanted, cursor, over=bool(over))
    if not sections:
        return visitor.not_found()
    return renderer.visitor_page(
        visitor,
        "portal/credit_file.html",
        enterprise=file.card,
        tab="record",
        sections=sections,
        over=[] if wanted else _sections(file, "", "", over=True),
        whole=not wanted,
        disputed=len(file.objections),
        labels=labels,
        why=portal_labels.end_label,
        catalogue=runtime.catalogue,
    )


@router.get("/portal/enterprises/{uscc}/records/{record_id}")
async def show_record(
    uscc: str, record_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Show one record field by field, with a link to object."""
    visitor.require(Permission.RECORD, uscc)
    async with runtime.engine.connect() as connection:
        file = await load_file(connection, runtime, visitor, uscc)
        earlier = await objections.of_enterprise(connection, uscc, record_id=record_id)
        entry = file.decrypted(find_entry(visitor, file, record_id))
        repair = await repair_section(
            connection, runtime.catalogue, entry.record, file.records, file.now
        )
    return renderer.visitor_page(
        visitor,
        "portal/record.html",
        enterprise=file.card,
        tab="record",
        entry=entry,
        dataset=dataset_name(runtime, entry.record.dataset, file.enterprise.kind),
        earlier=[each for each in earlier if not each.marks],
        notice=visitor.notice({**objection_labels.NOTICES, **repair_labels.NOTICES}),
        labels=labels,
        why=portal_labels.end_label,
        objection_labels=objection_labels,
        repair=repair,
        repair_labels=repair_labels,
        may_repair=visitor.session.may(uscc, Permission.REPAIRS),
        catalogue=runtime.catalogue,
        scheme=None
        if entry.end
        else runtime.catalogue.scheme_of(entry.record.dataset, entry.record.fields),
        is_rating=entry.record.dataset in runtime.catalogue.objections.rating_appeal.datasets,
    )


async def load_file(
    connection: AsyncConnection, runtime: Runtime, visitor: Visitor, uscc: str
) -> CreditFile:
    """The credit file of an enterprise; without one, the 404 page."""
    file = await read_credit_file(connection, runtime, uscc)
    if file is None:
        raise EarlyResponse(visitor.not_found())
    return file


async def read_credit_file(
    connection: AsyncConnection, runtime: Runtime, uscc: str
) -> CreditFile | None:
    """The credit file of an enterprise, or `None`."""
    read = await read_file(connection, uscc, runtime.catalogue.codes)
    if read is None:
        return None
    own = await objections.of_enterprise(connection, uscc)
    return CreditFile(
        enterprise=read[0],
        records=read[1],
        objections={each.record_id: each for each in own if each.marks},
        runtime=runtime,
        now=runtime.now(),
    )


def find_entry(visitor: Visitor, file: CreditFile, record_id: str) -> Entry:
    """A visible record by its id; without one, the 404 page."""
    found = next((e for e in file.entries() if e.record.record_id == record_id), None)
    if found is None:
        raise EarlyResponse(visitor.not_found())
    return found


def dataset_name(runtime: Runtime, dataset: str, kind: str = "") -> Translated:
    """The name of a dataset, by the enterprise's kind."""
    return labels.dataset_label(dataset, runtime.catalogue, kind)


def _visibility(*, public: bool, authorised: bool) -> str:
    return "public" if public else "authorised" if authorised else "nobody"


def _sections(file: CreditFile, wanted: str, cursor: str, *, over: bool) -> list[Section]:
    """The first records of each dataset, or the page after `cursor` of one; empty if there is none."""
    by_dataset: dict[str, list[Entry]] = {}
    for each in file.entries():
        if each.is_over == over:
            by_dataset.setdefault(each.record.dataset, []).append(each)
    if not wanted:
        return [_section(file, entries, 0, PREVIEW_COUNT) for entries in by_dataset.values()]
    entries = by_dataset.get(wanted, [])
    ids = [each.record.record_id for each in entries]
    if not ids or (cursor and cursor not in ids):
        return []
    return [_section(file, entries, ids.index(cursor) + 1 if cursor else 0, PAGE_SIZE)]


def _section(file: CreditFile, entries: Sequence[Entry], start: int, size: int) -> Section:
    dataset, shown = entries[0].record.dataset, entries[start : start + size]
    more = start + size < len(entries)
    return Section(
        dataset=dataset,
        name=dataset_name(file.runtime, dataset, file.enterprise.kind),
        count=len(entries),
        entries=shown,
        over=entries[0].is_over,
        cursor=shown[-1].record.record_id if more else None,
    )
