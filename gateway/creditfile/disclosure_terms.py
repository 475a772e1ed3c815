"""Disclosure terms ("clocks") of a record: publicity, retention, begin and end of disclosure. Pure.

Each rule yields an end and the earliest applies; a listed record is disclosed as long as it is listed.
Repair and withdrawal end disclosure at once. All terms are parameters of the catalogue.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

from gateway.creditfile.catalogue_schema import ClockRules, DatasetDefinition, Exempt, Publicity
from gateway.creditfile.local_dates import day_of, end_of, midnight, months_after
from gateway.creditfile.records import Record

NEVER_DISCLOSED: Final = datetime.min.replace(tzinfo=UTC)
"""End of disclosure of a record that is never disclosed."""


def begins_at(record: Record) -> datetime | None:
    """Start of publicity, if the record has a publication date."""
    return None if record.published_on is None else midnight(record.published_on)


def ends_at(
    record: Record, dataset: DatasetDefinition, rules: ClockRules, *, on_serious_list: bool = False
) -> datetime | None:
    """End of disclosure, exclusive; `None` if nothing ends it.

    `on_serious_list`: the enterprise is on the list of serious violations, which prolongs
    retention.
    """
    ends = [end for end in (record.repaired_at, record.withdrawn_at) if end is not None]
    if record.removed_on is not None:
        ends.append(midnight(record.removed_on))
    if not rules.until_removed:
        ends.extend(_ends_of_publicity(record, rules.publicity))
        if not on_serious_list:
            ends.extend(_end_of_retention(record, dataset, rules.retention_months))
    return min(ends, default=None)


def retention_over_at(
    record: Record, dataset: DatasetDefinition, rules: ClockRules, *, on_serious_list: bool
) -> datetime | None:
    """When bad information must be deleted; `None` while it may be kept.

    A listed record is kept until it is off its list, and all records of an enterprise while it is
    on the list of serious violations (`on_serious_list`).
    """
    over = next(iter(_end_of_retention(record, dataset, rules.retention_months)), None)
    if over is None or on_serious_list:
        return None
    if not rules.until_removed:
        return over
    off = [end for end in (record.repaired_at, record.withdrawn_at) if end is not None]
    if record.removed_on is not None:
        off.append(midnight(record.removed_on))
    return max(over, min(off)) if off else None


def has_ended(
    record: Record,
    dataset: DatasetDefinition,
    rules: ClockRules,
    *,
    now: datetime,
    on_serious_list: bool = False,
) -> bool:
    """Whether the record is not disclosed at `now`: ended, or not yet begun."""
    end = ends_at(record, dataset, rules, on_serious_list=on_serious_list)
    begin = begins_at(record)
    return (end is not None and now >= end) or (begin is not None and now < begin)


def is_bad(record: Record, dataset: DatasetDefinition) -> bool:
    """Whether the record is bad information, by its dataset or by a field's value."""
    when = dataset.bad_when
    return dataset.tone == "bad" or (
        when is not None and record.fields.get(when.field) in when.values
    )


def is_exempt(record: Record, rules: ClockRules, *, now: datetime) -> bool:
    """R1: warnings only, simplified procedure, or under or within the time of appeal."""
    if rules.publicity is not None and is_warning_only(_kinds(record), rules.publicity):
        return True
    if rules.exempt is None:
        return False
    simplified = record.fields.get("procedure") in rules.exempt.procedures
    return simplified or _under_appeal(record, rules.exempt, now)


def is_warning_only(kinds: Iterable[str], rules: Publicity) -> bool:
    """Whether a penalty consists only of kinds that are never shown."""
    given = set(kinds)
    return bool(given) and given <= set(rules.never_shown)


def penalty_publicity_end(
    *,
    published_on: date,
    kinds: Iterable[str],
    fine: Decimal | None,
    severity: str | None,
    ban_until: date | None,
    rules: Publicity,
) -> date | None:
    """R2: last day of a penalty's publicity; `None` if it is never shown.

    Market regulation's rule depends on the kinds, the national one on severity; the earlier end
    applies.
    """
    given = set(kinds)
    if is_warning_only(given, rules):
        return None
    if _is_light(given, fine, rules):
        ends = [months_after(published_on, rules.short.months)]
    else:
        last = months_after(published_on, rules.months)
        banned = ban_until is not None and bool(given & set(rules.bans))
        ends = [max(last, ban_until) if banned and ban_until is not None else last]
    if severity in rules.months_by_severity:
        ends.append(months_after(published_on, rules.months_by_severity[severity]))
    return min(ends)


def recomputed_publicity_end(record: Record, rules: Publicity) -> date | None:
    """R2 for a stored record; `None` also if no date tells when publicity began."""
    start = record.published_on or record.decided_on
    if start is None:
        return None
    return penalty_publicity_end(
        published_on=start,
        kinds=_kinds(record),
        fine=_fine(record),
        severity=record.severity,
        ban_until=record.valid_to,
        rules=rules,
    )


def _ends_of_publicity(record: Record, rules: Publicity | None) -> Iterable[datetime]:
    if record.publicity_ends_on is not None:
        yield end_of(record.publicity_ends_on)
    if rules is not None:
        last_day = recomputed_publicity_end(record, rules)
        yield NEVER_DISCLOSED if last_day is None else end_of(last_day)


def _end_of_retention(
    record: Record, dataset: DatasetDefinition, months: int | None
) -> Iterable[datetime]:
    determined = record.determined_on or record.decided_on
    if months is not None and determined is not None and is_bad(record, dataset):
        yield end_of(months_after(determined, months))


def _under_appeal(record: Record, rules: Exempt, now: datetime) -> bool:
    """Under appeal, or within the time of appeal if the state is unknown."""
    state = record.fields.get("appeal_state")
    if state in rules.under_appeal:
        return True
    if state in rules.no_appeal_any_more or record.decided_on is None:
        return False
    return day_of(now) <= record.decided_on + timedelta(days=rules.appeal_days)


def _is_light(kinds: set[str], fine: Decimal | None, rules: Publicity) -> bool:
    """Public criticism, or a low fine, with nothing graver beside it."""
    if not kinds <= set(rules.harmless_beside_a_fine):
        return False
    only_criticism = kinds <= {*rules.short.kinds, *rules.never_shown}
    return only_criticism or (fine is not None and fine <= rules.short.fine_at_most)


def _kinds(record: Record) -> tuple[str, ...]:
    return tuple(record.fields.get("kinds") or ())


def _fine(record: Record) -> Decimal | None:
    try:
        return Decimal(str(record.fields["fine"]))
    except (KeyError, InvalidOperation):
        return None
