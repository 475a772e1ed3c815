"""Rules of the questions on standing, kind, annual report, representative and scope."""

import calendar
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from verification.facts import ACTIVE, Facts, LiveRecord, as_date
from verification.normalise import normalise_industry_group
from verification.rule_verdict import UNDETERMINED, RuleVerdict, of_dataset, verdict, yes_if

SUSPENDED: Final = "suspended"
MAY_DO_BUSINESS: Final = frozenset({ACTIVE, SUSPENDED})
MAY_NOT: Final = frozenset(
    {"revoked_not_deregistered", "revoked_deregistered", "deregistered", "annulled"}
)
KINDS: Final = frozenset({"firm", "individual_business", "farmers_cooperative"})
_REPLACED: Final = frozenset({"法定代表人变更", "经营者变更"})
_SECTIONS: Final = "ABCDEFGHIJKLMNOPQRST"
_REPORTS_DUE: Final = (6, 30)
"""Month and day until which last year's annual report is due (企业信息公示暂行条例 第八条)."""
_REPORTS_HELD: Final = (7, 14)
"""Last day on which a report may still be on its way: intake has five working days."""


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
    """A `no` only of what had to file, once sources have had their time to deliver the report."""
    if (today.month, today.day) <= _REPORTS_DUE:
        return UNDETERMINED
    reports = of_dataset(facts, "annual_report")
    filed = [each for each in reports if each.fields.get("year") == f"{today.year - 1}"]
    if filed:
        return verdict("yes", filed)
    is_due = (
        (today.month, today.day) > _REPORTS_HELD
        and facts.status in MAY_DO_BUSINESS
        and (facts.established_on or today).year < today.year
    )
    unclear = any(not each.fields.get("year") for each in reports)
    return (
        UNDETERMINED if unclear or not is_due else verdict("no", of_dataset(facts, "registration"))
    )


def _representative_stable(facts: Facts, months: str | None, today: date) -> RuleVerdict:
    """Not `yes` while a change that is not recorded, or not legible, may be of the representative."""
    since = months_before(today, int(months or 0))
    recent = [(each, _is_after(each, since)) for each in of_dataset(facts, "change")]
    replaced = [each for each, is_recent in recent if is_recent and _item(each) in _REPLACED]
    if replaced:
        return verdict("no", replaced)
    registered = of_dataset(facts, "registration")
    founded, approved = facts.established_on, _date_of(registered, "approved_on")
    is_unexplained = approved is not None and approved > since and not any(r for _, r in recent)
    unclear = any(
        is_recent is None or (is_recent and not _item(each)) for each, is_recent in recent
    )
    if not registered or founded is None or founded > since or is_unexplained or unclear:
        return UNDETERMINED
    return verdict("yes", registered)


def _item(change: LiveRecord) -> str:
    item = change.fields.get("item")
    return item if isinstance(item, str) else ""


def _is_after(change: LiveRecord, day: date) -> bool | None:
    """True where the change was after that day; `None` where its date cannot be read."""
    changed_on = as_date(change.fields.get("changed_on"))
    return None if changed_on is None else changed_on > day


def _date_of(records: Sequence[LiveRecord], name: str) -> date | None:
    return as_date(records[0].fields.get(name)) if records else None


def months_before(day: date, months: int) -> date:
    """The same day so many months earlier, or that month's last day where it has none."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def months_after(day: date, months: int) -> date:
    """The same day so many months later, or that month's last day where it has none."""
    return months_before(day, -months)


def yearly_days(year: int) -> tuple[date, ...]:
    """The days of a year on which the answer on an annual report may change by themselves."""
    due, held = date(year, *_REPORTS_DUE), date(year, *_REPORTS_HELD)
    return date(year, 1, 1), due + timedelta(days=1), held + timedelta(days=1)


def _is_small_or_micro(facts: Facts, _: str | None, __: date) -> RuleVerdict:
    registered = of_dataset(facts, "registration")
    listed = registered[0].fields.get("small_or_micro") if registered else None
    return verdict(yes_if(listed), registered) if isinstance(listed, bool) else UNDETERMINED


def _scope_includes(facts: Facts, group: str | None, _: date) -> RuleVerdict:
    asserted = normalise_industry_group(group or "")
    registered = of_dataset(facts, "registration")
    digits = scope_digits(facts)
    if not asserted or not digits:
        return UNDETERMINED
    if any(code.startswith(asserted) for code in digits):
        return verdict("yes", registered)
    coarser = any(asserted.startswith(code) or not code.isdigit() for code in digits)
    return UNDETERMINED if coarser else verdict("no", registered)


def scope_digits(facts: Facts) -> tuple[str, ...]:
    """The codes of the scope's industries without the letters of their sections, sorted."""
    registered = of_dataset(facts, "registration")
    codes = registered[0].fields.get("scope_industries") if registered else None
    if not isinstance(codes, (list, tuple)):
        return ()
    return tuple(sorted({f"{code}".strip().upper().lstrip(_SECTIONS) for code in codes}))


REGISTRATION_RULES: Final[Mapping[str, Callable[[Facts, str | None, date], RuleVerdict]]] = {
    "registration_standing.v1": _registration_standing,
    "is_individual_business.v1": _is_individual_business,
    "annual_report_filed.v1": _annual_report_filed,
    "representative_stable.v1": _representative_stable,
    "is_small_or_micro.v1": _is_small_or_micro,
    "scope_includes.v1": _scope_includes,
}
