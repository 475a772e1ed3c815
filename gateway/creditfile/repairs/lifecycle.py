"""State machine of an application for repair, with its deadline. Pure.

Only the record's enterprise applies and withdraws; only the record's source decides. The deadline is
in working days, and ends with its last day.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Final

from gateway.creditfile.catalogue.procedure_rules import RepairRules
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.objections.model import Actor, ObjectionGround, Role
from gateway.creditfile.repair_terms import RepairTerms
from gateway.creditfile.repairs.model import (
    ApplicationRefusal,
    ApplicationStatus,
    Paper,
    RepairApplication,
)
from gateway.creditfile.working_days import working_days_after

MAX_PAPERS: Final = 5


def apply(
    ground: ObjectionGround,
    terms: RepairTerms,
    *,
    application_id: str,
    statement: str,
    papers: tuple[Paper, ...],
    actor: Actor,
    now: datetime,
) -> RepairApplication | ApplicationRefusal:
    """Apply for the repair of one record; the source's term begins on the next day."""
    if actor.role is not Role.ENTERPRISE or actor.party != ground.uscc:
        return ApplicationRefusal.NOT_AVAILABLE
    if not terms.can_apply:
        return ApplicationRefusal.NOT_REPAIRABLE
    due = working_days_after(day_of(now), terms.rule.decide)
    return RepairApplication(
        uscc=ground.uscc,
        application_id=application_id,
        dataset=ground.dataset,
        record_id=ground.record_id,
        source_id=ground.source_id,
        source_name=ground.source_name,
        status=ApplicationStatus.OPEN,
        statement=statement,
        papers=papers[:MAX_PAPERS],
        applied_at=now,
        applied_by=actor.name,
        identity_token_digest=actor.identity_token_digest,
        due_on=due.day,
        due_provisional=due.provisional,
    )


def decide(
    application: RepairApplication, *, actor: Actor, accepted: bool, reason: str, now: datetime
) -> RepairApplication | ApplicationRefusal:
    """Record the source's decision. A late decision counts."""
    if actor.role is not Role.SOURCE or actor.party != application.source_id:
        return ApplicationRefusal.NOT_AVAILABLE
    if not application.is_open:
        return ApplicationRefusal.NOT_NOW
    status = ApplicationStatus.ACCEPTED if accepted else ApplicationStatus.REJECTED
    return replace(closed(application, status, actor.name, now), reason=reason)


def withdraw(
    application: RepairApplication, *, actor: Actor, now: datetime
) -> RepairApplication | ApplicationRefusal:
    """Withdraw an application that is not decided."""
    if actor.role is not Role.ENTERPRISE or actor.party != application.uscc:
        return ApplicationRefusal.NOT_AVAILABLE
    if not application.is_open:
        return ApplicationRefusal.NOT_NOW
    return closed(application, ApplicationStatus.WITHDRAWN, actor.name, now)


def closed(
    application: RepairApplication, status: ApplicationStatus, actor: str, now: datetime
) -> RepairApplication:
    """The application, closed."""
    return replace(
        application, status=status, closed_at=now, closed_by=actor, due_provisional=False
    )


def waits_until(earlier: Sequence[RepairApplication], rules: RepairRules) -> date | None:
    """Last day on which the record cannot be applied for again; `None` if nothing was closed."""
    days = []
    for each in earlier:
        if each.closed_at is None:
            continue
        day = day_of(each.closed_at)
        if each.status is ApplicationStatus.REJECTED:
            days.append(working_days_after(day, rules.again).day)
        elif each.status is ApplicationStatus.WITHDRAWN:
            days.append(day)
    return max(days, default=None)


def recount(
    application: RepairApplication, rules: RepairRules
) -> RepairApplication | ApplicationRefusal:
    """Recompute a provisional deadline with the current calendar."""
    rule = rules.rules.get(application.dataset)
    if not (application.is_open and application.due_provisional and rule):
        return ApplicationRefusal.NOT_NOW
    due = working_days_after(day_of(application.applied_at), rule.decide)
    if due.provisional:
        return ApplicationRefusal.NOT_NOW
    return replace(application, due_on=due.day, due_provisional=False)
