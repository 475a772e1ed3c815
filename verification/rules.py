"""Rules of the state and band questions: facts to a verdict. Missing data is never a `no`."""

import calendar
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from verification.catalogue import RATING_LEVELS, SEVERITIES
from verification.facts import ACTIVE, Facts, as_date
from verification.record_rules import RECORD_RULES, not_listed
from verification.registration_rules import REGISTRATION_RULES
from verification.rule_verdict import UNDETERMINED, RuleVerdict, of_dataset, verdict, yes_if


def _is_active(facts: Facts, _: str | None, __: date) -> RuleVerdict:
    if not facts.status:
        return UNDETERMINED
    return verdict(yes_if(facts.status == ACTIVE), of_dataset(facts, "registration"))


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
    return verdict(yes_if(reached), (latest,))


def _established_for(facts: Facts, years: str | None, today: date) -> RuleVerdict:
    if facts.established_on is None or years is None:
        return UNDETERMINED
    completed = years_after(facts.established_on, int(years)) <= today
    return verdict(yes_if(completed), of_dataset(facts, "registration"))


def years_after(day: date, years: int) -> date:
    """The same day `years` later, or the month's last day where there is none (民法典 第二百零二条)."""
    year = min(day.year + years, date.max.year)
    return day.replace(year=year, day=min(day.day, calendar.monthrange(year, day.month)[1]))


RULES: Final[Mapping[str, Callable[[Facts, str | None, date], RuleVerdict]]] = {
    "is_active.v1": _is_active,
    "not_on_serious_violation_list.v1": not_listed("serious_violation"),
    "not_abnormal.v1": not_listed("abnormal_listing"),
    "no_live_penalty.v1": _no_live_penalty,
    "not_judgment_defaulter.v1": not_listed("judgment_defaulter"),
    "commitment_fulfilled.v1": _commitment_fulfilled,
    "rating_at_least.v1": _rating_at_least,
    "established_for.v1": _established_for,
    **REGISTRATION_RULES,
    **RECORD_RULES,
}
"""The rule of each state and band question, by tag; match questions are in `matching`."""
