"""Disclosure terms ("clocks") of a record: begin and end of disclosure, retention. Pure.

Each rule yields an end and the earliest applies; an enterprise's listing prolongs retention. Repair,
suspension and withdrawal end disclosure at once. All terms are parameters of the catalogue.
"""

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from gateway.creditfile.catalogue_schema import ClockRules, DatasetDefinition, Exempt, Term
from gateway.creditfile.local_dates import day_of, end_of, midnight, months_after
from gateway.creditfile.penalty_publicity import NEVER, Penalty, last_day_of_publicity
from gateway.creditfile.records import Record

NEVER_DISCLOSED: Final = datetime.min.replace(tzinfo=UTC)
"""End of disclosure of a record that is never disclosed."""


@dataclass(frozen=True, slots=True)
class FileContext:
    """The other records of an enterprise, as far as a record's disclosure depends on them."""

    on_serious_list: bool = False
    """The enterprise is on the list of serious violations, which prolongs retention."""
    superseded: frozenset[str] = frozenset()
    """Ids of records that are not the latest of their series."""


ALONE: Final = FileContext()


def begins_at(record: Record) -> datetime | None:
    """Start of publicity, if the record has a publication date."""
    return None if record.published_on is None else midnight(record.published_on)


def ends_at(
    record: Record, dataset: DatasetDefinition, rules: ClockRules, context: FileContext = ALONE
) -> datetime | None:
    """End of disclosure, exclusive; `None` if nothing ends it."""
    if rules.latest_of is not None and record.record_id in context.superseded:
        return NEVER_DISCLOSED
    marks = (record.repaired_at, record.suspended_at, record.withdrawn_at)
    ends = [end for end in marks if end is not None]
    if record.removed_on is not None:
        ends.append(midnight(record.removed_on))
    if rules.until_valid_to and record.valid_to is not None:
        ends.append(end_of(record.valid_to))
    if rules.term is not None:
        ends.extend(_end_of_term(record, dataset, rules.term))
    if not rules.until_removed:
        ends.extend(_ends_of_publicity(record, rules))
        if not context.on_serious_list:
            ends.extend(_end_of_retention(record, dataset, rules.retention_months))
    return min(ends, default=None)


def retention_over_at(
    record: Record, dataset: DatasetDefinition, rules: ClockRules, context: FileContext
) -> datetime | None:
    """When bad information must be deleted; `None` while it may be kept.

    A listed record is kept until it is off its list, and all records of an enterprise while it is
    on the list of serious violations. A suspension may be lifted and ends no listing here.
    """
    over = next(iter(_end_of_retention(record, dataset, rules.retention_months)), None)
    if over is None or context.on_serious_list:
        return None
    if not rules.until_removed:
        return over
    off = [end for end in (record.repaired_at, record.withdrawn_at) if end is not None]
    if record.removed_on is not None:
        off.append(midnight(record.removed_on))
    if rules.term is not None:
        off.extend(_end_of_term(record, dataset, rules.term))
    return max(over, min(off)) if off else None


def has_ended(
    record: Record,
    dataset: DatasetDefinition,
    rules: ClockRules,
    *,
    now: datetime,
    context: FileContext = ALONE,
) -> bool:
    """True if the record is not disclosed at `now`: ended, or not yet begun."""
    end = ends_at(record, dataset, rules, context)
    begin = begins_at(record)
    return (end is not None and now >= end) or (begin is not None and now < begin)


def is_bad(record: Record, dataset: DatasetDefinition) -> bool:
    """True if the record is bad information, by its dataset or by a field's value."""
    when = dataset.bad_when
    return dataset.tone == "bad" or (
        when is not None and record.fields.get(when.field) in when.values
    )


def is_exempt(record: Record, rules: ClockRules, *, now: datetime) -> bool:
    """R1: simplified procedure, or under appeal."""
    if rules.exempt is None:
        return False
    simplified = record.fields.get("procedure") in rules.exempt.procedures
    return simplified or _is_under_appeal(record, rules.exempt, now)


def counts_as_bad(
    record: Record,
    dataset: DatasetDefinition,
    rules: ClockRules,
    *,
    now: datetime,
    context: FileContext = ALONE,
) -> bool:
    """True if the record is bad information against the enterprise at `now`."""
    return (
        is_bad(record, dataset)
        and not is_exempt(record, rules, now=now)
        and not has_ended(record, dataset, rules, now=now, context=context)
    )


def _ends_of_publicity(record: Record, rules: ClockRules) -> Iterable[datetime]:
    if record.publicity_ends_on is not None:
        yield end_of(record.publicity_ends_on)
    if not rules.has_publicity:
        return
    last_day = last_day_of_publicity(Penalty.from_record(record), rules)
    if last_day is not None:
        yield NEVER_DISCLOSED if last_day == NEVER else end_of(last_day)


def _end_of_term(record: Record, dataset: DatasetDefinition, term: Term) -> Iterable[datetime]:
    if term.only_bad and not is_bad(record, dataset):
        return
    start = next(filter(None, (_day(record, column) for column in term.starts)), None)
    if start is not None:
        years = record.fields.get(term.extension) if term.extension else None
        more = min(years, term.extension_at_most) if isinstance(years, int) else 0
        yield end_of(months_after(start, term.months + 12 * more))


def _day(record: Record, column: str) -> date | None:
    if column != "period":
        return getattr(record, column)  # type: ignore[no-any-return]  # a typed day column
    return None if record.period is None else _last_day_of(record.period)


def _last_day_of(period: str) -> date | None:
    """Last day of a month `YYYY-MM` or year `YYYY`."""
    year, _, month = period.partition("-")
    try:
        of_year = int(month) if month else 12
        return date(int(year), of_year, calendar.monthrange(int(year), of_year)[1])
    except ValueError:
        return None


def _end_of_retention(
    record: Record, dataset: DatasetDefinition, months: int | None
) -> Iterable[datetime]:
    determined = record.determined_on or record.decided_on
    if months is not None and determined is not None and is_bad(record, dataset):
        yield end_of(months_after(determined, months))


def _is_under_appeal(record: Record, rules: Exempt, now: datetime) -> bool:
    """True under appeal, or within the time of appeal where an unstated appeal is assumed."""
    state = record.fields.get("appeal_state")
    if state in rules.under_appeal:
        return True
    if rules.appeal_days is None or state in rules.no_appeal_any_more or record.decided_on is None:
        return False
    return day_of(now) <= record.decided_on + timedelta(days=rules.appeal_days)
