"""Decision on an application for repair, and reports of platforms, each in one transaction.

An accepted application repairs its record by the verb `repair`: past recipients are told in the same
transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.field_problems import FieldProblem, ProblemCode
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.natural_keys import fold
from gateway.creditfile.objections.model import Actor, Role
from gateway.creditfile.records import Record
from gateway.creditfile.repairs import service, store
from gateway.creditfile.repairs.model import (
    ApplicationRefusal,
    ApplicationStatus,
    PlatformFollowed,
    RepairApplication,
)
from gateway.ingest import BatchResult, Source
from gateway.ingest.actions.effects import ActionContext
from gateway.ingest.actions.record_actions import RecordAction, apply_actions
from gateway.ingest.actions.verdicts import NOT_REPAIRED, UNKNOWN_RECORD
from gateway.ingest.source_records import RecordReference, find_own_records
from gateway.records.repair_schemas import PlatformReportIn
from gateway.records.service import in_transaction
from gateway.runtime import Runtime
from verification.uscc import normalise_uscc

UNKNOWN_PLATFORM: Final = FieldProblem(field="platform", code=ProblemCode.UNKNOWN_PLATFORM)
IN_THE_FUTURE: Final = FieldProblem(field="followed_on", code=ProblemCode.IN_THE_FUTURE)
BEFORE_THE_REPAIR: Final = FieldProblem(field="followed_on", code=ProblemCode.BEFORE_THE_REPAIR)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformOutcome:
    """Outcome of one report."""

    outcome: BatchResult
    record_id: str | None = None
    problem: FieldProblem | None = None


class _CannotRepairError(Exception):
    """The record cannot be repaired: the transaction is undone."""


async def decide(
    runtime: Runtime, source: Source, application_id: str, *, accepted: bool, reason: str
) -> RepairApplication | ApplicationRefusal:
    """Decide an application; the same decision again changes nothing and succeeds."""

    async def work(connection: AsyncConnection) -> RepairApplication | ApplicationRefusal:
        found = await store.by_id(connection, application_id)
        if found is None or found.source_id != source.source_id:
            return ApplicationRefusal.NOT_AVAILABLE
        if not found.is_open:
            status = ApplicationStatus.ACCEPTED if accepted else ApplicationStatus.REJECTED
            is_same = (found.status, found.reason) == (status, reason)
            return found if is_same else ApplicationRefusal.NOT_NOW
        if accepted:
            await _repair(connection, runtime, source, found, reason)
        actor = Actor(role=Role.SOURCE, name=f"client:{source.source_id}", party=source.source_id)
        done = await service.record_decision(
            connection, found, actor=actor, accepted=accepted, reason=reason, now=runtime.now()
        )
        if isinstance(done, ApplicationRefusal):
            raise _CannotRepairError(done)
        return done

    try:
        return await in_transaction(runtime, work)
    except _CannotRepairError as error:
        refusal: ApplicationRefusal = error.args[0]
        return refusal


async def _repair(
    connection: AsyncConnection,
    runtime: Runtime,
    source: Source,
    application: RepairApplication,
    reason: str,
) -> None:
    key = await store.natural_key_of(connection, application)
    action = RecordAction(
        dataset=application.dataset,
        uscc=application.uscc,
        key=key or "",
        verb="repair",
        reason=reason,
        decided_on=day_of(runtime.now()),
    )
    context = ActionContext(
        connection=connection,
        source=source,
        now=runtime.now(),
        catalogue=runtime.catalogue,
        vault=runtime.vault,
    )
    (outcome,) = await apply_actions(context, [action])
    if outcome.outcome is BatchResult.REJECTED:
        raise _CannotRepairError(ApplicationRefusal.RECORD_WITHDRAWN)


async def report_platforms(
    runtime: Runtime, source: Source, reports: Sequence[PlatformReportIn]
) -> list[PlatformOutcome]:
    """Store which platforms have followed the repairs of the source's own records."""
    return await in_transaction(
        runtime, lambda connection: _report_all(connection, runtime, source, reports)
    )


async def _report_all(
    connection: AsyncConnection,
    runtime: Runtime,
    source: Source,
    reports: Sequence[PlatformReportIn],
) -> list[PlatformOutcome]:
    references = [
        RecordReference(dataset=each.dataset, uscc=normalise_uscc(each.uscc), key=fold(each.key))
        for each in reports
    ]
    held = await find_own_records(connection, source.source_id, references)
    return [
        await _report(connection, runtime, held.get(reference), each)
        for reference, each in zip(references, reports, strict=True)
    ]


async def _report(
    connection: AsyncConnection, runtime: Runtime, record: Record | None, report: PlatformReportIn
) -> PlatformOutcome:
    problem = await _problem(connection, runtime, record, report)
    if problem is not None or record is None:
        return PlatformOutcome(outcome=BatchResult.REJECTED, problem=problem or UNKNOWN_RECORD)
    followed = PlatformFollowed(platform=report.platform, followed_on=report.followed_on)
    put = await store.put_platform(
        connection, record.uscc, record.record_id, followed, now=runtime.now()
    )
    outcome = BatchResult.UPDATED if put else BatchResult.UNCHANGED
    return PlatformOutcome(outcome=outcome, record_id=record.record_id)


async def _problem(
    connection: AsyncConnection, runtime: Runtime, record: Record | None, report: PlatformReportIn
) -> FieldProblem | None:
    """The first failing check, in this order."""
    if record is None:
        return UNKNOWN_RECORD
    since = await _repaired_on(connection, record)
    repair = runtime.catalogue.repair
    checks = (
        (repair is None or report.platform not in repair.by_code, UNKNOWN_PLATFORM),
        (since is None or record.withdrawn_at is not None, NOT_REPAIRED),
        (report.followed_on > day_of(runtime.now()), IN_THE_FUTURE),
        (since is not None and report.followed_on < since, BEFORE_THE_REPAIR),
    )
    return next((problem for fails, problem in checks if fails), None)


async def _repaired_on(connection: AsyncConnection, record: Record) -> date | None:
    """Day of the decision to repair; of its receipt where the history has none."""
    if record.repaired_at is None:
        return None
    change = await store.last_change(connection, record.uscc, record.record_id)
    return change.day if change is not None else day_of(record.repaired_at)
