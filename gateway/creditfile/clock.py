"""When a record stops being told: a pure function of the record, the catalogue's figures and time.

Each rule gives an end of its own and the earliest wins; being on a list outlasts them all. Repair
and withdrawal end everything at once. No figure is written here: they stand in the catalogue.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

from gateway.creditfile.catalogue_schema import ClockRules, DatasetOf, Exempt, Publicity
from gateway.creditfile.local_dates import day_of, end_of, midnight, months_after
from gateway.creditfile.records import Record

NEVER_TOLD: Final = datetime.min.replace(tzinfo=UTC)
"""The end of what is never told at all."""


def begins_at(record: Record) -> datetime | None:
    """The first moment of publicity, where the record has such a date."""
    return None if record.published_on is None else midnight(record.published_on)


def ends_at(
    record: Record,
    dataset: DatasetOf,
    rules: ClockRules,
    *,
    on_serious_list: bool = False,
) -> datetime | None:
    """The first moment at which the record is told no more; `None` where nothing ends it.

    `on_serious_list` says that the enterprise stands on the list of serious violations, which
    prolongs retention.
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
    record: Record,
    dataset: DatasetOf,
    rules: ClockRules,
    *,
    on_serious_list: bool,
) -> datetime | None:
    """The first moment at which bad information must be deleted; `None` while it may be kept.

    What stands on a list is kept until it is off the list, and all of an enterprise's while it is
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
    dataset: DatasetOf,
    rules: ClockRules,
    *,
    now: datetime,
    on_serious_list: bool = False,
) -> bool:
    """Whether the record is not to be told at `now`: over, or not yet begun."""
    end = ends_at(record, dataset, rules, on_serious_list=on_serious_list)
    begin = begins_at(record)
    return (end is not None and now >= end) or (begin is not None and now < begin)


def counts_as_bad(
    record: Record,
    dataset: DatasetOf,
    rules: ClockRules,
    *,
    now: datetime,
) -> bool:
    """Whether the record is bad information (不良信息) at `now` (R1)."""
    return (
        is_bad(record, dataset)
        and not is_exempt(record, rules, now=now)
        and not has_ended(record, dataset, rules, now=now)
    )


def is_bad(record: Record, dataset: DatasetOf) -> bool:
    """Whether the record speaks against the enterprise, by its dataset or by what it says."""
    when = dataset.bad_when
    return dataset.tone == "bad" or (
        when is not None and record.fields.get(when.field) in when.values
    )


def is_exempt(record: Record, rules: ClockRules, *, now: datetime) -> bool:
    """R1: warnings alone, the simplified procedure, and what can still be or is under appeal."""
    if rules.publicity is not None and is_warning_only(_kinds(record), rules.publicity):
        return True
    if rules.exempt is None:
        return False
    simplified = record.fields.get("procedure") in rules.exempt.procedures
    return simplified or _under_appeal(record, rules.exempt, now)


def is_warning_only(kinds: Iterable[str], rules: Publicity) -> bool:
    """Whether a penalty is of no other kind than those never shown."""
    given = set(kinds)
    return bool(given) and given <= set(rules.never_shown)


def penalty_publicity_end(  # what the rules speak of
    *,
    published_on: date,
    kinds: Iterable[str],
    fine: Decimal | None,
    severity: str | None,
    ban_until: date | None,
    rules: Publicity,
) -> date | None:
    """R2: the last day on which a penalty is shown; `None` where it is never shown.

    Market regulation's rule goes by the kinds, the national one by severity; the earlier end wins.
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
    """R2 for a record as it stands; `None` also where no date says when publicity began."""
    begun = record.published_on or record.decided_on
    if begun is None:
        return None
    return penalty_publicity_end(
        published_on=begun,
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
        yield NEVER_TOLD if last_day is None else end_of(last_day)


def _end_of_retention(
    record: Record,
    dataset: DatasetOf,
    months: int | None,
) -> Iterable[datetime]:
    determined = record.determined_on or record.decided_on
    if months is not None and determined is not None and is_bad(record, dataset):
        yield end_of(months_after(determined, months))


def _under_appeal(record: Record, rules: Exempt, now: datetime) -> bool:
    """A state that no source has told leaves the time of appeal to be counted."""
    state = record.fields.get("appeal_state")
    if state in rules.under_appeal:
        return True
    if state in rules.no_appeal_any_more or record.decided_on is None:
        return False
    return day_of(now) <= record.decided_on + timedelta(days=rules.appeal_days)


def _is_light(kinds: set[str], fine: Decimal | None, rules: Publicity) -> bool:
    """Public criticism, or a fine of a lower amount, with nothing graver beside it."""
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
