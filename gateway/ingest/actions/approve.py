"""Approval of a waiting action by another operator of its source, which brings the record back."""

from dataclasses import replace
from datetime import datetime
from enum import Enum, auto

from gateway.creditfile import history
from gateway.creditfile.file_changes import FileState, notify_dependent_records
from gateway.creditfile.file_query import read_file
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.records import Record
from gateway.ingest.actions import waiting_acts
from gateway.ingest.actions.effects import (
    EFFECTS,
    ActionContext,
    notify_clients,
    notify_enterprises,
)
from gateway.ingest.actions.operator_names import may_be_same
from gateway.ingest.actions.verdicts import problem_with
from gateway.ingest.actions.waiting_acts import WaitingAct
from gateway.ingest.merge.merge_batch import lock_dataset
from gateway.ingest.source_records import find_own_record


class ApprovalRefused(Enum):
    """Reason for which an action was not approved; nothing was changed."""

    UNKNOWN = auto()
    SAME_PERSON = auto()
    APPROVED_BEFORE = auto()
    LAPSED = auto()
    RECORD_CHANGED = auto()


async def approve(
    context: ActionContext, action_id: str, operator: str
) -> WaitingAct | ApprovalRefused:
    """Approve a waiting act as another operator of its source, and do it. Does not commit.

    The same approval again changes nothing and succeeds.
    """
    connection, source_id = context.connection, context.source.source_id
    asked = await waiting_acts.find_act(connection, source_id, action_id)
    if asked is None:
        return ApprovalRefused.UNKNOWN
    await lock_dataset(connection, source_id, asked.dataset)
    # Read again: an approval that held the lock may have committed.
    act = await waiting_acts.find_act(connection, source_id, action_id)
    refused = _refusal(act, operator, context.now)
    if act is None or refused is not None:
        return refused or ApprovalRefused.UNKNOWN
    if act.approved_by is not None:
        return act
    record = await find_own_record(connection, source_id, act.uscc, act.record_id)
    if record is None or not _still_fits(context, act, record):
        return ApprovalRefused.RECORD_CHANGED
    if await _bring_back(context, act, record, operator) is None:
        return ApprovalRefused.RECORD_CHANGED
    await waiting_acts.mark_approved(connection, act, operator, now=context.now)
    return replace(act, approved_by=operator, approved_at=context.now)


def _refusal(act: WaitingAct | None, operator: str, now: datetime) -> ApprovalRefused | None:
    if act is None:
        return ApprovalRefused.UNKNOWN
    if may_be_same(act.operator, operator):
        return ApprovalRefused.SAME_PERSON
    if act.approved_by is not None:
        same = may_be_same(act.approved_by, operator)
        return None if same else ApprovalRefused.APPROVED_BEFORE
    return ApprovalRefused.LAPSED if now >= act.lapses_at else None


def _still_fits(context: ActionContext, act: WaitingAct, record: Record) -> bool:
    if record.version != act.record_version or act.dataset not in context.catalogue.codes:
        return False
    dataset, today = context.catalogue.dataset(act.dataset), day_of(context.now)
    return problem_with(act.verb, record, dataset, decided_on=act.decided_on, today=today) is None


async def _bring_back(
    context: ActionContext, act: WaitingAct, record: Record, operator: str
) -> int | None:
    """Clear the mark, write the notices; the new version, `None` if the record was just deleted."""
    effect = EFFECTS[act.verb]
    change = history.Change(
        kind=effect.change,
        actor=context.source.source_id,
        reason=act.reason,
        decided_on=act.decided_on,
        operator=act.operator,
        approved_by=operator,
    )
    version = await history.mark_record(
        context.connection, act.uscc, act.record_id, {effect.mark: None}, change, now=context.now
    )
    if version is None:
        return None
    if await _is_told(context, record):
        await notify_clients(context, effect, [record])
    await notify_dependent_records(context.connection, context.catalogue, [record], now=context.now)
    await notify_enterprises(context, effect, [(record, version)])
    return version


async def _is_told(context: ActionContext, record: Record) -> bool:
    """True if clients may be told of the record now: otherwise nothing is announced to them."""
    held = await read_file(context.connection, record.uscc, context.catalogue.codes)
    if held is None:
        return False
    enterprise, records = held
    state = FileState(
        enterprise=enterprise, records=records, catalogue=context.catalogue, now=context.now
    )
    return record.record_id in state.disclosed
