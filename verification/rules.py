"""Rules of the state and band questions: facts to a verdict. Missing data is never a `no`."""

import calendar
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from verification.catalogue import RATING_LEVELS, SEVERITIES
from verification.facts import ACTIVE, Facts, LiveRecord, as_date

Answer = Literal["yes", "no", "not_determined"]
Match = Literal["strict", "loose"]
RestsOn = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleVerdict:
    """A rule's verdict: the answer, the kind of name match, and the records it rests on."""

    answer: Answer
    match: Match | None = None
    rests_on: RestsOn = ()


UNDETERMINED: Final = RuleVerdict(answer="not_determined")


def verdict(answer: Answer, records: Iterable[LiveRecord] = ()) -> RuleVerdict:
    """An answer with the records that it rests on; `not_determined` rests on none."""
    if answer == "not_determined":
        return UNDETERMINED
    return RuleVerdict(answer=answer, rests_on=resting_on(records))


def resting_on(records: Iterable[LiveRecord]) -> RestsOn:
    """The ids and versions of records, sorted and without repeats."""
    return tuple(sorted({(each.record_id, each.version) for each in records}))


def of_dataset(facts: Facts, dataset: str) -> tuple[LiveRecord, ...]:
    """The live records of one dataset."""
    return tuple(each for each in facts.records if each.dataset == dataset)


def _yes_if(holds: bool) -> Answer:  # noqa: FBT001 - a truth value as a word
    return "yes" if holds else "no"


def _is_active(facts: Facts, _: str | None, __: date) -> RuleVerdict:
    if not facts.status:
        return UNDETERMINED
    return verdict(_yes_if(facts.status == ACTIVE), of_dataset(facts, "registration"))


def _not_listed(dataset: str) -> Callable[[Facts, str | None, date], RuleVerdict]:
    def rule(facts: Facts, _: str | None, __: date) -> RuleVerdict:
        listed = of_dataset(facts, dataset)
        return verdict("no" if listed else "yes", listed)

    return rule


def _licence_valid(facts: Facts, category: str | None, today: date) -> RuleVerdict:
    held = [r for r in of_dataset(facts, "licence") if r.fields.get("category") == category]
    states = [(_runs(each, today), each) for each in held]
    valid = [each for state, each in states if state]
    if valid:
        return verdict("yes", valid)
    unclear = any(state is None for state, _ in states)
    return verdict("not_determined" if unclear else "no", held)


def _runs(licence: LiveRecord, today: date) -> bool | None:
    """True where a licence is within its term; `None` where a date cannot be read."""
    start, end = licence.fields.get("valid_from"), licence.fields.get("valid_to")
    first = date.min if start in (None, "") else as_date(start)
    last = date.max if end in (None, "") else as_date(end)
    return None if first is None or last is None else first <= today <= last


def _no_live_penalty(facts: Facts, severity: str | None, _: date) -> RuleVerdict:
    """Not `yes` while a live penalty of unknown severity may be of the severity asked for."""
    live = [each for each in of_dataset(facts, "penalty") if each.counts_as_bad]
    of_severity = [r for r in live if severity is None or r.fields.get("severity") == severity]
    if of_severity:
        return verdict("no", of_severity)
    ungraded = any(each.fields.get("severity") not in SEVERITIES for each in live)
    return verdict("not_determined" if ungraded else "yes")


def _commitment_fulfilled(facts: Facts, _: str | None, __: date) -> RuleVerdict:
    made = of_dataset(facts, "commitment")
    broken = [each for each in made if each.fields.get("fulfilment") == "broken"]
    if broken:
        return verdict("no", broken)
    fulfilled = bool(made) and all(e.fields.get("fulfilment") == "fulfilled" for e in made)
    return verdict("yes" if fulfilled else "not_determined", made)


def _rating_at_least(facts: Facts, level: str | None, _: date) -> RuleVerdict:
    rated = of_dataset(facts, "public_rating")
    if not rated:
        return UNDETERMINED
    latest = max(rated, key=lambda r: (as_date(r.fields.get("rated_on")) or date.min, r.version))
    theirs = latest.fields.get("level")
    if theirs not in RATING_LEVELS or level not in RATING_LEVELS:
        return UNDETERMINED
    reached = RATING_LEVELS.index(theirs) <= RATING_LEVELS.index(level)
    return verdict(_yes_if(reached), (latest,))


def _established_for(facts: Facts, years: str | None, today: date) -> RuleVerdict:
    if facts.established_on is None or years is None:
        return UNDETERMINED
    completed = _years_after(facts.established_on, int(years)) <= today
    return verdict(_yes_if(completed), of_dataset(facts, "registration"))


def _years_after(day: date, years: int) -> date:
    """The same day `years` later, or the month's last day where there is none (民法典 第二百零二条)."""
    year = min(day.year + years, date.max.year)
    return day.replace(year=year, day=min(day.day, calendar.monthrange(year, day.month)[1]))


def _paid_social_insurance_on_time(facts: Facts, months: str | None, today: date) -> RuleVerdict:
    wanted = _complete_months(today, int(months or 0))
    paid = [
        each
        for each in of_dataset(facts, "tax_and_social")
        if each.fields.get("kind") == "social_insurance" and each.fields.get("period") in wanted
    ]
    late = [each for each in paid if each.fields.get("on_time") is False]
    if late:
        return verdict("no", late)
    on_time = {each.fields.get("period") for each in paid if each.fields.get("on_time") is True}
    return verdict("yes" if wanted and on_time == wanted else "not_determined", paid)


def _complete_months(today: date, count: int) -> set[object]:
    """The last `count` complete months, as `YYYY-MM`."""
    this = today.year * 12 + today.month - 1
    return {f"{m // 12:04}-{m % 12 + 1:02}" for m in range(this - count, this)}


RULES: Final[Mapping[str, Callable[[Facts, str | None, date], RuleVerdict]]] = {
    "is_active.v1": _is_active,
    "not_on_serious_violation_list.v1": _not_listed("serious_violation"),
    "not_abnormal.v1": _not_listed("abnormal_listing"),
    "licence_valid.v1": _licence_valid,
    "no_live_penalty.v1": _no_live_penalty,
    "not_judgment_defaulter.v1": _not_listed("judgment_defaulter"),
    "commitment_fulfilled.v1": _commitment_fulfilled,
    "rating_at_least.v1": _rating_at_least,
    "established_for.v1": _established_for,
    "paid_social_insurance_on_time.v1": _paid_social_insurance_on_time,
}
"""The rule of each state and band question, by tag; match questions are in `matching`."""
