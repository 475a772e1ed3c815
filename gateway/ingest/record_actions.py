"""A source repairs, withdraws and corrects its own records, by name, each with a reason: at once.

Nobody else's record can be named, and what has ended never comes back this way. Whoever was told
gets a tombstone in the same transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, Final, Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile import history
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue_schema import DatasetOf
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.record_mapping import FieldProblem
from gateway.creditfile.records import REGISTRATION, Record
from gateway.disclosure import withdrawal_notices
from gateway.disclosure.withdrawal_notices import ChangedRecord
from gateway.ingest.correction import Correction, correct, key_problem
from gateway.ingest.merge import take_turns
from gateway.ingest.results import WARNED_OF, BatchResult, MaskedField, RowOutcome, Source
from gateway.ingest.source_records import NamedRecord, held_by
from gateway.privacy.field_encryption import Vault
from gateway.privacy.redaction import holds_personal_number

Verb = Literal["repair", "withdraw", "correct"]

UNKNOWN: Final = FieldProblem(field="key", reason="no such record of this source")
TWICE: Final = FieldProblem(field="key", reason="named before in this call")
HAS_ENDED: Final = FieldProblem(field="key", reason="has been repaired or withdrawn")
WITHDRAWN: Final = FieldProblem(field="key", reason="has been withdrawn")
NOT_BAD: Final = FieldProblem(field="action", reason="only bad information is repaired")
NOT_OF_RECORDS: Final = FieldProblem(field="action", reason="a registration is delivered anew")
IN_THE_FUTURE: Final = FieldProblem(field="decided_on", reason="in the future")


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordAction:
    """What is to be done to one record, and on what ground."""

    dataset: str
    uscc: str
    key: str
    verb: Verb
    reason: str
    decided_on: date
    fields: Mapping[str, Any] = field(default_factory=_nothing, repr=False)
    """Of a correction: the fields that were wrong, as they should be; `None` takes one away."""
    masked: tuple[MaskedField, ...] = ()
    """Where personal numbers were masked in the reason as it was given."""

    @property
    def named(self) -> NamedRecord:
        """Which record is meant."""
        return NamedRecord(dataset=self.dataset, uscc=self.uscc, key=self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionContext:
    """One call's transaction: who, when, by which catalogue."""

    connection: AsyncConnection
    source: Source
    now: datetime
    catalogue: Catalogue
    vault: Vault


async def amend(at: ActionContext, amendments: Sequence[RecordAction]) -> tuple[RowOutcome, ...]:
    """Do each of these and say what became of it, in their order. Commits nothing."""
    await take_turns(at.connection, at.source.source_id, {each.dataset for each in amendments})
    held = await held_by(at.connection, at.source.source_id, [each.named for each in amendments])
    outcomes: dict[int, RowOutcome] = {}
    wanted: dict[int, Record] = {}
    seen: set[NamedRecord] = set()
    for number, each in enumerate(amendments):
        record = held.get(each.named)
        verdict = _verdict(each, record, at, is_repeated=each.named in seen)
        if verdict is not None or record is None:
            outcomes[number] = _refused(number, each, verdict or UNKNOWN)
            continue
        seen.add(each.named)
        if _is_so_already(each, record):
            outcomes[number] = _outcome(number, each, record, BatchResult.UNCHANGED, record.version)
        else:
            wanted[number] = record
    outcomes |= await _marked(at, amendments, wanted)
    outcomes |= await _corrected(at, amendments, wanted)
    today = day_of(at.now)
    return tuple(_as_told(outcomes[number], each, today) for number, each in enumerate(amendments))


def _as_told(outcome: RowOutcome, of: RecordAction, today: date) -> RowOutcome:
    """With what is to be said of the reason; a key with a personal number in it is not repeated."""
    kinds = (WARNED_OF[each.masking.kind] for each in of.masked)
    is_personal = outcome.key is not None and holds_personal_number((outcome.key,), today=today)
    return replace(
        outcome,
        key=None if is_personal else outcome.key,
        warnings=tuple(dict.fromkeys((*outcome.warnings, *kinds))),
        masked=(*of.masked, *outcome.masked),
    )


def _verdict(
    of: RecordAction, record: Record | None, at: ActionContext, *, is_repeated: bool
) -> FieldProblem | None:
    """Why this is not done, if it is not: the first check that fails, in this order."""
    dataset = at.catalogue.dataset(of.dataset)
    repairs, corrects = of.verb == "repair", of.verb == "correct"
    withdrawn = record is not None and record.withdrawn_at is not None
    repaired = record is not None and record.repaired_at is not None
    checks = (
        (of.decided_on > day_of(at.now), IN_THE_FUTURE),
        (of.dataset == REGISTRATION, NOT_OF_RECORDS),
        (repairs and not _can_be_bad(dataset), NOT_BAD),
        (is_repeated, TWICE),
        (record is None, UNKNOWN),
        (repairs and withdrawn, WITHDRAWN),
        (corrects and (withdrawn or repaired), HAS_ENDED),
    )
    for fails, problem in checks:
        if fails:
            return problem
    return key_problem(dataset, record, of.fields) if corrects and record is not None else None


def _is_so_already(of: RecordAction, record: Record) -> bool:
    return (of.verb == "repair" and record.repaired_at is not None) or (
        of.verb == "withdraw" and record.withdrawn_at is not None
    )


def _can_be_bad(dataset: DatasetOf) -> bool:
    return dataset.tone == "bad" or dataset.bad_when is not None


async def _marked(
    at: ActionContext, amendments: Sequence[RecordAction], wanted: Mapping[int, Record]
) -> dict[int, RowOutcome]:
    """Repair and withdraw, in the order in which everybody locks records; then tell."""
    outcomes: dict[int, RowOutcome] = {}
    for number in sorted(wanted, key=lambda n: (wanted[n].uscc, wanted[n].record_id)):
        of, record = amendments[number], wanted[number]
        if of.verb == "correct":
            continue
        column, kind = _MARKS[of.verb]
        change = history.Change(
            kind=kind,
            actor=at.source.source_id,
            reason=of.reason,
            decided_on=of.decided_on,
        )
        version = await history.mark(
            at.connection, record.uscc, record.record_id, {column: at.now}, change, now=at.now
        )
        outcomes[number] = _outcome(number, of, record, BatchResult.UPDATED, version)
    for verb, kind in _NOTICES:
        changed = [_changed(wanted[n]) for n in sorted(outcomes) if amendments[n].verb == verb]
        await withdrawal_notices.of_records(at.connection, kind, changed, now=at.now)
    return outcomes


async def _corrected(
    at: ActionContext, amendments: Sequence[RecordAction], wanted: Mapping[int, Record]
) -> dict[int, RowOutcome]:
    corrections = [
        Correction(
            row=number,
            record=record,
            fields=of.fields,
            reason=of.reason,
            decided_on=of.decided_on,
        )
        for number, record in wanted.items()
        if (of := amendments[number]).verb == "correct"
    ]
    found = await correct(
        at.connection,
        at.source,
        corrections,
        now=at.now,
        catalogue=at.catalogue,
        vault=at.vault,
    )
    return {each.row: each for each in found}


_MARKS: Final = {"repair": ("repaired_at", "repaired"), "withdraw": ("withdrawn_at", "withdrawn")}
_NOTICES: Final[tuple[tuple[Verb, withdrawal_notices.RecordKind], ...]] = (
    ("repair", "record_repaired"),
    ("withdraw", "record_withdrawn"),
)


def _changed(record: Record) -> ChangedRecord:
    return ChangedRecord(uscc=record.uscc, dataset=record.dataset, record_id=record.record_id)


def _outcome(
    number: int, of: RecordAction, record: Record, outcome: BatchResult, version: int | None
) -> RowOutcome:
    return RowOutcome(
        row=number,
        outcome=outcome,
        key=of.key,
        uscc=of.uscc,
        record_id=record.record_id,
        version=version,
    )


def _refused(number: int, of: RecordAction, problem: FieldProblem) -> RowOutcome:
    return RowOutcome(
        row=number, outcome=BatchResult.REJECTED, key=of.key, uscc=of.uscc, problems=(problem,)
    )
