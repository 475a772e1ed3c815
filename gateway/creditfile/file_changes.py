"""Notices (R14) of changes in what an enterprise's file discloses, between two states of it.

A state is its records under a catalogue. A record that was disclosed and is not any more is
`record_ended`; one that lost fields, or whose term became shorter, is `record_corrected`; one that is
disclosed again is `record_reinstated`. The end of a record's own clock is the same in both states.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    by_id = {each.record_id: each for each in earlier if affects_others(each.dataset, catalogue)}
    if not by_id:
        return 0
    usccs = sorted({each.uscc for each in by_id.values()})
    changes: list[RecordChange] = []
    for enterprise, records in await read_files(connection, usccs, catalogue.codes):
        after = FileState(enterprise=enterprise, records=records, catalogue=catalogue, now=now)
        before = replace(after, records=[by_id.get(each.record_id, each) for each in records])
        found = changes_between(before, after)
        changes += (each for each in found if each.record.record_id not in by_id)
    return await notify_changes(connection, changes, now=now)
