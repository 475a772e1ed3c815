"""Rules of the questions on standing, kind and annual report."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from verification.facts import ACTIVE, Facts, as_date
from verification.verdicts import UNDETERMINED, RuleVerdict, of_dataset, verdict, yes_if

SUSPENDED: Final = "suspended"
MAY_DO_BUSINESS: Final = frozenset({ACTIVE, SUSPENDED})
MAY_NOT: Final = frozenset(
    {"revoked_not_deregistered", "revoked_deregistered", "deregistered", "annulled"}
)
KINDS: Final = frozenset({"firm", "individual_business", "farmers_cooperative"})
_REPORTS_DUE: Final = (6, 30)
"""Month and day until which last year's annual report is due (企业信息公示暂行条例 第八条)."""


def _registration_standing(facts: Facts, _: str | None, today: date) -> RuleVerdict:
    registered = of_dataset(facts, "registration")
    if facts.status in MAY_NOT:
        return verdict("no", registered)
    if facts.status not in MAY_DO_BUSINESS or not registered:
        return UNDETERMINED
    end = registered[0].fields.get("term_to")
    last = date.max if end in (None, "") else as_date(end)
    return UNDETERMINED if last is None else verdict(yes_if(today <= last), registered)


def _is_individual_business(facts: Facts, _: str | None, __: date) -> RuleVerdict:
    registered = of_dataset(facts, "registration")
    kind = registered[0].fields.get("kind") if registered else None
    if kind not in KINDS:
        return UNDETERMINED
    return verdict(yes_if(kind == "individual_business"), registered)


def _annual_report_filed(facts: Facts, _: str | None, today: date) -> RuleVerdict:
    """A `no` only of what had to file: established by then, and neither closed nor moved."""
    if (today.month, today.day) <= _REPORTS_DUE:
        return UNDETERMINED
    reports = of_dataset(facts, "annual_report")
    filed = [each for each in reports if each.fields.get("year") == f"{today.year - 1}"]
    if filed:
        return verdict("yes", filed)
    is_due = facts.status in MAY_DO_BUSINESS and (facts.established_on or today).year < today.year
    unclear = any(not each.fields.get("year") for each in reports)
    return (
        UNDETERMINED if unclear or not is_due else verdict("no", of_dataset(facts, "registration"))
    )


REGISTRATION_RULES: Final[Mapping[str, Callable[[Facts, str | None, date], RuleVerdict]]] = {
    "registration_standing.v1": _registration_standing,
    "is_individual_business.v1": _is_individual_business,
    "annual_report_filed.v1": _annual_report_filed,
}
