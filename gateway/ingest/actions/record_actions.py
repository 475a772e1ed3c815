"""Acts of a source on its own records: repair, suspend, withdraw, correct, reinstate, revoke a repair.

Other sources' records cannot be addressed. An action that brings a record back waits until another
operator of the source approves it (`approve`). Clients that received a record, and its
enterprise, get a notice in the same transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from gateway.creditfile import history
from gateway.creditfile.field_problems import FieldProblem
from gateway.creditfile.file_changes import notify_dependent_records
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.records import Record
from gateway.disclosure.ids import new_id
from gateway.ingest.actions import waiting_acts
from gateway.ingest.actions.correction import Correction, apply_corrections, key_problem
from gateway.ingest.actions.effects import (
    EFFECTS,
    ActionContext,
    notify_clients,
    notify_enterprises,
)
from gateway.ingest.actions.verdicts import (
    TWO_PERSONS,
    UNKNOWN_RECORD,
    ActionVerb,
    is_already_so,
    problem_with,
)
from gateway.ingest.actions.waiting_acts import WaitingAct
from gateway.ingest.merge.merge_batch import lock_datasets
from gateway.ingest.results import WARNING_OF_NUMBER, BatchResult, MaskedField, RowOutcome
from gateway.ingest.source_records import RecordReference, find_own_records
from gateway.privacy.redaction import holds_personal_number


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
    operator: str | None = None
    """Who acts, as the source names its people; required where two persons are."""

    @property
    def reference(self) -> RecordReference:
        """Reference of the record."""
        return RecordReference(dataset=self.dataset, uscc=self.uscc, key=self.key)


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
        if is_already_so(each.verb, record):
            outcomes[number] = _outcome(number, each, record, BatchResult.UNCHANGED, record.version)
        else:
            to_change[number] = record
    outcomes |= await _apply_marks(context, actions, to_change)
    outcomes |= await _apply_corrections(context, actions, to_change)
    outcomes |= await _let_wait(context, actions, to_change)
    marked = [  # a correction is ingested, with its notices
        record
        for number, record in to_change.items()
        if outcomes[number].outcome is BatchResult.UPDATED and actions[number].verb != "correct"
    ]
    await notify_dependent_records(context.connection, context.catalogue, marked, now=context.now)
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
    dataset = context.catalogue.dataset(action.dataset)
    problem = problem_with(
        action.verb,
        record,
        dataset,
        decided_on=action.decided_on,
        today=day_of(context.now),
        is_repeated=is_repeated,
    )
    if problem is not None or action.verb != "correct" or record is None:
        return problem
    return key_problem(dataset, record, action.fields)


async def _apply_marks(
    context: ActionContext, actions: Sequence[RecordAction], wanted: Mapping[int, Record]
) -> dict[int, RowOutcome]:
    """Apply what one person does, in lock order, then write the notices."""
    outcomes: dict[int, RowOutcome] = {}
    for number in sorted(wanted, key=lambda n: (wanted[n].uscc, wanted[n].record_id)):
        action, record = actions[number], wanted[number]
        if action.verb == "correct" or action.verb in TWO_PERSONS:
            continue
        effect = EFFECTS[action.verb]
        change = history.Change(
            kind=effect.change,
            actor=context.source.source_id,
            reason=action.reason,
            decided_on=action.decided_on,
            operator=action.operator,
        )
        marks = {effect.mark: context.now}
        version = await history.mark_record(
            context.connection, record.uscc, record.record_id, marks, change, now=context.now
        )
        outcomes[number] = _outcome(number, action, record, BatchResult.UPDATED, version)
    for verb, effect in EFFECTS.items():
        done = [
            (wanted[number], outcomes[number].version)
            for number in sorted(outcomes)
            if actions[number].verb == verb
        ]
        await notify_clients(context, effect, [record for record, _ in done])
        await notify_enterprises(context, effect, done)
    return outcomes


async def _let_wait(
    context: ActionContext, actions: Sequence[RecordAction], wanted: Mapping[int, Record]
) -> dict[int, RowOutcome]:
    """Store what takes two persons, until another one approves it."""
    numbers = [number for number in wanted if actions[number].verb in TWO_PERSONS]
    asked = [_waiting(context, actions[number], wanted[number]) for number in numbers]
    stored = await waiting_acts.add_waiting(context.connection, asked, now=context.now)
    return {
        number: replace(
            _outcome(number, actions[number], wanted[number], BatchResult.PENDING, None),
            version=wanted[number].version,
            action_id=each.action_id,
            lapses_at=each.lapses_at,
        )
        for number, each in zip(numbers, stored, strict=True)
    }


def _waiting(context: ActionContext, action: RecordAction, record: Record) -> WaitingAct:
    if action.operator is None:
        raise ValueError("What takes two persons is asked for by a named one.")
    return WaitingAct(
        uscc=record.uscc,
        action_id=new_id("act"),
        source_id=context.source.source_id,
        dataset=record.dataset,
        record_id=record.record_id,
        natural_key=record.natural_key,
        record_version=record.version,
        verb=action.verb,
        reason=action.reason,
        decided_on=action.decided_on,
        operator=action.operator,
        requested_at=context.now,
        lapses_at=context.now + waiting_acts.LIFETIME,
    )


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
