"""Section of a record's page on its repair: terms, application, platforms that have followed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue.procedure_rules import Platform
from gateway.creditfile.disclosure_policy import context_of
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.records import Record
from gateway.creditfile.repair_terms import (
    NoRepair,
    RepairChange,
    RepairState,
    RepairTerms,
    repair_terms,
)
from gateway.creditfile.repairs import lifecycle, store
from gateway.creditfile.repairs.model import RepairApplication
from gateway.creditfile.working_days import working_days_after


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformLine:
    """A platform, and the day on which it followed the repair."""

    platform: Platform
    followed_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairSection:
    """Repair section of a record's page."""

    terms: RepairTerms | None
    no_repair: NoRepair | None
    last_change: RepairChange | None
    open: RepairApplication | None
    others: Sequence[RepairApplication]
    """Closed ones, and one that awaits a decision while the record is suspended or has ended."""
    platforms: Sequence[PlatformLine]
    waits_until: date | None
    """Last day of the waiting time after an earlier application, while it runs."""
    due_if_today: date | None
    """Deadline of an application made now."""
    overdue: bool = False
    """The deadline of the open application has passed."""

    @property
    def can_apply(self) -> bool:
        """True if the enterprise may apply now."""
        return self.terms is not None and self.terms.can_apply and self.waits_until is None


async def repair_section(
    connection: AsyncConnection,
    catalogue: Catalogue,
    record: Record,
    held: Sequence[Record],
    now: datetime,
) -> RepairSection:
    """The section for one of the `held` records of an enterprise."""
    applications = await store.of_enterprise(connection, record.uscc, record_id=record.record_id)
    last_change = await store.last_change(connection, record.uscc, record.record_id)
    is_open = next((each for each in applications if each.is_open), None)
    context = context_of(held, catalogue, now)
    terms = repair_terms(
        record,
        catalogue,
        now,
        applied=is_open is not None,
        last_change=last_change,
        context=context,
    )
    if isinstance(terms, NoRepair):
        return RepairSection(
            terms=None,
            no_repair=terms,
            last_change=last_change,
            open=None,
            others=applications,
            platforms=(),
            waits_until=None,
            due_if_today=None,
        )
    due = working_days_after(day_of(now), terms.rule.decide)
    shown = is_open if terms.state is RepairState.APPLIED else None
    return RepairSection(
        terms=terms,
        no_repair=None,
        last_change=last_change,
        open=shown,
        others=[each for each in applications if each is not shown],
        platforms=await _platforms(connection, catalogue, record, last_change),
        waits_until=_waits_until(applications, catalogue, now),
        due_if_today=due.day,
        overdue=is_open is not None and day_of(now) > is_open.due_on,
    )


def _waits_until(
    applications: Sequence[RepairApplication], catalogue: Catalogue, now: datetime
) -> date | None:
    last = lifecycle.waits_until(applications, catalogue.repair) if catalogue.repair else None
    return last if last is not None and day_of(now) <= last else None


async def _platforms(
    connection: AsyncConnection,
    catalogue: Catalogue,
    record: Record,
    last_change: RepairChange | None,
) -> list[PlatformLine]:
    """All platforms of the catalogue, once the record is repaired."""
    if record.repaired_at is None or catalogue.repair is None:
        return []
    since = day_of(record.repaired_at) if last_change is None else last_change.day
    found = await store.platforms_of(connection, record.uscc, record.record_id, since=since)
    days = {each.platform: each.followed_on for each in found}
    return [
        PlatformLine(platform=each, followed_on=days.get(each.code))
        for each in catalogue.repair.platforms
    ]
