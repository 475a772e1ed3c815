"""Terms of a record's repair (信用修复): state, earliest day, conditions, office, deadline. Pure.

The figures are the catalogue's, with their sources. A shortest publicity ends with its last day in
Shanghai, so that a repair is applied for from the day after.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from gateway.creditfile import disclosure_terms
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue.procedure_rules import Platform, RepairRule
from gateway.creditfile.disclosure_policy import counts_as_bad
from gateway.creditfile.disclosure_terms import ALONE, FileContext
from gateway.creditfile.local_dates import day_of, end_of, midnight, months_after
from gateway.creditfile.penalty_publicity import Penalty, severity_of
from gateway.creditfile.records import Record


class RepairState(StrEnum):
    """State of a record that can be repaired."""

    NOT_YET = "not_yet"
    """The shortest publicity is not over."""
    REPAIRABLE = "repairable"
    APPLIED = "applied"
    REPAIRED = "repaired"
    SUSPENDED = "suspended"
    """Not told for the time being: a court's ruling, a stay."""
    REINSTATED = "reinstated"
    """Told again: the suspension was lifted, or the repair revoked."""


class RepairChangeKind(StrEnum):
    """Change of a record's repair, as its history names it."""

    REPAIRED = "repaired"
    SUSPENDED = "suspended"
    REINSTATED = "reinstated"
    REPAIR_REVOKED = "repair_revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairChange:
    """The latest change of a record's repair, with the day of its decision and the reason."""

    kind: RepairChangeKind
    day: date
    reason: str | None = field(default=None, repr=False)


class NoRepair(StrEnum):
    """Why there is nothing to repair."""

    NOT_BAD = "not_bad"
    """No bad information."""
    NOT_BY_ITSELF = "not_by_itself"
    """The catalogue has no rule for it: it ends with what it follows from."""
    NO_RULES = "no_rules"
    """A catalogue of an earlier form, without repair."""
    NOT_TOLD = "not_told"
    """It has ended, or does not count: simplified procedure, appeal, not published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairTerms:
    """Terms of the repair of one record at one moment."""

    state: RepairState
    can_apply: bool
    """True if a repair may be applied for now."""
    repairable_from: date
    months: int
    """Shortest publicity."""
    after_revocation: bool
    """The first day follows from a revoked repair."""
    ends_at: datetime | None
    """End of disclosure without a repair; `None` if nothing ends it."""
    office: str | None
    """The office, where the record names it."""
    rule: RepairRule
    platform: Platform | None

    @property
    def conditions(self) -> tuple[str, ...]:
        """Conditions of this record's repair."""
        return tuple(each for each in self.rule.conditions if self.months or each != "period")

    @property
    def ends_first(self) -> bool:
        """True if disclosure ends by itself before a repair may be applied for."""
        return self.ends_at is not None and self.ends_at <= midnight(self.repairable_from)

    @property
    def last_day(self) -> date | None:
        """Last day of disclosure without a repair."""
        return None if self.ends_at is None else day_of(self.ends_at - timedelta(seconds=1))


def repairable_from(record: Record, catalogue: Catalogue) -> date | None:
    """First day on which a repair may be applied for; `None` if the record is not repaired."""
    rule = catalogue.repair.rules.get(record.dataset) if catalogue.repair else None
    if rule is None or not disclosure_terms.is_bad(record, catalogue.dataset(record.dataset)):
        return None
    start = next(filter(None, (getattr(record, column) for column in rule.starts)), None)
    return None if start is None else _day_after(start, _months(record, catalogue, rule))


def deciding_office(record: Record, catalogue: Catalogue) -> str | None:
    """The name of the office that decides on the record's repair, where the record names it."""
    rule = catalogue.repair.rules.get(record.dataset) if catalogue.repair else None
    return record.fields.get(rule.office.field) if rule and rule.office.field else None


def repair_terms(
    record: Record,
    catalogue: Catalogue,
    now: datetime,
    *,
    applied: bool = False,
    last_change: RepairChange | None = None,
    context: FileContext = ALONE,
) -> RepairTerms | NoRepair:
    """The terms of a record's repair at `now`.

    `applied` if an application is open; `last_change` of its repair, from its history.
    """
    dataset, rules = catalogue.dataset(record.dataset), catalogue.rules_of(record.dataset)
    if not disclosure_terms.is_bad(record, dataset):
        return NoRepair.NOT_BAD
    if catalogue.repair is None:
        return NoRepair.NO_RULES
    rule = catalogue.repair.rules.get(record.dataset)
    if rule is None:
        return NoRepair.NOT_BY_ITSELF
    counts = counts_as_bad(record, catalogue, now, context=context)
    begins = repairable_from(record, catalogue)
    state = _state(record, now, applied=applied)
    if begins is None or record.withdrawn_at is not None or not (state or counts):
        return NoRepair.NOT_TOLD
    again = date.min
    if last_change is not None and last_change.kind is RepairChangeKind.REPAIR_REVOKED:
        again = _day_after(last_change.day, catalogue.repair.months_after_revocation)
    after_revocation, begins = again > begins, max(begins, again)
    is_due = now >= midnight(begins)
    return RepairTerms(
        state=state or _told_state(last_change, is_due=is_due),
        can_apply=state is None and is_due,
        repairable_from=begins,
        after_revocation=after_revocation,
        months=_months(record, catalogue, rule),
        ends_at=disclosure_terms.ends_at(record, dataset, rules, context),
        office=deciding_office(record, catalogue),
        rule=rule,
        platform=catalogue.repair.by_code.get(rule.platform) if rule.platform else None,
    )


def _state(record: Record, now: datetime, *, applied: bool) -> RepairState | None:
    """The state that does not depend on the shortest publicity."""
    if record.repaired_at is not None and record.repaired_at <= now:
        return RepairState.REPAIRED
    if record.suspended_at is not None and record.suspended_at <= now:
        return RepairState.SUSPENDED
    return RepairState.APPLIED if applied else None


def _told_state(last_change: RepairChange | None, *, is_due: bool) -> RepairState:
    """The state of a record that is told and not applied for."""
    told_again = {RepairChangeKind.REINSTATED, RepairChangeKind.REPAIR_REVOKED}
    if last_change is not None and last_change.kind in told_again:
        return RepairState.REINSTATED
    return RepairState.REPAIRABLE if is_due else RepairState.NOT_YET


def _months(record: Record, catalogue: Catalogue, rule: RepairRule) -> int:
    severe = catalogue.rules_of(record.dataset).publicity_by_severity
    if severe is None:
        return rule.months
    severity = severity_of(Penalty.from_record(record), severe)
    return rule.months_by_severity.get(severity, rule.months)


def _day_after(start: date, months: int) -> date:
    """First day after a term of `months`; without a term, its first day."""
    return start if months == 0 else day_of(end_of(months_after(start, months)))
