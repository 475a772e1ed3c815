"""Actions of a source on its own records: repair, withdraw, correct.

Other sources' records cannot be addressed, and ended records are not reactivated. Clients that
received a record get a withdrawal notice in the same transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final, Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile import history
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.file_changes import notify_dependent_records
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.record_mapping import FieldProblem
from gateway.creditfile.records import REGISTRATION, Record
from gateway.disclosure import withdrawal_notices
from gateway.disclosure.withdrawal_notices import ChangedRecord
from gateway.ingest.correction import Correction, apply_corrections, key_problem
from gateway.ingest.merge import lock_datasets
from gateway.ingest.results import WARNING_OF_NUMBER, BatchResult, MaskedField, RowOutcome, Source
from gateway.ingest.source_records import RecordReference, find_own_records
from gateway.privacy.field_encryption import Vault
from gateway.privacy.redaction import holds_personal_number

ActionVerb = Literal["repair", "withdraw", "correct"]

UNKNOWN_RECORD: Final = FieldProblem(field="key", reason="no such record of this source")
DUPLICATE: Final = FieldProblem(field="key", reason="named before in this call")
HAS_ENDED: Final = FieldProblem(field="key", reason="has been repaired or withdrawn")
WITHDRAWN: Final = FieldProblem(field="key", reason="has been withdrawn")
NOT_REPAIRABLE: Final = FieldProblem(field="action", reason="only bad information is repaired")
NOT_FOR_REGISTRATIONS: Final = FieldProblem(
    field="action", reason="a registration is delivered anew"
)
IN_THE_FUTURE: Final = FieldProblem(field="decided_on", reason="in the future")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordAction:
    """One action on one record, with its reason."""

    dataset: str
    uscc: str
    key: str
    verb: ActionVerb
    reason: str
    decided_on: date
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """For a correction: the corrected fields; `None` removes one."""
    masked: tuple[MaskedField, ...] = ()
    """Positions of masked personal numbers in the reason as sent."""

    @property
    def reference(self) -> RecordReference:
        """Reference of the record."""
        return RecordReference(dataset=self.dataset, uscc=self.uscc, key=self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionContext:
    """Connection, source, time and catalogue of one call."""

    connection: AsyncConnection
    source: Source
    now: datetime
    catalogue: Catalogue
    vault: Vault


async def apply_actions(
    context: ActionContext, actions: Sequence[RecordAction]
) -> tuple[RowOutcome, ...]:
    """Apply the actions and return their outcomes in order. Does not commit."""
    await lock_datasets(
        context.connection, context.source.source_id, {each.dataset for each in actions}
    )
    held = await find_own_records(
        context.connection, context.source.source_id, [each.reference for each in actions]
    )
    outcomes: dict[int, RowOutcome] = {}
    to_change: dict[int, Record] = {}
    seen: set[RecordReference] = set()
    for number, each in enumerate(actions):
        record = held.get(each.reference)
        verdict = _verdict(each, record, context, is_repeated=each.reference in seen)
        if verdict is not None or record is None:
            outcomes[number] = _refused(number, each, verdict or UNKNOWN_RECORD)
            continue
        seen.add(each.reference)
        if _is_already_done(each, record):
            outcomes[number] = _outcome(number, each, record, BatchResult.UNCHANGED, record.version)
        else:
            to_change[number] = record
    outcomes |= await _apply_marks(context, actions, to_change)
    outcomes |= await _apply_corrections(context, actions, to_change)
    changed = [
        record
        for number, record in to_change.items()
        if outcomes[number].outcome is BatchResult.UPDATED
    ]
    await notify_dependent_records(context.connection, context.catalogue, changed, now=context.now)
    today = day_of(context.now)
    return tuple(_as_returned(outcomes[number], each, today) for number, each in enumerate(actions))


def _as_returned(outcome: RowOutcome, action: RecordAction, today: date) -> RowOutcome:
    """The outcome with the reason's warnings, without a key that holds a personal number."""
    kinds = (WARNING_OF_NUMBER[each.masking.kind] for each in action.masked)
    is_personal = outcome.key is not None and holds_personal_number((outcome.key,), today=today)
    return replace(
        outcome,
        key=None if is_personal else outcome.key,
        warnings=tuple(dict.fromkeys((*outcome.warnings, *kinds))),
        masked=(*action.masked, *outcome.masked),
    )


def _verdict(
    action: RecordAction, record: Record | None, context: ActionContext, *, is_repeated: bool
) -> FieldProblem | None:
    """The first failing check, in this order; `None` if the action is allowed."""
    dataset = context.catalogue.dataset(action.dataset)
    repairs, corrects = action.verb == "repair", action.verb == "correct"
    withdrawn = record is not None and record.withdrawn_at is not None
    repaired = record is not None and record.repaired_at is not None
    checks = (
        (action.decided_on > day_of(context.now), IN_THE_FUTURE),
        (action.dataset == REGISTRATION, NOT_FOR_REGISTRATIONS),
        (repairs and not dataset.is_ever_bad, NOT_REPAIRABLE),
        (is_repeated, DUPLICATE),
        (record is None, UNKNOWN_RECORD),
        (repairs and withdrawn, WITHDRAWN),
        (corrects and (withdrawn or repaired), HAS_ENDED),
    )
    for fails, problem in checks:
        if fails:
            return problem
    return key_problem(dataset, record, action.fields) if corrects and record is not None else None


def _is_already_done(action: RecordAction, record: Record) -> bool:
    return (action.verb == "repair" and record.repaired_at is not None) or (
        action.verb == "withdraw" and record.withdrawn_at is not None
    )


async def _apply_marks(
    context: ActionContext, actions: Sequence[RecordAction], wanted: Mapping[int, Record]
) -> dict[int, RowOutcome]:
    """Apply repairs and withdrawals in lock order, then write the withdrawal notices."""
    outcomes: dict[int, RowOutcome] = {}
    for number in sorted(wanted, key=lambda n: (wanted[n].uscc, wanted[n].record_id)):
        action, record = actions[number], wanted[number]
        if action.verb == "correct":
            continue
        column, kind = _MARKS[action.verb]
        change = history.Change(
            kind=kind,
            actor=context.source.source_id,
            reason=action.reason,
            decided_on=action.decided_on,
        )
        connection, marks, now = context.connection, {column: context.now}, context.now
        version = await history.mark_record(
            connection, record.uscc, record.record_id, marks, change, now=now
        )
        outcomes[number] = _outcome(number, action, record, BatchResult.UPDATED, version)
    for verb, kind in _NOTICES:
        changed = [_changed_record(wanted[n]) for n in sorted(outcomes) if actions[n].verb == verb]
        await withdrawal_notices.notify_changed_records(
            context.connection, kind, changed, now=context.now
        )
    return outcomes


async def _apply_corrections(
    context: ActionContext, actions: Sequence[RecordAction], wanted: Mapping[int, Record]
) -> dict[int, RowOutcome]:
    corrections = [
        Correction(
            row=number,
            record=record,
            fields=action.fields,
            reason=action.reason,
            decided_on=action.decided_on,
        )
        for number, record in wanted.items()
        if (action := actions[number]).verb == "correct"
    ]
    found = await apply_corrections(
        context.connection,
        context.source,
        corrections,
        now=context.now,
        catalogue=context.catalogue,
        vault=context.vault,
    )
    return {each.row: each for each in found}


_MARKS: Final = {"repair": ("repaired_at", "repaired"), "withdraw": ("withdrawn_at", "withdrawn")}
_NOTICES: Final[tuple[tuple[ActionVerb, withdrawal_notices.RecordKind], ...]] = (
    ("repair", "record_repaired"),
    ("withdraw", "record_withdrawn"),
)


def _changed_record(record: Record) -> ChangedRecord:
    return ChangedRecord(uscc=record.uscc, dataset=record.dataset, record_id=record.record_id)


def _outcome(
    number: int, action: RecordAction, record: Record, outcome: BatchResult, version: int | None
) -> RowOutcome:
    return RowOutcome(
        row=number,
        outcome=outcome,
        key=action.key,
        uscc=action.uscc,
        record_id=record.record_id,
        version=version,
    )


def _refused(number: int, action: RecordAction, problem: FieldProblem) -> RowOutcome:
    return RowOutcome(
        row=number,
        outcome=BatchResult.REJECTED,
        key=action.key,
        uscc=action.uscc,
        problems=(problem,),
    )
