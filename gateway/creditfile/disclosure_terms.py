"""Disclosure terms ("clocks") of a record: begin and end of disclosure, retention. Pure.

Each rule yields an end and the earliest applies; an enterprise's listing prolongs retention. Repair,
suspension and withdrawal end disclosure at once. All terms are parameters of the catalogue.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from operator import itemgetter
from typing import Final, NamedTuple

from gateway.creditfile.catalogue.clock_rules import ClockRules, Exempt, Filing, Term
from gateway.creditfile.catalogue.dataset_definition import DatasetDefinition
from gateway.creditfile.local_dates import day_of, end_of, last_day_of, midnight, months_after
from gateway.creditfile.penalty_publicity import NEVER, Penalty, last_day_of_publicity
from gateway.creditfile.records import Record

NEVER_DISCLOSED: Final = datetime.min.replace(tzinfo=UTC)
"""End of disclosure of a record that is never disclosed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedRecord:
    """A record with the rules of its dataset."""

    record: Record
    dataset: DatasetDefinition
    rules: ClockRules


@dataclass(frozen=True, slots=True)
class FileContext:
    """The other records of an enterprise, as far as a record's disclosure depends on them."""

    on_serious_list: bool = False
    """The enterprise is on the list of serious violations, which prolongs retention."""
    serious_list_ends_at: datetime | None = None
    """End of the listing, if it has a term."""
    superseded: frozenset[str] = frozenset()
    """Ids of records that are not the latest of their series."""
    related: Mapping[str, Sequence[RelatedRecord]] = field(default_factory=dict)
    """By record id, the records that it led to and ends with (`ClockRules.ends_with`)."""


ALONE: Final = FileContext()


class EndReason(StrEnum):
    """Reason for which a record is disclosed to its enterprise alone."""

    REPAIRED = "repaired"
    SUSPENDED = "suspended"
    WITHDRAWN = "withdrawn"
    REMOVED = "removed"
    """Off its list."""
    VALIDITY_OVER = "validity_over"
    LISTING_OVER = "listing_over"
    TERM_OVER = "term_over"
    PUBLICITY_OVER = "publicity_over"
    RETENTION_OVER = "retention_over"
    RELATED_ENDED = "related_ended"
    """The penalty that it led to has ended."""
    FILING_OVER = "filing_over"
    """The filing of whoever made it has ended."""
    SUPERSEDED = "superseded"
    """A later record of its series is disclosed instead."""
    NOT_BEGUN = "not_begun"
    NOT_PUBLISHED = "not_published"
    """The rules of publicity leave it out: minor, or without a date."""
    NOT_FILED = "not_filed"
    """Whoever made it has not been filed."""
    SIMPLIFIED = "simplified"
    UNDER_APPEAL = "under_appeal"


class End(NamedTuple):
    """End of disclosure, exclusive, with its reason."""

    moment: datetime
    """`NEVER_DISCLOSED` where it has no day; of `NOT_BEGUN` the beginning."""
    reason: EndReason


FINAL_ACTS: Final = frozenset({EndReason.REPAIRED, EndReason.WITHDRAWN, EndReason.REMOVED})
"""Ends by an act of the source; a suspension may be lifted."""
NOT_OVER: Final = frozenset(
    {
        EndReason.SUSPENDED,
        EndReason.NOT_BEGUN,
        EndReason.NOT_PUBLISHED,
        EndReason.NOT_FILED,
        EndReason.SIMPLIFIED,
        EndReason.UNDER_APPEAL,
    }
)
"""Reasons that leave a record undisclosed without its term being over."""


def begins_at(record: Record) -> datetime | None:
    """Start of publicity, if the record has a publication date."""
    return None if record.published_on is None else midnight(record.published_on)


def ends_at(
    record: Record, dataset: DatasetDefinition, rules: ClockRules, context: FileContext = ALONE
) -> datetime | None:
    """End of disclosure, exclusive; `None` if nothing ends it."""
    end = first_end(record, dataset, rules, context)
    return None if end is None else end.moment


def first_end(
    record: Record, dataset: DatasetDefinition, rules: ClockRules, context: FileContext = ALONE
) -> End | None:
    """The earliest end of disclosure, come or to come; `None` if nothing ends it."""
    ends = _ends(record, dataset, rules, context)
    return min(ends, key=_MOMENT) if ends else None


def retention_over_at(
    record: Record, dataset: DatasetDefinition, rules: ClockRules, context: FileContext
) -> datetime | None:
    """Moment at which bad information must be deleted; `None` while it may be kept.

    A listed record is kept until it is off its list, and all records of an enterprise while it is
    on the list of serious violations. A suspension may be lifted and ends no listing here.
    """
    over = next(iter(_end_of_retention(record, dataset, rules.retention_months)), None)
    if over is None or context.on_serious_list:
        return None
    if not rules.until_removed:
        return over
    off = [end.moment for end in ends_by_act(record) if end.reason in FINAL_ACTS]
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
    return end_in_effect(record, dataset, rules, now=now, context=context) is not None


def end_in_effect(
    record: Record,
    dataset: DatasetDefinition,
    rules: ClockRules,
    *,
    now: datetime,
    context: FileContext = ALONE,
) -> End | None:
    """The end that leaves the record undisclosed at `now`, the earliest; `None` if none has come."""
    return in_effect(first_end(record, dataset, rules, context), record, now=now)


def in_effect(end: End | None, record: Record, *, now: datetime) -> End | None:
    """The record's first `end` if it has come by `now`, or its beginning if that is to come."""
    if end is not None and now >= end.moment:
        return end
    begin = begins_at(record)
    if begin is not None and now < begin:
        return End(begin, EndReason.NOT_BEGUN)
    return None


def turning_points(
    record: Record, dataset: DatasetDefinition, rules: ClockRules, context: FileContext
) -> Iterator[datetime]:
    """Moments at which its disclosure, or its being held against the enterprise, may change by itself.

    Of all records of a file they are all such moments: `context` changes at no other.
    """
    begin = begins_at(record)
    if begin is not None:
        yield begin
    yield from (end.moment for end in _ends(record, dataset, rules, context))
    yield from _end_of_retention(record, dataset, rules.retention_months)
    days = None if rules.exempt is None else rules.exempt.appeal_days
    if days is not None and record.decided_on is not None:
        yield end_of(record.decided_on + timedelta(days=days))


def ends_by_act(record: Record) -> list[End]:
    """Ends by an act of the source: repair, suspension, withdrawal, removal from a list."""
    ends = []
    if record.repaired_at is not None:
        ends.append(End(record.repaired_at, EndReason.REPAIRED))
    if record.suspended_at is not None:
        ends.append(End(record.suspended_at, EndReason.SUSPENDED))
    if record.withdrawn_at is not None:
        ends.append(End(record.withdrawn_at, EndReason.WITHDRAWN))
    if record.removed_on is not None:
        ends.append(End(midnight(record.removed_on), EndReason.REMOVED))
    return ends


def is_bad(record: Record, dataset: DatasetDefinition) -> bool:
    """True if the record is bad information, by its dataset or by a field's value."""
    return dataset.is_bad(record.fields)


def exemption(record: Record, rules: ClockRules, *, now: datetime) -> End | None:
    """R1: simplified procedure, or under appeal; `None` if neither."""
    if rules.exempt is None:
        return None
    if record.fields.get("procedure") in rules.exempt.procedures:
        return End(NEVER_DISCLOSED, EndReason.SIMPLIFIED)
    if _is_under_appeal(record, rules.exempt, now):
        return End(NEVER_DISCLOSED, EndReason.UNDER_APPEAL)
    return None


_MOMENT: Final = itemgetter(0)


def _ends(
    record: Record, dataset: DatasetDefinition, rules: ClockRules, context: FileContext
) -> list[End]:
    ends = ends_by_act(record)
    if rules.latest_of is not None and record.record_id in context.superseded:
        ends.insert(0, End(NEVER_DISCLOSED, EndReason.SUPERSEDED))
    if rules.until_valid_to and record.valid_to is not None:
        ends.append(End(end_of(record.valid_to), EndReason.VALIDITY_OVER))
    if rules.filing is not None:
        ends += _end_of_filing(record, rules.filing)
    if rules.term is not None:
        reason = EndReason.LISTING_OVER if rules.until_removed else EndReason.TERM_OVER
        ends += [End(end, reason) for end in _end_of_term(record, dataset, rules.term)]
    if not rules.until_removed:
        if record.publicity_ends_on is not None:
            ends.append(End(end_of(record.publicity_ends_on), EndReason.PUBLICITY_OVER))
        if rules.has_publicity:
            ends += _end_of_publicity(record, rules)
        if rules.retention_months is not None:
            ends += _end_by_retention(record, dataset, rules, context)
    if context.related:
        ends += _ends_of_related(record, context)
    return ends


def _ends_of_related(record: Record, context: FileContext) -> Iterator[End]:
    """The ends of the records that it led to, as far as these are published."""
    for related in context.related.get(record.record_id, ()):
        for end in _ends(related.record, related.dataset, related.rules, context):
            if end.moment != NEVER_DISCLOSED:
                yield End(end.moment, EndReason.RELATED_ENDED)


def _end_by_retention(
    record: Record, dataset: DatasetDefinition, rules: ClockRules, context: FileContext
) -> Iterator[End]:
    """End of retention, or of the listing that prolongs it."""
    for over in _end_of_retention(record, dataset, rules.retention_months):
        if not context.on_serious_list:
            yield End(over, EndReason.RETENTION_OVER)
        elif context.serious_list_ends_at is not None:
            yield End(max(over, context.serious_list_ends_at), EndReason.RETENTION_OVER)


def _end_of_publicity(record: Record, rules: ClockRules) -> Iterator[End]:
    last_day = last_day_of_publicity(Penalty.from_record(record), rules)
    if last_day == NEVER:
        yield End(NEVER_DISCLOSED, EndReason.NOT_PUBLISHED)
    elif last_day is not None:
        yield End(end_of(last_day), EndReason.PUBLICITY_OVER)


def _end_of_filing(record: Record, filing: Filing) -> Iterator[End]:
    until = record.fields.get(filing.until)
    if not record.fields.get(filing.number):
        yield End(NEVER_DISCLOSED, EndReason.NOT_FILED)
    elif until is not None:
        yield End(end_of(date.fromisoformat(until)), EndReason.FILING_OVER)


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
    return None if record.period is None else last_day_of(record.period)


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
