"""Notices (R14) of changes in what an enterprise's file discloses, between two states of it.

A state is its records under a catalogue. A record that was disclosed and is not any more is
`record_ended`; one that lost fields, or whose term became shorter, is `record_corrected`; one that is
disclosed again is `record_reinstated`. The end of a record's own clock is the same in both states.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.disclosure_policy import SERIOUS_LIST, context_of, disclosable_records
from gateway.creditfile.disclosure_terms import ends_at
from gateway.creditfile.file_query import read_files
from gateway.creditfile.records import Enterprise, Record, registration_of
from gateway.disclosure import withdrawal_notices
from gateway.disclosure.withdrawal_notices import ChangedRecord, RecordKind

_NONE: Final[frozenset[str]] = frozenset()
FILES_AT_ONCE: Final = 100
_TO_CLIENTS: Final = (Audience.AUTHORISED, Audience.VERIFICATION)


@dataclass(frozen=True, kw_only=True)
class FileState:
    """An enterprise's file under a catalogue at a moment."""

    enterprise: Enterprise
    records: Sequence[Record]
    catalogue: Catalogue
    now: datetime

    @cached_property
    def held(self) -> Mapping[str, Record]:
        """The registration and the records, by id."""
        held = (registration_of(self.enterprise), *self.records)
        return {each.record_id: each for each in held}

    @cached_property
    def disclosed(self) -> Mapping[str, frozenset[str]]:
        """Fields disclosed to clients and to questions, by record id."""
        found: dict[str, frozenset[str]] = {}
        for audience in _TO_CLIENTS:
            for each in disclosable_records(
                self.held.values(), audience, self.catalogue, self.now, kind=self.enterprise.kind
            ):
                names = frozenset(f"{audience.value}:{name}" for name in each.fields)
                found[each.record.record_id] = found.get(each.record.record_id, _NONE) | names
        return found

    @cached_property
    def ends(self) -> Mapping[str, datetime | None]:
        """End of disclosure of each disclosed record, by id."""
        context = context_of(self.held.values(), self.catalogue, self.now)
        return {
            each: ends_at(
                record := self.held[each],
                self.catalogue.dataset(record.dataset),
                self.catalogue.rules_of(record.dataset),
                context,
            )
            for each in self.disclosed
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordChange:
    """A change of one record, with the kind of its notices."""

    kind: RecordKind
    record: ChangedRecord
    ends_at: datetime | None = None
    """The new end of disclosure, where only the term became shorter."""


def changes_between(before: FileState, after: FileState) -> Iterator[RecordChange]:
    """Changes of the records that both states hold."""
    for record_id in before.held.keys() & after.held.keys():
        kind, end = _change(before, after, record_id)
        if kind is not None:
            held = after.held[record_id]
            changed = ChangedRecord(uscc=held.uscc, dataset=held.dataset, record_id=record_id)
            yield RecordChange(kind=kind, record=changed, ends_at=end)


def _change(
    before: FileState, after: FileState, record_id: str
) -> tuple[RecordKind | None, datetime | None]:
    old, new = (state.disclosed.get(record_id, _NONE) for state in (before, after))
    if old and not new:
        return "record_ended", None
    if old - new:
        return "record_corrected", None
    if not old:
        return ("record_reinstated" if new else None), None
    earlier, end = before.ends[record_id], after.ends[record_id]
    is_shorter = end is not None and (earlier is None or end < earlier)
    return ("record_corrected", end) if is_shorter else (None, None)


async def notify_changes(
    connection: AsyncConnection, changes: Iterable[RecordChange], *, now: datetime
) -> int:
    """Write the notices of these changes to past recipients; how many.

    A shorter term concerns those alone whose consent outlasts it: they were told a later `use_until`.
    """
    shorter: list[tuple[ChangedRecord, datetime]] = []
    by_kind: dict[RecordKind, list[ChangedRecord]] = {}
    for each in changes:
        if each.ends_at is not None:
            shorter.append((each.record, each.ends_at))
        else:
            by_kind.setdefault(each.kind, []).append(each.record)
    count = await withdrawal_notices.notify_shorter_terms(connection, shorter, now=now)
    for kind, records in by_kind.items():
        count += await withdrawal_notices.notify_changed_records(connection, kind, records, now=now)
    return count


def affects_others(dataset: str, catalogue: Catalogue) -> bool:
    """True if the disclosure of other records depends on this dataset's."""
    return dataset == SERIOUS_LIST or dataset in {
        other for _, other in catalogue.ending_with(catalogue.codes)
    }


async def notify_dependent_records(
    connection: AsyncConnection, catalogue: Catalogue, earlier: Sequence[Record], *, now: datetime
) -> int:
    """Write the notices on other records of the enterprises whose records were `earlier` as given.

    Called in the transaction of the change, after it; the changed records have notices of their own.
    """
    affecting = [each for each in earlier if affects_others(each.dataset, catalogue)]
    own = {each.record_id for each in affecting}
    changes = [
        each
        async for each in _changes_since(connection, catalogue, affecting, now=now)
        if each.record.record_id not in own
    ]
    return await notify_changes(connection, changes, now=now)


async def notify_updates(
    connection: AsyncConnection, catalogue: Catalogue, earlier: Sequence[Record], *, now: datetime
) -> int:
    """Write the notices on records that were `earlier` as given, and on those that depend on them.

    Called in the transaction of the change, after it. An update that neither ends nor brings back a
    record is `record_corrected`; none is told of a record that an act of its source keeps closed.
    """
    updated = {each.record_id: _corrected(each) for each in earlier if not _is_closed(each)}
    changes: list[RecordChange] = []
    async for each in _changes_since(connection, catalogue, earlier, now=now):
        if each.record.record_id not in updated:
            changes.append(each)
        elif each.kind != "record_corrected":
            updated[each.record.record_id] = each
    return await notify_changes(connection, [*updated.values(), *changes], now=now)


async def _changes_since(
    connection: AsyncConnection, catalogue: Catalogue, earlier: Sequence[Record], *, now: datetime
) -> AsyncIterator[RecordChange]:
    """Changes in the files of the enterprises whose records were `earlier` as given."""
    by_id = {each.record_id: each for each in earlier}
    usccs = sorted({each.uscc for each in earlier})
    for start in range(0, len(usccs), FILES_AT_ONCE):
        some = usccs[start : start + FILES_AT_ONCE]
        for enterprise, records in await read_files(connection, some, catalogue.codes):
            after = FileState(enterprise=enterprise, records=records, catalogue=catalogue, now=now)
            before = replace(after, records=[by_id.get(each.record_id, each) for each in records])
            for each in changes_between(before, after):
                yield each


def _corrected(record: Record) -> RecordChange:
    changed = ChangedRecord(uscc=record.uscc, dataset=record.dataset, record_id=record.record_id)
    return RecordChange(kind="record_corrected", record=changed)


def _is_closed(record: Record) -> bool:
    """True for a repaired, suspended or withdrawn record, whose end was noticed."""
    return any((record.repaired_at, record.suspended_at, record.withdrawn_at))
